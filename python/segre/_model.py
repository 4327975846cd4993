"""A model of data, and what is asked of it."""

from __future__ import annotations

import json
import operator
import os
from collections.abc import Iterator, Mapping
from typing import Any, Optional, Union

import numpy as np

from segre import _plots, _segre
from segre._asked import drawing
from segre._batches import ROWS, batches_of
from segre._frames import Frame, from_library, joined, kind_of, labels_of, selected, texts_of, to_library
from segre._report import Evaluation, Quality
from segre._seed import Seed, seed_of
from segre._scored import Scored
from segre._work import Progress, Watcher, tell

#: What the library calls columns of numbers and of moments.
NUMBERS = ("numbers", "whole numbers")


class Model(Scored):
    """A joint distribution that was learned; made by :func:`fit` and :func:`load`.

    What it returns is of the kind that came in: pandas frames of a pandas frame, arrays of an array. A model from a folder
    gives pandas frames, or polars frames or Arrow tables where pandas is not installed.
    """

    def sample(
        self,
        n: int = 1,
        *,
        given: Union[Mapping[str, object], Frame, None] = None,
        label: Optional[str] = None,
        guidance: float = 1.0,
        sampler: Optional[str] = None,
        steps: Optional[int] = None,
        grid: Optional[str] = None,
        tolerance: Optional[float] = None,
        unseen: str = "error",
        seed: Seed = None,
        progress: Progress = None,
    ) -> Any:
        """Draws rows.

        Parameters
        ----------
        n : int
            How many.
        given : dict or frame, optional
            What is known of some columns, and the others are drawn given it: a value; a range, ``slice(30, 40)`` with both ends as
            pandas has it, ``range(30, 41)`` or ``"30..40"``; some values, ``["Rome", "Oslo"]`` or ``"Rome|Oslo"``. Of a frame with
            gaps ``n`` rows are drawn for every row, side by side.
        label : str, optional
            The class of all rows, of a model that was fitted with ``labels``; ``guidance`` above 1 makes them more typical of it and
            less diverse.
        sampler, grid : str, optional
            See ``segre sample --help``; by default what serves the model. So for ``steps`` of a sampler and the ``tolerance`` of
            ``"dormand-prince"``.
        unseen : {"error", "missing", "skip"}
            As in :meth:`log_prob`, of a frame that is given.
        seed : int or generator of numpy.random, optional
            That of the fit by default, so that two calls draw the same rows.

        Returns
        -------
        A frame of ``n`` rows with the columns' own types, or an array ``[n, ...]``.
        """
        count, settings = _count(n), drawing(sampler, steps, grid, tolerance)
        place = self._class_named(label, given)
        if label is None and guidance != 1.0:
            raise ValueError(f"guidance={guidance} is for a label; give one or leave guidance out")
        with Watcher(progress, "sample") as watcher:
            if given is None:
                rows = self._inner.sample(count, place, float(guidance), settings, seed_of(seed), watcher)
            else:
                self._require_conditionals()
                gaps = self._known(given) if isinstance(given, Mapping) else self._gaps(given, unseen)
                rows = self._inner.complete(gaps, count, settings, seed_of(seed), watcher)
        return self._drawn(rows, self._kind)

    def _class_named(self, label: Optional[str], given: object) -> Optional[int]:
        if label is None:
            return None
        if given is not None:
            raise ValueError("a label and what is given exclude each other; leave one of them out")
        classes = self._facts["classes"]
        if classes is None:
            raise ValueError(f"label={label!r}: the model was not told classes; fit one with labels=")
        if str(label) not in classes:
            raise ValueError(f"label={label!r} is none of the classes of the fit; use one of {', '.join(classes)}")
        return int(classes.index(str(label)))

    def _known(self, given: Mapping[str, object]) -> _segre.Gaps:
        """One row of what is given."""
        return self._inner.given(texts_of(given))

    @staticmethod
    def _drawn(rows: _segre.Rows, kind: str, like: object = None) -> Any:
        """Rows as a frame or array, with what is to be said of them."""
        tell(rows.notes())
        return from_library(rows, kind, like)

    def sample_batches(
        self,
        n: int,
        *,
        rows: int = ROWS,
        given: Optional[Mapping[str, object]] = None,
        sampler: Optional[str] = None,
        steps: Optional[int] = None,
        seed: Seed = None,
        progress: Progress = None,
    ) -> Iterator[Any]:
        """Draws ``n`` rows in batches of at most ``rows``: for more rows than memory holds.

        Every batch has a seed of its own, drawn from ``seed``, so the rows are others than those of :meth:`sample`.
        """
        count = _count(n)
        if rows < 1:
            raise ValueError(f"rows={rows}: give 1 or more")
        own = seed_of(seed)
        seeds = np.random.default_rng(self._facts["seed"] if own is None else own)
        parts = (min(rows, count - start) for start in range(0, count, rows))
        how: dict[str, Any] = {"given": given, "sampler": sampler, "steps": steps, "seed": seeds, "progress": progress}
        return (self.sample(part, **how) for part in parts)

    def _gaps(
        self, data: Frame, unseen: str, *, learned: bool = False, given: Optional[Mapping[str, object]] = None
    ) -> _segre.Gaps:
        """Rows with gaps in the model's columns, and what is given moreover.

        ``learned`` says whether a missing field is what it was in the fit's data.
        """
        gaps = self._inner.gaps(to_library(data), learned, unseen)
        tell(gaps.notes())
        return gaps if given is None else gaps.and_given(self._known(given))

    def impute(
        self,
        data: Frame,
        *,
        draws: int = 1,
        method: str = "sample",
        fill: str = "all",
        given: Optional[Mapping[str, object]] = None,
        sampler: Optional[str] = None,
        steps: Optional[int] = None,
        unseen: str = "error",
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
        fill : {"all", "missing"}
            Which missing fields are filled in: all, or those of columns that lacked nothing in the fit; in others a missing field
            is a value of its own and stays.
        given : dict, optional
            What moreover holds of every row where it does not say itself: values, ranges, some values, as in :meth:`sample`.
        sampler, steps : optional
            As in :meth:`sample`.
        unseen : {"error", "missing", "skip"}
            As in :meth:`log_prob`: values that are missing are filled in too.

        Returns
        -------
        A frame or array of the kind of ``data``, ``rows * draws`` long.
        """
        if method not in ("sample", "map", "mean"):
            raise ValueError(f"method={method!r}: give 'sample', 'map' or 'mean'")
        if draws < 1 or (method != "sample" and draws != 1):
            raise ValueError(f"draws={draws}: give 1 or more, and 1 where nothing is drawn")
        if fill not in ("all", "missing"):
            raise ValueError(f"fill={fill!r}: give 'all' or 'missing'")
        settings = drawing(sampler, steps, None, None)
        self._require_conditionals()
        with Watcher(progress, "impute") as watcher:
            gaps = self._gaps(data, unseen, learned=fill == "missing", given=given)
            rows = self._inner.fill(gaps, method, int(draws), settings, seed_of(seed), watcher)
        return self._drawn(rows, kind_of(data) or self._kind, data)

    def impute_batches(
        self,
        data: Frame,
        *,
        rows: int = ROWS,
        draws: int = 1,
        method: str = "sample",
        fill: str = "all",
        given: Optional[Mapping[str, object]] = None,
        unseen: str = "error",
        seed: Seed = None,
        progress: Progress = None,
    ) -> Iterator[Any]:
        """:meth:`impute` of data that need not fit into memory, as :meth:`log_prob_batches`; each batch with its own seed."""
        own = seed_of(seed)
        seeds = np.random.default_rng(self._facts["seed"] if own is None else own)
        how: dict[str, Any] = {"draws": draws, "method": method, "fill": fill, "given": given, "unseen": unseen}
        return (self.impute(batch, **how, seed=seeds, progress=progress) for batch in batches_of(data, rows))

    def predict(
        self,
        data: Frame,
        column: str,
        *,
        given: Optional[Mapping[str, object]] = None,
        unseen: str = "error",
        progress: Progress = None,
    ) -> Any:
        """Predicts a column of every row, given the other columns.

        What the rows say of the column itself is not looked at. ``given`` holds of every row where it does not say itself, as in
        :meth:`impute`.

        Returns
        -------
        A frame of the kind of ``data`` with the column as it is predicted: the most probable category. Of a column of numbers
        or dates the median, and further columns ``mean``, ``low`` and ``high``: between these two the middle 90 % of the
        probability lie. Of an array labels ``[rows]``.
        """
        found = self._predicted(data, column, unseen, progress, given)
        kind = kind_of(data) or self._kind
        if self._facts["layout"] != "table":
            labels = labels_of(found.column("median"))
            return labels.reshape(len(labels), -1)[:, self.columns.index(column)]

        def typed(what: str) -> Any:
            return selected(from_library(found.column(what), kind, data), column)

        frame = typed("median")
        if not found.is_number():
            return frame
        numbers = self._facts["columns"][self.columns.index(column)]["kind"] in NUMBERS
        means = np.frombuffer(found.means(), dtype=np.float64)
        return joined(
            frame,
            {
                _free("mean", column): means if numbers else typed("mean")[column],
                _free("low", column): typed("low")[column],
                _free("high", column): typed("high")[column],
            },
        )

    def prediction_report(
        self,
        data: Frame,
        column: str,
        *,
        given: Optional[Mapping[str, object]] = None,
        unseen: str = "error",
        progress: Progress = None,
    ) -> dict[str, Any]:
        """How good predictions of a column are, over the rows in which it is known.

        Returns
        -------
        dict
            ``rows``, ``known``, ``log_loss`` (nats), and ``accuracy``; of a column of numbers in its place ``numbers`` with
            ``rmse`` of the means, ``mae`` of the medians, ``r2``, and ``coverage``, the share within their intervals of 90 %.
        """
        report: dict[str, Any] = json.loads(self._predicted(data, column, unseen, progress, given).report())
        return report

    def predict_proba(
        self,
        data: Frame,
        column: str,
        *,
        given: Optional[Mapping[str, object]] = None,
        unseen: str = "error",
        progress: Progress = None,
    ) -> Any:
        """Probabilities of a column's categories in every row, given the other columns.

        What the rows say of the column itself is not looked at. Of a column of numbers the categories are intervals.

        Returns
        -------
        A frame of the kind of ``data`` with a column for each category; of an array ``[rows, categories]``.
        """
        names, values = self._chances(self._predicted(data, column, unseen, progress, given))
        if kind_of(data) == "pandas":
            import pandas

            return pandas.DataFrame(values, columns=names, index=data.index if len(data) == len(values) else None)
        if kind_of(data) == "polars":
            import polars

            return polars.DataFrame(values, schema=names)
        if kind_of(data) == "pyarrow":
            import pyarrow

            return pyarrow.table(list(values.T), names=names)
        return values

    def _predicted(
        self,
        data: Frame,
        column: str,
        unseen: str,
        progress: Progress,
        given: Optional[Mapping[str, object]] = None,
    ) -> _segre.Predicted:
        self._require_conditionals()
        with Watcher(progress, "predict") as watcher:
            return self._inner.predict(self._gaps(data, unseen, learned=True, given=given), column, watcher)

    @staticmethod
    def _chances(found: _segre.Predicted) -> tuple[list[str], np.ndarray]:
        """Categories, and their probabilities ``[rows, categories]``."""
        names = found.categories()
        return names, np.frombuffer(found.probabilities(), dtype=np.float32).reshape(-1, len(names)).astype(np.float64)

    def marginals(
        self,
        given: Union[Mapping[str, object], Frame, None] = None,
        *,
        unseen: str = "error",
        progress: Progress = None,
    ) -> dict[str, dict[str, np.ndarray]]:
        """Probability of every category of every column, each by itself, given what is known.

        Parameters
        ----------
        given : dict or frame
            What is known of one row, as in :meth:`sample`, or rows with gaps.

        Returns
        -------
        dict
            For every column a dictionary from category to probabilities ``[rows]``.
        """
        if given is not None:
            self._require_conditionals()
        with Watcher(progress, "marginals") as watcher:
            if given is None and self._facts["layout"] != "table":
                nothing = np.full((1, *self._facts["shape"]), -1)
                gaps = self._gaps(nothing, unseen)
            elif given is None or isinstance(given, Mapping):
                gaps = self._known(given or {})
            else:
                gaps = self._gaps(given, unseen)
            found = self._inner.marginals(gaps, watcher)
        rows = len(gaps)
        return {
            site: dict(
                zip(names, np.frombuffer(numbers, np.float32).reshape(rows, len(names)).T.astype(np.float64), strict=True)
            )
            for site, names, numbers in found
        }

    def evaluate(self, data: Frame = None, *, unseen: str = "error", progress: Progress = None) -> Evaluation:
        """Scores rows beside simple models that learned the same rows: bits per dimension, lower is better.

        Parameters
        ----------
        data : optional
            The rows; by default the test part of the model's own data, which it has not learned. A model from a folder or a
            pickle whose rows were in memory needs them again: :meth:`with_data`.
        """
        with Watcher(progress, "evaluate") as watcher:
            rows = None if data is None else to_library(data)
            report, notes = self._inner.evaluate(rows, unseen, watcher)
        tell(notes)
        return Evaluation(json.loads(report))

    def quality(
        self, synthetic: Frame = None, *, target: Optional[str] = None, seed: Seed = None, progress: Progress = None
    ) -> Quality:
        """Compares rows that the model draws, or other ``synthetic`` ones, with those that it has learned and the test part.

        See :func:`segre.quality`; as :meth:`evaluate` it needs the data of the fit.
        """
        with Watcher(progress, "quality") as watcher:
            rows = None if synthetic is None else to_library(synthetic)
            report = self._inner.quality(rows, target, seed_of(seed), watcher)
        return Quality(json.loads(report))

    def report(
        self, path: Union[str, os.PathLike[str], None] = None, *, title: str = "Segre", progress: Progress = None
    ) -> str:
        """A page about the model: scores, samples beside rows, quality, the course of the fit; one HTML file that needs nothing else.

        Like :meth:`evaluate` it needs the data of the fit.

        Parameters
        ----------
        path : optional
            Where the page is written.
        title : str
            Its heading.

        Returns
        -------
        str
            The page's HTML.
        """
        with Watcher(progress, "report") as watcher:
            page = self._inner.report(title, json.dumps(self._history), watcher)
        if path is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(page)
        return page

    def plot_training(self, ax: Any = None) -> Any:
        """Draws the course of the fit, bits per dimension of the validation rows by steps, into matplotlib's axes.

        It is known of a model that :func:`fit` has returned, of its pickles, and of a fit's folder (``out``).
        """
        return _plots.training(self._history, ax)

    def plot_samples(self, n: Optional[int] = None, *, real: Frame = None, seed: Seed = None) -> Any:
        """Draws samples: pictures beside each other, or the distributions of a table's columns (at most 12).

        Parameters
        ----------
        n : int, optional
            Samples; 16 pictures or 1000 rows by default.
        real : optional
            Rows whose distributions are drawn too.

        Returns
        -------
        matplotlib.figure.Figure
        """
        if len(self._facts["shape"]) == 2 and self._facts["layout"] != "table":
            states = max(len(column["categories"] or []) for column in self._facts["columns"])
            return _plots.pictures(self.sample(16 if n is None else n, seed=seed, progress=False), states)
        names = self.columns[: _plots.COLUMNS]
        columns = self._drawn_beside(real, names, 1000 if n is None else n, seed)
        return _plots.shapes(columns, ("drawn",) if real is None else ("real", "drawn"))

    def plot_pairs(
        self, real: Frame, *, columns: Optional[list[str]] = None, n: Optional[int] = None, seed: Seed = None
    ) -> Any:
        """Draws pairs of columns, real rows below the diagonal and as many samples above.

        Parameters
        ----------
        columns : list of str, optional
            At most 5; the first ones by default.
        n : int, optional
            Samples; as many as real rows, and at most 2000, by default.

        Returns
        -------
        matplotlib.figure.Figure
        """
        names = self.columns[: _plots.PAIRS] if columns is None else list(columns)
        if not 1 <= len(names) <= _plots.PAIRS:
            raise ValueError(f"{len(names)} columns: give 1 to {_plots.PAIRS}")
        unknown = [name for name in names if name not in self.columns]
        if unknown:
            raise ValueError(f"columns: the model has no column {unknown[0]!r}")
        return _plots.pairs(self._drawn_beside(real, names, n, seed), np.random.default_rng(0))

    def _drawn_beside(self, real: Frame, names: list[str], n: Optional[int], seed: Seed) -> list[_plots.Column]:
        """Columns of real rows, if there are some, and of samples."""
        kinds = {column["name"]: column["kind"] for column in self._facts["columns"]}
        tables = []
        if real is not None:
            # As the model reads them, so that columns and types are its own.
            gaps = self._gaps(real, "error", learned=True)
            tables.append(self._columns_of(self._inner.fill(gaps, "sample", 1, "{}", None, None)))
            n = min(2000, len(gaps)) if n is None else n
        count = _count(1000 if n is None else n)
        tables.append(self._columns_of(self._inner.sample(count, None, 1.0, "{}", seed_of(seed), None)))
        return [_plots.Column(name, kinds[name], [table[name] for table in tables]) for name in names]

    def _columns_of(self, rows: _segre.Rows) -> dict[str, Any]:
        if not rows.is_table():
            labels = labels_of(rows)
            return dict(zip(self.columns, labels.reshape(len(labels), -1).T))
        frame = from_library(rows, self._kind)
        return {name: frame[name] for name in self.columns}

def _count(n: int) -> int:
    count = operator.index(n)
    if count < 1:
        raise ValueError(f"{n} rows cannot be drawn; give 1 or more")
    return count


def _free(name: str, column: str) -> str:
    """A name that is not the column's."""
    return name if name != column else f"{name}_"
