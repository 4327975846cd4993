"""Joint distributions of many discrete variables: tables, small pictures, label maps, sequences.

>>> import numpy as np, segre
>>> bits = np.random.default_rng(0).integers(0, 2, (500, 1)).repeat(3, axis=1)
>>> model = segre.fit(bits, steps=20, progress=False)
>>> model.sample(4).shape
(4, 3)

One module, four ideas: :func:`fit` learns a :class:`Model` from data, the model answers questions (``sample``, ``log_prob``,
``impute``, ``predict``, ``marginals``), a folder keeps it (``save``, :func:`load`; the command line's folders are the same),
and :mod:`segre.energy` infers in distributions that are given by an energy. Estimators for scikit-learn are in
:mod:`segre.sklearn`.
"""

from segre import energy
from segre._errors import (
    DataError,
    EnergyError,
    Error,
    FileError,
    FolderExistsError,
    SegreWarning,
    SettingError,
)
from segre._fit import evaluate, fit, load, quality
from segre._model import Model
from segre._report import Estimate, Evaluation, Quality
from segre._segre import __version__
from segre._work import set_threads

__all__ = [
    "DataError",
    "EnergyError",
    "Error",
    "Estimate",
    "Evaluation",
    "FileError",
    "FolderExistsError",
    "Model",
    "Quality",
    "SegreWarning",
    "SettingError",
    "__version__",
    "energy",
    "evaluate",
    "fit",
    "load",
    "quality",
    "set_threads",
]
