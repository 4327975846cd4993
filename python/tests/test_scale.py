"""Work that is divided among processes: pools, joblib, Dask, Ray, and how often a model is pickled for it."""

from __future__ import annotations

import multiprocessing
import os
import warnings
from typing import Any, Optional

import joblib
import numpy as np
import pandas as pd
import pytest

import segre

PARTS = 8
WORKERS = 2

#: The one model of a worker.
_own: Optional[segre.Model] = None


def _keep(model: segre.Model) -> None:
    """What a worker begins with."""
    global _own
    _own = model


def _scored_by_own(part: pd.DataFrame) -> tuple[int, np.ndarray]:
    assert _own is not None
    return os.getpid(), _own.log_prob(part, progress=False)


def _scored(model: segre.Model, part: pd.DataFrame) -> tuple[int, np.ndarray]:
    return os.getpid(), model.log_prob(part, progress=False)


@pytest.fixture
def pickled(monkeypatch: pytest.MonkeyPatch) -> list[segre.Model]:
    """The models that this process has pickled."""
    found: list[segre.Model] = []
    state = segre.Model.__getstate__

    def counting(model: segre.Model) -> dict[str, Any]:
        found.append(model)
        return state(model)

    monkeypatch.setattr(segre.Model, "__getstate__", counting)
    return found


@pytest.mark.parametrize("how", ["pool", "joblib", "joblib by task"])
def test_how_often_a_model_is_pickled(
    how: str, letters: pd.DataFrame, letters_model: segre.Model, pickled: list[segre.Model]
) -> None:
    parts = [letters.iloc[start::PARTS] for start in range(PARTS)]
    wanted = [letters_model.log_prob(part, progress=False) for part in parts]
    beginning: dict[str, Any] = {"initializer": _keep, "initargs": (letters_model,)}
    divided: dict[str, Any] = {"n_jobs": WORKERS, "batch_size": 1}
    found: Any
    if how == "pool":
        with multiprocessing.get_context("spawn").Pool(WORKERS, **beginning) as pool:
            found = pool.map(_scored_by_own, parts, chunksize=1)
    elif how == "joblib":
        work = (joblib.delayed(_scored_by_own)(part) for part in parts)
        found = joblib.Parallel(**divided, **beginning)(work)
    else:
        work = (joblib.delayed(_scored)(letters_model, part) for part in parts)
        found = joblib.Parallel(**divided)(work)
    # A model that the workers begin with is pickled for each of them, one that tasks are given for each of these.
    assert len(pickled) == (PARTS if how == "joblib by task" else WORKERS)
    assert os.getpid() not in {process for process, _ in found}
    assert all(np.array_equal(own, scores) for own, (_, scores) in zip(wanted, found, strict=True))


def test_dask_takes_partitions(letters: pd.DataFrame, letters_model: segre.Model, pickled: list[segre.Model]) -> None:
    dask = pytest.importorskip("dask.dataframe", reason="Dask is not installed: pip install 'dask[dataframe]'")

    def scored(part: pd.DataFrame) -> Any:
        return pd.Series(letters_model.log_prob(part, progress=False), index=part.index)

    def filled(part: pd.DataFrame) -> Any:
        return letters_model.impute(part, method="map", progress=False)

    divided = dask.from_pandas(letters, npartitions=PARTS)
    scores = divided.map_partitions(scored, meta=("log_prob", "f8")).compute(scheduler="threads")
    size = len(letters) // PARTS
    parts = [letters.iloc[start : start + size] for start in range(0, len(letters), size)]
    wanted = [letters_model.log_prob(part, progress=False) for part in parts]
    assert scores.index.equals(letters.index) and np.array_equal(scores, np.concatenate(wanted))
    holes = dask.from_pandas(letters[["x"]], npartitions=PARTS)
    whole = holes.map_partitions(filled, meta=letters.head(0)).compute(scheduler="threads")
    assert whole.index.equals(letters.index) and (whole["x"] == whole["y"]).mean() > 0.9
    # Dask pickles a function to name it, not for every partition: threads have the model itself.
    assert len(pickled) <= 4 < PARTS


def test_ray_takes_batches(letters: pd.DataFrame, letters_model: segre.Model, pickled: list[segre.Model]) -> None:
    ray = pytest.importorskip("ray.data", reason="Ray is not installed: pip install 'ray[data]'")
    import ray as core

    # A class of this module would not be found by workers, which do not have it.
    class Scorer:
        def __init__(self, model: segre.Model) -> None:
            self._model = model

        def __call__(self, part: pd.DataFrame) -> pd.DataFrame:
            return part.assign(log_prob=self._model.log_prob(part, progress=False))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        core.init(num_cpus=WORKERS, include_dashboard=False, log_to_driver=False)
        try:
            rows = ray.from_pandas(letters).map_batches(
                Scorer, fn_constructor_args=(letters_model,), batch_format="pandas", batch_size=50, concurrency=WORKERS
            )
            scored = rows.to_pandas()
        finally:
            core.shutdown()
    assert len(scored) == len(letters) and scored["log_prob"].mean() == pytest.approx(
        letters_model.log_prob(letters, progress=False).mean(), abs=0.05
    )
    assert len(pickled) <= WORKERS
