"""Distributions that are given by an energy, ``p(x) = exp(-E(x)) / Z``, and inference in them.

>>> import segre
>>> found = segre.energy.ising(3, 3).infer()
>>> found.exact, round(found.log_z, 3)
(True, 3.807)
"""

from __future__ import annotations

import json
import operator
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional, Union

import numpy as np

from segre import _segre
from segre._errors import SettingError
from segre._fit import finished, settings_of
from segre._frames import labels_of
from segre._model import Model
from segre._seed import Seed, seed_of
from segre._work import Progress, Watcher, warn

__all__ = ["EnergyModel", "Inference", "RandomizedFlow", "ising", "load_randomized", "potts", "read"]

#: What a fit of a randomised flow is asked beside its budget and seed.
_RANDOMIZED = ("settings", "objective", "draws", "rank", "end_time", "learning_rate")


@dataclass(frozen=True)
class Inference:
    """What is known of a model, in nats; None where the method does not know it.

    Attributes
    ----------
    log_z : float or None
    marginals : list of numpy.ndarray
        ``[states]`` of every variable.
    energy, entropy : float or None
    exact : bool
        Whether all is exact up to rounding.
    warnings : list of str
        What makes the values doubtful.
    report : dict
        Everything, as the command line's JSON has it.
    """

    log_z: Optional[float]
    marginals: list[np.ndarray]
    energy: Optional[float]
    entropy: Optional[float]
    exact: bool
    warnings: list[str]
    report: dict[str, Any]


class EnergyModel:
    """An energy of discrete variables; made by :func:`read`, :func:`ising` and :func:`potts`."""

    def __init__(self, source: str) -> None:
        self._inner = _segre.Energy(source)

    @property
    def cardinalities(self) -> list[int]:
        """States of each variable."""
        return self._inner.cardinalities()

    def energy(self, configuration: Sequence[int]) -> float:
        """``E(x)`` in nats, infinite where it is impossible."""
        return self._inner.energy([operator.index(state) for state in configuration])

    def infer(self, method: str = "auto", *, memory: int = 1 << 30, progress: Progress = None) -> Inference:
        """``log Z``, marginals, energy and entropy.

        Parameters
        ----------
        method : {"auto", "exact", "mean-field", "bp"}
            By default exact where that fits the memory, else belief propagation.
        memory : int
            Bytes that exact inference may take.

        Raises
        ------
        EnergyError
            If exact inference takes more, or no configuration is possible.
        """
        with Watcher(progress, "infer") as watcher:
            report = json.loads(self._inner.infer(method, memory, watcher))
        return Inference(
            log_z=report["log_z"],
            marginals=[np.asarray(marginal) for marginal in report["marginals"]],
            energy=report["energy"],
            entropy=report["entropy"],
            exact=report["exact"],
            warnings=report["warnings"],
            report=report,
        )

    def fit(
        self,
        *,
        time: Union[str, float, None] = None,
        steps: Optional[int] = None,
        seed: Seed = None,
        set: Optional[Mapping[str, object]] = None,
        data_free: bool = False,
        samples: Optional[int] = None,
        samples_from: Optional[str] = None,
        memory: int = 4 << 30,
        progress: Progress = None,
        on_interrupt: str = "return",
    ) -> Model:
        """Learns a model to sample from, whose prior is the energy where belief propagation can use it.

        Parameters
        ----------
        time, steps, seed, set, progress, on_interrupt
            See :func:`segre.fit`; 5 minutes by default.
        data_free : bool
            Learn from the energy alone, from rows that the network draws, weighted, while the temperature falls. Such a fit that
            is interrupted has no model yet.
        samples : int, optional
            Samples of the energy to learn from; by the number of variables if it is None.
        samples_from : str, optional
            ``"exact"``, ``"chain"`` or a file; exact ones by default where they fit the memory.
        memory : int
            Bytes that exact samples may take.

        Returns
        -------
        segre.Model
            Its rows are arrays: ``[rows, height, width]`` of a grid, ``[rows, variables]`` of a file's model.
        """
        if on_interrupt not in ("return", "raise"):
            raise ValueError(f"on_interrupt={on_interrupt!r}: give 'return' or 'raise'")
        if data_free and (samples is not None or samples_from is not None):
            raise ValueError("a fit with data_free=True takes no samples; leave samples and samples_from out")
        settings = settings_of(set, time, steps, seed)
        with Watcher(progress, "fit") as watcher:
            inner, stopped = self._inner.fit(settings, data_free, samples_from, samples, memory, watcher)
        return finished(Model._of(inner, "numpy", watcher.history), stopped, on_interrupt)

    def fit_randomized(
        self,
        *,
        time: Union[str, float, None] = None,
        steps: Optional[int] = None,
        seed: Seed = None,
        set: Optional[Mapping[str, object]] = None,
        samples: Optional[int] = None,
        samples_from: Optional[str] = None,
        memory: int = 4 << 30,
        out: Union[str, os.PathLike[str], None] = None,
        force: bool = False,
        progress: Progress = None,
        on_interrupt: str = "return",
    ) -> RandomizedFlow:
        """Learns a randomised assignment flow: a mixture of factorising distributions, one for each draw of the flow.

        Source: *Randomized Assignment Flows* (SSVM 2023).

        Parameters
        ----------
        time, steps, seed, progress, on_interrupt
            See :func:`segre.fit`.
        set : dict, optional
            ``settings`` (``"improved"`` or ``"published"``), ``objective``, ``draws``, ``rank``, ``end_time``, ``learning_rate``; see
            ``segre energy fit --help``.
        samples, samples_from, memory
            As in :meth:`fit`, for an objective that learns from samples.
        out : path, optional
            The folder to keep the run in; ``force`` replaces what is there.
        """
        if on_interrupt not in ("return", "raise"):
            raise ValueError(f"on_interrupt={on_interrupt!r}: give 'return' or 'raise'")
        asked = dict(set or {})
        unknown = [name for name in asked if name not in _RANDOMIZED]
        if unknown:
            raise SettingError(f"there is no {unknown[0]!r}; use {', '.join(_RANDOMIZED)}")
        if time is not None:
            asked["time"] = time if isinstance(time, str) else f"{float(time)}s"
        if steps is not None:
            asked["steps"] = operator.index(steps)
        number = seed_of(seed)
        if number is not None:
            asked["seed"] = number
        folder = None if out is None else os.fspath(out)
        with Watcher(progress, "fit") as watcher:
            inner, stopped = self._inner.fit_randomized(
                json.dumps(asked), samples_from, samples, memory, folder, force, watcher
            )
        if stopped is not None:
            if on_interrupt == "raise" or not isinstance(stopped, KeyboardInterrupt):
                raise stopped
            warn("the fit was interrupted; this is the flow so far")
        return RandomizedFlow(inner, 0 if number is None else number)

    def __reduce__(self) -> tuple[Any, ...]:
        return (EnergyModel, (self._inner.source,))

    def __repr__(self) -> str:
        return f"<segre.energy.EnergyModel {self._inner.source}, {len(self.cardinalities)} variables>"


