"""Distributions that are given by an energy, ``p(x) = exp(-E(x)) / Z``, and inference in them.

>>> import segre
>>> found = segre.energy.ising(3, 3).infer()
>>> found.exact, round(found.log_z, 3)
(True, 3.807)
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional, Union

import numpy as np

from segre import _segre
from segre._fit import finished, settings_of
from segre._model import Model
from segre._seed import Seed
from segre._work import Progress, Watcher

__all__ = ["EnergyModel", "Inference", "ising", "potts", "read"]


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
        return self._inner.energy([int(state) for state in configuration])

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

    def __reduce__(self) -> tuple[Any, ...]:
        return (EnergyModel, (self._inner.source,))

    def __repr__(self) -> str:
        return f"<segre.energy.EnergyModel {self._inner.source}, {len(self.cardinalities)} variables>"


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
