"""A model's scores of rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Optional

import numpy as np

from segre._asked import names, scoring
from segre._batches import ROWS, batches_of
from segre._frames import Frame, to_library
from segre._report import Estimate
from segre._seed import Seed
from segre._stored import Stored
from segre._work import Progress, Watcher, tell, warn


class Scored(Stored):
    """How likely rows are."""

    def log_prob(
        self,
        data: Frame,
        *,
        given: Iterable[str] = (),
        method: Optional[str] = None,
        orders: Optional[int] = None,
        std_error: Optional[float] = None,
        max_rounds: Optional[int] = None,
        seed: Seed = None,
        unseen: str = "error",
        progress: Progress = None,
    ) -> np.ndarray:
        """Log-probability of every row in nats: a lower bound whose error is estimated by :meth:`score`.

        Of a table with numbers it is that of the numbers as they are written, whole multiples of the column's last decimal.

        Parameters
        ----------
        given : list of str
            Columns whose values are given: the score is that of the others given these.
        method : {"immse", "chain", "orders", "importance", "exact", "auto"}, optional
            Bound of the flow (the default), of the sequential sampler, the same over several ``orders`` of each row, which is
            tighter; ``"auto"`` is the tightest. See ``segre score --help``.
        orders : int, optional
            Orders of each row, 8 by default.
        std_error : float, optional
            Error of the mean to reach, bits per dimension, 0.003 by default, in at most ``max_rounds`` rounds (64).
        seed : int or generator of numpy.random, optional
            Of the noise; that of the fit by default.
        unseen : {"error", "missing", "skip"}
            What becomes of values that the fit has not seen: they are refused, count as missing, or their rows are left out
            (which then have no score: there are fewer than rows).

        Returns
        -------
        numpy.ndarray of shape ``[rows]``
        """
        how = self._how(given, method, orders, std_error, max_rounds, seed)
        return self._scores(data, how, unseen, progress)[0]

    def log_prob_batches(
        self,
        data: Frame,
        *,
        rows: int = ROWS,
        given: Iterable[str] = (),
        method: Optional[str] = None,
        orders: Optional[int] = None,
        std_error: Optional[float] = None,
        max_rounds: Optional[int] = None,
        seed: Seed = None,
        unseen: str = "error",
        progress: Progress = None,
    ) -> Iterator[np.ndarray]:
        """:meth:`log_prob` of data that need not fit into memory, a batch of at most ``rows`` rows after the other.

        Parameters
        ----------
        data
            A stream of Arrow (``pyarrow.RecordBatchReader``, a DuckDB relation, anything with ``__arrow_c_stream__``), a frame or
            an array, or an iterable of these, such as ``pandas.read_csv(path, chunksize=100_000)``.
        """
        how = self._how(given, method, orders, std_error, max_rounds, seed)
        return (self._scores(batch, how, unseen, progress)[0] for batch in batches_of(data, rows))

    def score(
        self,
        data: Frame,
        *,
        given: Iterable[str] = (),
        method: Optional[str] = None,
        orders: Optional[int] = None,
        std_error: Optional[float] = None,
        max_rounds: Optional[int] = None,
        seed: Seed = None,
        unseen: str = "error",
        progress: Progress = None,
    ) -> Estimate:
        """Mean log-probability of the rows in nats, with its Monte Carlo error (not that of drawing the rows).

        Settings are those of :meth:`log_prob`. Rows of a table with the column of weights that the model knows count by them.
        """
        how = self._how(given, method, orders, std_error, max_rounds, seed)
        whole = self._scores(data, how, unseen, progress)[1]
        return Estimate(whole["mean"], whole["std_error"], whole["samples"])

    def bits_per_dim(
        self,
        data: Frame,
        *,
        given: Iterable[str] = (),
        method: Optional[str] = None,
        orders: Optional[int] = None,
        std_error: Optional[float] = None,
        max_rounds: Optional[int] = None,
        seed: Seed = None,
        unseen: str = "error",
        progress: Progress = None,
    ) -> float:
        """Mean score of the rows in bits per dimension, lower is better, as the command line prints it; see :meth:`score`."""
        how = self._how(given, method, orders, std_error, max_rounds, seed)
        return float(self._scores(data, how, unseen, progress)[1]["bits_per_dim"])

    def _how(
        self,
        given: Iterable[str],
        method: Optional[str],
        orders: Optional[int],
        std_error: Optional[float],
        max_rounds: Optional[int],
        seed: Seed,
    ) -> str:
        known = names("given", given)
        if known or method in ("chain", "orders"):
            self._require_conditionals()
        return scoring(known, method, orders, std_error, max_rounds, seed)

    def _require_conditionals(self) -> None:
        if not self._facts["knows_conditionals"]:
            warn("this model was fitted without training.conditional = any, so its conditionals may be poor")

    def _scores(self, data: Frame, how: str, unseen: str, progress: Progress) -> tuple[np.ndarray, dict[str, Any]]:
        with Watcher(progress, "score") as watcher:
            nats, _, within, text = self._inner.scores(to_library(data), how, unseen, watcher)
        whole: dict[str, Any] = json.loads(text)
        tell(whole["notes"])
        log_prob = -np.frombuffer(nats, dtype=np.float64)
        return (log_prob + np.frombuffer(within, dtype=np.float64) if within else log_prob), whole