class RandomizedFlow:
    """A randomised assignment flow; made by :meth:`EnergyModel.fit_randomized` and :func:`load_randomized`."""

    def __init__(self, inner: _segre.Randomized, seed: int) -> None:
        self._inner, self._seed = inner, seed

    def sample(self, n: int = 1, *, seed: Seed = None, progress: Progress = None) -> np.ndarray:
        """Draws ``n`` rows: ``[n, height, width]`` of a grid, ``[n, variables]`` of a file's model."""
        count, own = operator.index(n), seed_of(seed)
        if count < 0:
            raise ValueError(f"{count} rows cannot be drawn; give 0 or more")
        with Watcher(progress, "sample") as watcher:
            return labels_of(self._inner.sample(count, self._seed if own is None else own, watcher))

    def __repr__(self) -> str:
        return f"<segre.energy.RandomizedFlow, {self._inner.parameters()} parameters>"


def load_randomized(folder: Union[str, os.PathLike[str]]) -> RandomizedFlow:
    """Reads a randomised assignment flow from its folder, whether Python or the command line has written it."""
    return RandomizedFlow(_segre.Randomized.load(os.fspath(folder)), 0)


def read(path: Union[str, os.PathLike[str]]) -> EnergyModel:
    """Reads a model from a file: UAI networks (``.uai``), libDAI factor graphs (``.fg``)."""
    return EnergyModel(os.fspath(path))


def ising(rows: int, columns: int, **parameters: float) -> EnergyModel:
    """An Ising model on a grid.

    Without parameters that of Table 1 of *Randomized Assignment Flows* (SSVM 2023); with ``coupling``, ``field``, ``boundary`` or
    ``periodic=True`` one of these.
    """
    return EnergyModel(_grid("ising", rows, columns, parameters))


def potts(rows: int, columns: int, states: int = 3, **parameters: float) -> EnergyModel:
    """A Potts model on a grid, with the parameters of :func:`ising`."""
    return EnergyModel(_grid("potts", rows, columns, {"c": states, **parameters}))


def _grid(name: str, rows: int, columns: int, parameters: dict[str, float]) -> str:
    flags = [key if value is True else f"{key}={value}" for key, value in parameters.items() if value is not False]
    return ",".join([f"{name}:{rows}x{columns}", *flags])
