"""Fits and models of data."""

from __future__ import annotations

import copy
import json
import os
import tempfile
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Optional, Union

import numpy as np

from segre import _segre
from segre._errors import SegreWarning
from segre._frames import Frame, from_library, kind_of, texts_of, to_library
from segre._work import Progress, Watcher, require_threads

Seed = Union[int, np.random.Generator, None]
"""A seed, or a generator of NumPy's that one is drawn from."""

_SEEDS = 2**63


class Estimate(NamedTuple):
    """An estimated number with its Monte Carlo error."""

    value: float
    std_error: float
    samples: int


def _seed(seed: Seed) -> Optional[int]:
    if isinstance(seed, np.random.Generator):
        return int(seed.integers(_SEEDS))
    if seed is None:
        return None
    number = int(seed)
    if number < 0:
        raise ValueError(f"seed {seed} is negative; give a number from 0 on")
    return number


def fit(
    data: Frame,
    *,
    time: Union[str, float, None] = None,
    steps: Optional[int] = None,
    seed: Seed = None,
    out: Union[str, os.PathLike[str], None] = None,
    force: bool = False,
    resume: bool = False,
    set: Optional[Mapping[str, object]] = None,
    recipe: Union[str, os.PathLike[str], None] = None,
    columns: Optional[Iterable[str]] = None,
    drop_columns: Iterable[str] = (),
    columns_as: Optional[Mapping[str, str]] = None,
    missing: str = "category",
    progress: Progress = None,
    on_interrupt: str = "return",
) -> Model:
    """Learns the joint distribution of data.

    Parameters
    ----------
    data
        A pandas or polars frame, a pyarrow table, a DuckDB relation or anything else with ``__arrow_c_stream__``; an integer
        NumPy array ``[rows, ...]``, of which ``[rows, height, width]`` are pictures; the path of a file, or a built-in's name.
    time : str or float, optional
        Wall time of training: ``"90s"``, ``"10m"``, ``"1h"`` or seconds.
    steps : int, optional
        Steps of training. A fit that is limited by steps alone repeats exactly, here and on the command line.
    seed : int or numpy.random.Generator, optional
        Of everything random.
    out : path, optional
        The folder to keep the run in; what the command line reads, and goes on with.
    force, resume : bool
        Whether what is in ``out`` is replaced; whether the run there goes on.
    set : dict, optional
        Settings of a recipe, as ``{"network.hidden": 64, "training.conditional": "any"}``.
    recipe : path, optional
        A file of settings; ``set`` goes before it.
    columns, drop_columns : list of str
        The only columns to read; columns to leave out.
    columns_as : dict, optional
        What columns hold where it is not to be found out: ``"category"``, ``"number"``, ``"date"`` or ``"leave-out"``.
    missing : {"category", "drop"}
        Whether missing fields are a category of their own, or their rows are left out.
    progress : bool or callable, optional
        Whether a bar is shown; by default where somebody looks. A function is called with a dictionary: task, fraction, event.
    on_interrupt : {"return", "raise"}
        What Ctrl-C does: return the model so far, with a warning, or raise KeyboardInterrupt.

    Returns
    -------
    Model

    Raises
    ------
    DataError, SettingError, FileError, FolderExistsError
        Before anything is learned.
    """
    if on_interrupt not in ("return", "raise"):
        raise ValueError(f"on_interrupt={on_interrupt!r}: give 'return' or 'raise'")
    if missing not in ("category", "drop"):
        raise ValueError(f"missing={missing!r}: give 'category' or 'drop'")
    settings = [f"{name}={_setting(value)}" for name, value in (set or {}).items()]
    if time is not None:
        settings.append(f"training.time={_setting(time)}")
    if steps is not None:
        settings.append(f"training.steps={int(steps)}")
    number = _seed(seed)
    if number is not None:
        settings.append(f"seed={number}")
    reading = {
        "missing": {"category": "category", "drop": "drop_rows"}[missing],
        "drop_columns": [str(name) for name in drop_columns],
        "only_columns": None if columns is None else [str(name) for name in columns],
    }
    text = None if recipe is None else (Path(recipe).read_text(encoding="utf-8"), os.fspath(recipe))
    with Watcher(progress, "fit") as watcher:
        inner, stopped = _segre.fit(
            to_library(data),
            settings,
            text,
            json.dumps(reading),
            {str(name): kind for name, kind in (columns_as or {}).items()},
            out,
            force,
            resume,
            watcher,
        )
    model = Model._of(inner, kind_of(data))
    for note in model._facts["notes"]:
        warnings.warn(note, SegreWarning, stacklevel=2)
    for column in model._facts["left_out"]:
        warnings.warn(f"column {column['name']!r} is left out: {column['why']}", SegreWarning, stacklevel=2)
    if stopped is not None:
        if on_interrupt == "raise" or not isinstance(stopped, KeyboardInterrupt):
            raise stopped
        warnings.warn("the fit was interrupted; this is the model so far", SegreWarning, stacklevel=2)
    return model


