"""What is asked of draws, scores and the reading of data, as the library has it."""

from __future__ import annotations

import json
import math
import operator
import os
from collections.abc import Iterable, Mapping
from typing import Any, Optional, Union

import numpy as np

from segre._seed import Seed, seed_of

ColumnsAs = Union[Mapping[str, str], str, os.PathLike[str], None]
"""What columns hold, by name, or a file that says so."""

Weights = Union[str, Any, None]
"""The column that says what each row weighs, or an array of the weights."""

_PICTURES = ("gray", "invert", "threshold", "levels", "size", "pad", "ignore", "ignore_as")


def drawing(
    sampler: Optional[str], steps: Optional[int], grid: Optional[str], tolerance: Optional[float]
) -> str:
    """How rows are drawn."""
    asked = {"sampler": sampler, "steps": _from_one("steps", steps), "grid": grid, "tolerance": _number("tolerance", tolerance)}
    return json.dumps(asked)


def scoring(
    given: list[str],
    method: Optional[str],
    orders: Optional[int],
    std_error: Optional[float],
    max_rounds: Optional[int],
    seed: Seed,
) -> str:
    """How rows are scored."""
    if orders is not None and method not in ("orders", "auto"):
        raise ValueError(f"orders={orders} is for method='orders' and 'auto'; give one or leave orders out")
    asked = {
        "given": given,
        "method": method,
        "orders": _from_one("orders", orders),
        "std_error": _number("std_error", std_error),
        "max_rounds": _from_one("max_rounds", max_rounds),
        "seed": seed_of(seed),
    }
    return json.dumps(asked)


def reading(
    *,
    columns: Optional[Iterable[str]],
    drop_columns: Iterable[str],
    missing: str,
    missing_words: Optional[Iterable[str]],
    weights: Optional[str] = None,
    constraints: Iterable[str] = (),
    header: bool = True,
    text_window: int = 64,
    pictures: Optional[Mapping[str, object]] = None,
    data_memory: Optional[int] = None,
) -> str:
    """How data are read."""
    if missing not in ("category", "drop"):
        raise ValueError(f"missing={missing!r}: give 'category' or 'drop'")
    asked: dict[str, Any] = {
        "missing": {"category": "category", "drop": "drop_rows"}[missing],
        "drop_columns": names("drop_columns", drop_columns),
        "only_columns": None if columns is None else names("columns", columns),
        "constraints": names("constraints", constraints),
        "weights": weights,
        "has_header": bool(header),
        "text_window": _from_one("text_window", text_window),
        "images": _pictures(pictures or {}),
    }
    if missing_words is not None:
        asked["missing_words"] = names("missing_words", missing_words)
    if data_memory is not None:
        asked["memory"] = _from_one("data_memory", data_memory)
    return json.dumps(asked)


def kinds(columns_as: ColumnsAs) -> tuple[dict[str, str], Optional[str]]:
    """What columns hold by name, and the file that says so."""
    if columns_as is None:
        return {}, None
    if isinstance(columns_as, (str, os.PathLike)):
        return {}, os.fspath(columns_as)
    if not isinstance(columns_as, Mapping):
        raise TypeError(f"columns_as={columns_as!r}: give a dict from columns to what they hold, or the path of a file")
    return {str(name): str(kind) for name, kind in columns_as.items()}, None


def weighing(weights: Weights) -> tuple[Optional[str], Optional[bytes]]:
    """The column of weights, or the weights as bytes."""
    if weights is None or isinstance(weights, str):
        return weights, None
    array = np.asarray(weights)
    if array.ndim != 1 or array.dtype.kind not in "biuf":
        raise ValueError(
            f"weights of type {array.dtype} and shape {array.shape}: give the name of a column, or one number for each row"
        )
    return None, np.ascontiguousarray(array, dtype=np.float64).tobytes()


def names(setting: str, given: Iterable[str]) -> list[str]:
    """A list of names, for which one text is no list."""
    if isinstance(given, str):
        raise TypeError(f"{setting}={given!r} is one text; give a list: [{given!r}]")
    return [str(name) for name in given]


def _pictures(asked: Mapping[str, object]) -> dict[str, Any]:
    """How pictures are read."""
    unknown = [name for name in asked if name not in _PICTURES]
    if unknown:
        raise ValueError(f"pictures: there is no {unknown[0]!r}; give some of {', '.join(_PICTURES)}")
    if "threshold" in asked and "levels" in asked:
        raise ValueError("pictures: threshold and levels are two ways to the same; give one of them")
    given: dict[str, Any] = dict(asked)
    found: dict[str, Any] = {name: given[name] for name in ("gray", "invert", "ignore", "ignore_as") if name in given}
    if "threshold" in given:
        found["levels"] = {"threshold": given["threshold"]}
    if "levels" in given:
        found["levels"] = {"equal": given["levels"]}
    for name, own in (("size", "size"), ("pad", "pad_to")):
        if name in given:
            height, width = given[name]
            found[own] = {"height": int(height), "width": int(width)}
    return found


def _from_one(name: str, count: Optional[int]) -> Optional[int]:
    if count is None:
        return None
    try:
        number = operator.index(count)
    except TypeError:
        raise TypeError(f"{name}={count!r}: give a whole number") from None
    if number < 1:
        raise ValueError(f"{name}={count}: give 1 or more")
    return number


def _number(name: str, value: Optional[float]) -> Optional[float]:
    if value is None:
        return None
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name}={value}: give a finite number")
    return number
