"""Odd values, by hand: what can be understood is right, what cannot is one clear exception that says what to do."""

from __future__ import annotations

import datetime
import decimal
import enum
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import segre

ROWS = 120
SMALL: dict[str, Any] = {
    "steps": 2,
    "seed": 0,
    "progress": False,
    "set": {"network.hidden": 8, "network.blocks": 1},
}


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


def beside(values: Any, rows: int = ROWS) -> pd.DataFrame:
    """A frame whose column `z` holds what is odd."""
    letter = np.random.default_rng(0).choice(["a", "b"], rows)
    return pd.DataFrame({"x": letter, "z": values})


def numbers(low: int, high: int, dtype: Any = np.int64) -> np.ndarray:
    return np.random.default_rng(1).integers(low, high, ROWS, dtype=dtype)


#: A column that can be learned, and the type that drawn rows have.
RIGHT: dict[str, tuple[Callable[[], Any], str]] = {
    "64 bits without a sign": (lambda: np.uint64(2**64 - 1) - numbers(0, 50, np.uint64), "uint64"),
    "the ends of 64 bits": (lambda: np.resize([-(2**63), 2**63 - 1], ROWS), "int64"),
    "half precision": (lambda: np.random.default_rng(0).integers(0, 9, ROWS).astype(np.float16) / 4, "float16"),
    "a time zone": (
        lambda: pd.Timestamp("2024-03-30", tz="Europe/Berlin") + pd.to_timedelta(numbers(0, 60), unit="h"),
        "Europe/Berlin]",
    ),
    "durations": (lambda: pd.to_timedelta(numbers(0, 900), unit="s"), "timedelta64"),
    "months": (lambda: pd.Series(pd.Timestamp("2020-01-05") + pd.to_timedelta(numbers(0, 900), unit="D")).dt.to_period("M"), "period[M]"),
    "categories with gaps": (lambda: pd.Categorical(np.resize(np.array([None, "u", "v"], object), ROWS)), "category"),
    "categories that are numbers": (lambda: pd.Categorical(numbers(0, 5)), "category"),
    "nothing but gaps": (lambda: np.full(ROWS, np.nan), "float64"),
    "one value": (lambda: ["q"] * ROWS, ""),
    "texts with a zero": (lambda: np.resize(["a\0b", "c"], ROWS), ""),
    "decimals": (lambda: [decimal.Decimal(int(k)) / 4 for k in numbers(0, 9)], "object"),
    "days as objects": (lambda: [datetime.date(2024, 1, 1 + int(k)) for k in numbers(0, 9)], "object"),
    "times of day": (lambda: [datetime.time(int(k)) for k in numbers(0, 24)], "object"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", RIGHT)
def test_odd_columns_come_back_as_they_were(name: str) -> None:
    make, kind = RIGHT[name]
    frame = beside(make())
    drawn = segre.fit(frame, **SMALL).sample(40, progress=False)
    assert drawn.dtypes["z"] == frame.dtypes["z"] and kind in str(drawn.dtypes["z"])
    known, seen = frame["z"].dropna(), drawn["z"].dropna()
    if frame["z"].nunique() <= 20:
        assert set(seen) <= set(known)
    else:
        assert seen.min() >= known.min() and seen.max() <= known.max()


#: A column that has no place, the exception, and what it must say.
WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "complex": (lambda: np.arange(ROWS) + 1j, "'z'"),
    "beyond 64 bits": (lambda: pd.Series([10**30 + k for k in range(ROWS)], dtype=object), "'z'.*convert"),
    "intervals": (lambda: pd.cut(np.random.default_rng(0).random(ROWS), 3), '"z".*leave it out'),
    "sparse": (lambda: pd.arrays.SparseArray(np.resize([0, 0, 1], ROWS)), "'z' is sparse.*astype"),
    "enumerations": (lambda: [Colour.RED, Colour.BLUE] * (ROWS // 2), "'z'.*convert"),
    "identifiers of bytes": (lambda: [uuid.UUID(int=k % 3) for k in range(ROWS)], "z"),
    "half a character": (lambda: pd.Series(["\ud800"] * ROWS, dtype=object), "'z'"),
    "sets": (lambda: [{1}] * ROWS, "z"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", WRONG)
def test_columns_without_a_place_are_named(name: str) -> None:
    make, said = WRONG[name]
    with pytest.raises(segre.DataError, match=said) as caught:
        segre.fit(beside(make()), **SMALL)
    assert caught.value.column == "z" and "\n" not in str(caught.value)


LETTERS = np.resize(["a", "b"], ROWS)

#: Other data, the exception, and what it must say.
REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "lists": (lambda: [[1, 2], [3, 4]], TypeError, "list is no frame"),
    "dicts of rows": (lambda: [{"a": 1}, {"a": 2}], TypeError, "list is no frame"),
    "a generator": (lambda: (row for row in [1]), TypeError, "generator is no frame"),
    "ragged columns": (lambda: {"a": [1, 2], "b": [1]}, segre.DataError, "differ in length: 'a' 2, 'b' 1"),
    "a number for a column": (lambda: {"a": 1}, segre.DataError, "'a' of the dict is no list"),
    "a text for a column": (lambda: {"a": "xyz"}, segre.DataError, "'a' of the dict is no list"),
    "a dict of a mixture": (lambda: {"a": [1, "x"]}, segre.DataError, "dict cannot be read"),
    "a name twice": (lambda: pd.DataFrame({1: LETTERS, "1": LETTERS}), segre.DataError, "both named"),
    "a union": (
        lambda: pa.table({"a": pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])])}),
        segre.DataError,
        "Union",
    ),
    "a map": (lambda: pa.table({"a": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64()))}), segre.DataError, "Map"),
    "objects of polars": (
        lambda: pl.DataFrame({"a": pl.Series([object()] * 3, dtype=pl.Object)}),
        segre.DataError,
        "no category, number or moment",
    ),
    "floating-point labels": (lambda: np.zeros((5, 2)) + 0.5, segre.DataError, "integers"),
    "gaps in labels": (lambda: np.ma.masked_array(np.ones((50, 2), np.uint8), mask=True), segre.DataError, "-1"),
    "2 rows": (lambda: beside(["u", "v"], 2), segre.DataError, "give more data"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", REFUSED)
def test_data_of_no_use_are_refused(name: str) -> None:
    make, kind, said = REFUSED[name]
    with pytest.raises(kind, match=said) as caught:
        segre.fit(make(), **SMALL)
    assert "\n" not in str(caught.value)


def test_what_is_masked_is_not_known() -> None:
    bits = np.random.default_rng(0).integers(0, 2, (200, 1)).repeat(3, axis=1).astype(np.uint8)
    small = {"training.conditional": "any", "network.hidden": 32, "network.blocks": 1}
    model = segre.fit(bits, steps=300, seed=0, progress=False, set=small)
    hidden = np.zeros(bits.shape, bool)
    hidden[:, 1] = True
    # Beneath the mask is the contrary.
    lying = np.ma.masked_array(np.where(hidden, 1 - bits, bits), mask=hidden)
    assert (model.impute(lying, progress=False) == bits).mean() > 0.95


Call = Callable[[segre.Model, pd.DataFrame], Any]

#: Arguments that make no sense, the exception, and what it must say.
ARGUMENTS: dict[str, tuple[Call, type[Exception], str]] = {
    "steps 2.5": (lambda _, rows: segre.fit(rows, steps=2.5), TypeError, "steps=2.5: give a whole number"),  # type: ignore[arg-type]
    "steps 2**70": (lambda _, rows: segre.fit(rows, steps=2**70), segre.SettingError, "training.steps"),
    "steps 0": (lambda _, rows: segre.fit(rows, steps=0), segre.Error, "steps is 0"),
    "time -1m": (lambda _, rows: segre.fit(rows, time="-1m"), segre.SettingError, "positive"),
    "time 2 fortnights": (lambda _, rows: segre.fit(rows, time="2 fortnights"), segre.SettingError, "units of time are s, m or h"),
    "time nan": (lambda _, rows: segre.fit(rows, time=float("nan")), segre.SettingError, "positive"),
    "time inf": (lambda _, rows: segre.fit(rows, time=float("inf")), segre.SettingError, "at most"),
    "time True": (lambda _, rows: segre.fit(rows, time=True), segre.SettingError, "number of seconds"),
    "time nothing": (lambda _, rows: segre.fit(rows, time=""), segre.SettingError, "write a time as"),
    "set text": (lambda _, rows: segre.fit(rows, set="network.hidden=8"), TypeError, "give a dict"),  # type: ignore[arg-type]
    "set pairs": (lambda _, rows: segre.fit(rows, set=[("seed", 1)]), TypeError, "give a dict"),  # type: ignore[arg-type]
    "columns_as list": (lambda _, rows: segre.fit(rows, columns_as=["x"]), TypeError, "give a dict"),  # type: ignore[arg-type]
    "columns_as unknown": (lambda _, rows: segre.fit(rows, columns_as={"q": "number"}), segre.DataError, '"q"'),
    "drop all": (lambda _, rows: segre.fit(rows, drop_columns=["x", "y"]), segre.DataError, "no columns are left"),
    "out is a file": (lambda _, rows: segre.fit(rows, steps=1, out=__file__), segre.FolderExistsError, "exists"),
    "progress 3": (lambda model, _: model.sample(1, progress=3), TypeError, "progress=3"),  # type: ignore[arg-type]
    "sample 0": (lambda model, _: model.sample(0), ValueError, "give 1 or more"),
    "seed 1.0": (lambda model, _: model.sample(1, seed=1.0), TypeError, "whole number"),  # type: ignore[arg-type]
    "seed array": (lambda model, _: model.sample(1, seed=np.array([1, 2])), TypeError, "whole number"),  # type: ignore[arg-type]
    "given text": (lambda model, _: model.sample(1, given="x=a"), segre.Error, "x=a"),
    "given set": (lambda model, _: model.sample(1, given={"x"}), TypeError, "set is no frame"),
    "given number": (lambda model, _: model.sample(1, given={1: "a"}), segre.DataError, '"1" is no column'),
    "given range of words": (lambda model, _: model.sample(1, given={"x": "a..b"}), segre.DataError, "no order"),
    "given bytes": (lambda model, _: model.sample(1, given={"x": b"a"}), segre.DataError, "none of the 2 categories"),
    "no rows": (lambda model, rows: model.log_prob(rows.head(0)), segre.DataError, "no rows"),
    "predict list": (lambda model, rows: model.predict(rows, ["y"]), TypeError, "str"),  # type: ignore[arg-type]
    "threads 0": (lambda *_: segre.set_threads(0), ValueError, "cannot work"),
    "threads 10**9": (lambda *_: segre.set_threads(10**9), ValueError, "cannot work"),
    "threads 2.0": (lambda *_: segre.set_threads(2.0), TypeError, "integer"),  # type: ignore[arg-type]
    "energy of half a state": (lambda *_: segre.energy.ising(1, 2).energy([0.5, 1]), TypeError, "integer"),  # type: ignore[list-item]
    "energy of a text": (lambda *_: segre.energy.ising(1, 2).energy("01"), TypeError, "integer"),  # type: ignore[arg-type]
    "energy without a number": (lambda *_: segre.energy.ising(2, 2, coupling=float("nan")), segre.EnergyError, "coupling"),
    "energy of nothing": (lambda *_: segre.energy.ising(-1, 2), segre.EnergyError, "ROWSxCOLUMNS"),
    "energy of a colour": (lambda *_: segre.energy.ising(2, 2, colour=3), segre.EnergyError, "colour"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_that_make_no_sense(name: str, letters: pd.DataFrame, letters_model: segre.Model) -> None:
    call, kind, said = ARGUMENTS[name]
    with pytest.raises(kind, match=said) as caught:
        call(letters_model, letters)
    assert "\n" not in str(caught.value)