def _setting(value: object) -> str:
    """A value as a recipe has it."""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_setting(one) for one in value) + "]"
    return str(value)


def load(folder: Union[str, os.PathLike[str]]) -> Model:
    """Reads a model from its folder, whether Python, Rust or the command line has written it.

    Raises
    ------
    Error
        If the folder holds no model of data, or a file of it is damaged.
    """
    return Model.load(folder)


class Model:
    """A joint distribution that was learned; made by :func:`fit` and :func:`load`.

    What it returns is of the kind that came in: pandas frames of a pandas frame, arrays of an array. A model from a folder
    gives pandas frames, or polars frames or Arrow tables where pandas is not installed.
    """

    _inner: _segre.Fitted
    _kind: str
    _facts: dict[str, Any]

    def __init__(self) -> None:
        raise TypeError("models are made by segre.fit and segre.load")

    @classmethod
    def _of(cls, inner: _segre.Fitted, kind: str) -> Model:
        model = object.__new__(cls)
        model._inner, model._kind = inner, kind
        model._facts = json.loads(inner.describe())
        return model

    @classmethod
    def load(cls, folder: Union[str, os.PathLike[str]]) -> Model:
        """See :func:`segre.load`."""
        require_threads()
        return cls._of(_segre.load(os.fspath(folder)), "")

    def save(self, folder: Union[str, os.PathLike[str]]) -> None:
        """Stores the model in a new folder, which the command line reads too.

        Raises
        ------
        FolderExistsError
            If the folder is there.
        """
        self._inner.save(os.fspath(folder))

    @property
    def columns(self) -> list[str]:
        """Names of the columns, of arrays those of their sites."""
        return [column["name"] for column in self._facts["columns"]]

    @property
    def left_out(self) -> dict[str, str]:
        """Columns of the data that are no part of the model, and why."""
        return {column["name"]: column["why"] for column in self._facts["left_out"]}

    @property
    def settings(self) -> dict[str, Any]:
        """What was decided about network and training."""
        return {"network": self._facts["network"], "training": self._facts["training"]}

    def sample(
        self,
        n: int = 1,
        *,
        given: Optional[Mapping[str, object]] = None,
        seed: Seed = None,
        progress: Progress = None,
    ) -> Any:
        """Draws rows.

        Parameters
        ----------
        n : int
            How many.
        given : dict, optional
            Values of some columns: all rows have them, and the others are drawn given them.
        seed : int or numpy.random.Generator, optional
            That of the fit by default, so that two calls draw the same rows.

        Returns
        -------
        A frame of ``n`` rows with the columns' own types, or an array ``[n, ...]``.
        """
        count = int(n)
        if count < 0:
            raise ValueError(f"{n} rows cannot be drawn; give 0 or more")
        with Watcher(progress, "sample") as watcher:
            if given is None:
                rows = self._inner.sample(count, _seed(seed), watcher)
            else:
                gaps = self._inner.given(texts_of(given))
                rows = self._inner.complete(gaps, count, _seed(seed), watcher)
        return from_library(rows, self._kind)

    def log_prob(self, data: Frame, *, progress: Progress = None) -> np.ndarray:
        """Log-probability of every row in nats: a lower bound whose error is estimated by :meth:`score`.

        Of a table with numbers it is that of the numbers as they are written, whole multiples of the column's last decimal.

        Returns
        -------
        numpy.ndarray of shape ``[rows]``
        """
        nats, _, within, _, _ = self._scores(data, progress)
        return self._with_cells(nats, within)

    def score(self, data: Frame, *, progress: Progress = None) -> Estimate:
        """Mean log-probability of the rows in nats, with its Monte Carlo error (not that of drawing the rows)."""
        nats, _, within, (_, std_error, samples), _ = self._scores(data, progress)
        return Estimate(float(self._with_cells(nats, within).mean()), std_error, samples)

    def bits_per_dim(self, data: Frame, *, progress: Progress = None) -> float:
        """Mean score of the rows in bits per dimension, lower is better, as the command line prints it."""
        return self._scores(data, progress)[4]

    def _scores(
        self, data: Frame, progress: Progress
    ) -> tuple[list[float], list[float], list[float], tuple[float, float, int], float]:
        with Watcher(progress, "score") as watcher:
            return self._inner.scores(to_library(data), False, watcher)

    @staticmethod
    def _with_cells(nats: list[float], within: list[float]) -> np.ndarray:
        log_prob = -np.asarray(nats)
        return log_prob + np.asarray(within) if within else log_prob

    def impute(
        self,
        data: Frame,
        *,
        draws: int = 1,
        method: str = "sample",
        seed: Seed = None,
        progress: Progress = None,
    ) -> Any:
        """Fills in what is missing: null, NaN, columns that are not there; of arrays elements that are -1 or NaN.

        Parameters
        ----------
        draws : int
            Draws of every row, side by side: row ``r`` is at ``r * draws`` and the following.
        method : {"sample", "map", "mean"}
            All that is missing of a row drawn together; or each field by itself at its most probable value, a number at its
            median; or the same with numbers at their mean.

        Returns
        -------
        A frame or array of the kind of ``data``, ``rows * draws`` long.
        """
        if method not in ("sample", "map", "mean"):
            raise ValueError(f"method={method!r}: give 'sample', 'map' or 'mean'")
        if draws < 1 or (method != "sample" and draws != 1):
            raise ValueError(f"draws={draws}: give 1 or more, and 1 where nothing is drawn")
        with Watcher(progress, "impute") as watcher:
            gaps = self._inner.gaps(to_library(data), False)
            rows = self._inner.fill(gaps, method, draws, _seed(seed), watcher)
        return from_library(rows, kind_of(data) or self._kind, data)

    def predict_proba(self, data: Frame, column: str, *, progress: Progress = None) -> Any:
        """Probabilities of a column's categories in every row, given the other columns.

        What the rows say of the column itself is not looked at. Of a column of numbers the categories are intervals.

        Returns
        -------
        A frame of the kind of ``data`` with a column for each category; of an array ``[rows, categories]``.
        """
        names, values = self._predict(data, column, progress)
        if kind_of(data) == "pandas":
            import pandas

            return pandas.DataFrame(values, columns=names, index=data.index)
        if kind_of(data) == "polars":
            import polars

            return polars.DataFrame(values, schema=names)
        return values

    def _predict(self, data: Frame, column: str, progress: Progress) -> tuple[list[str], np.ndarray]:
        with Watcher(progress, "predict") as watcher:
            gaps = self._inner.gaps(to_library(data), True)
            names, values = self._inner.predict(gaps, column, watcher)
        return names, np.asarray(values, dtype=np.float64).reshape(len(gaps), len(names))

    def marginals(
        self,
        given: Union[Mapping[str, object], Frame, None] = None,
        *,
        progress: Progress = None,
    ) -> dict[str, dict[str, np.ndarray]]:
        """Probability of every category of every column, each by itself, given what is known.

        Parameters
        ----------
        given : dict or frame
            Known values of one row, or rows with gaps.

        Returns
        -------
        dict
            For every column a dictionary from category to probabilities ``[rows]``.
        """
        with Watcher(progress, "marginals") as watcher:
            if given is None and self._facts["layout"] != "table":
                nothing = np.full((1, *self._facts["shape"]), -1)
                gaps = self._inner.gaps(to_library(nothing), False)
            elif given is None or isinstance(given, Mapping):
                gaps = self._inner.given(texts_of(given or {}))
            else:
                gaps = self._inner.gaps(to_library(given), False)
            found = self._inner.marginals(gaps, watcher)
        rows = len(gaps)
        return {
            site: dict(zip(names, np.asarray(numbers, dtype=np.float64).reshape(rows, len(names)).T, strict=True))
            for site, names, numbers in found
        }

    def evaluate(self, data: Frame = None, *, progress: Progress = None) -> dict[str, Any]:
        """Scores rows beside simple models that learned the same rows: bits per dimension, lower is better.

        Parameters
        ----------
        data : optional
            The rows; by default the test part of the model's own data, which it has not learned.
        """
        with Watcher(progress, "evaluate") as watcher:
            rows = None if data is None else to_library(data)
            report: dict[str, Any] = json.loads(self._inner.evaluate(rows, watcher))
        return report

    def __getstate__(self) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            self.save(Path(folder) / "model")
            files = {path.name: path.read_bytes() for path in (Path(folder) / "model").iterdir()}
        return {"files": files, "kind": self._kind}

    def __setstate__(self, state: dict[str, Any]) -> None:
        require_threads()
        with tempfile.TemporaryDirectory() as folder:
            for name, contents in state["files"].items():
                (Path(folder) / name).write_bytes(contents)
            self._inner = _segre.load(folder)
        self._kind = state["kind"]
        self._facts = json.loads(self._inner.describe())

    def __reduce__(self) -> tuple[Any, ...]:
        return (object.__new__, (type(self),), self.__getstate__())

    def __copy__(self) -> Model:
        # Nothing about a model changes.
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Model:
        model = type(self)._of(self._inner, self._kind)
        model._facts = copy.deepcopy(self._facts, memo)
        return model

    def __repr__(self) -> str:
        facts = self._facts
        what = f"{len(facts['columns'])} columns" if facts["layout"] == "table" else f"{facts['layout']} {facts['shape']}"
        return f"<segre.Model of {what}, {facts['parameters']} parameters>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{_escape(column['name'])}</td><td>{_escape(column['kind'])}</td>"
            f"<td>{_escape(column['summary'] or _some(column['categories']))}</td></tr>"
            for column in self._facts["columns"][:30]
        )
        more = len(self._facts["columns"]) - 30
        note = f"<p>and {more} more columns</p>" if more > 0 else ""
        return (
            f"<p><b>segre.Model</b>, {self._facts['parameters']} parameters</p><table><thead><tr><th>column</th><th>holds</th>"
            f"<th>values</th></tr></thead><tbody>{rows}</tbody></table>{note}"
        )


def _some(categories: list[str]) -> str:
    more = ", …" if len(categories) > 8 else ""
    return f"{len(categories)}: {', '.join(categories[:8])}{more}"


def _escape(text: str) -> str:
    import html

    return html.escape(text)


def evaluate(model: Model, data: Frame = None, *, progress: Progress = None) -> dict[str, Any]:
    """See :meth:`Model.evaluate`."""
    return model.evaluate(data, progress=progress)
