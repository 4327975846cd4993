"""Calls that make no sense: one exception each, and the interpreter lives on. More frames are in `test_frames.py`."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import segre
from segre import _segre

Call = Callable[[segre.Model, pd.DataFrame], Any]


class Lying:
    """Says that it has an Arrow stream."""

    def __init__(self, answer: object) -> None:
        self._answer = answer

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def _used_up() -> Any:
    """A stream that has been read."""
    reader = pa.table({"x": ["a"], "y": ["a"]}).to_reader()
    reader.read_all()
    return reader


def _taken() -> Lying:
    """A capsule that another reader has emptied."""
    capsule = pa.table({"x": ["a"], "y": ["a"]}).__arrow_c_stream__()
    pa.table(Lying(capsule))
    return Lying(capsule)


def _breaks() -> Any:
    """A stream that fails after its first batch."""
    schema = pa.schema({"x": pa.string(), "y": pa.string()})

    def batches() -> Any:
        yield pa.record_batch({"x": ["a"], "y": ["a"]}, schema=schema)
        raise OSError("the disk is gone")

    return pa.RecordBatchReader.from_batches(schema, batches())


CALLS: dict[str, Call] = {
    "lying int": lambda model, _: model.log_prob(Lying(3)),
    "lying none": lambda model, _: model.log_prob(Lying(None)),
    "lying raises": lambda model, _: model.log_prob(Lying(ZeroDivisionError())),
    "capsule taken": lambda model, _: model.log_prob(_taken()),
    "stream used up": lambda model, _: model.log_prob(_used_up()),
    "stream breaks": lambda model, _: model.log_prob(_breaks()),
    "no columns": lambda model, rows: model.log_prob(rows[[]]),
    "missing column": lambda model, rows: model.log_prob(rows[["x"]]),
    "extra column": lambda model, rows: model.log_prob(rows.assign(z=1)),
    "other type": lambda model, rows: model.log_prob(rows.assign(x=1.5)),
    "null type": lambda model, _: model.log_prob(pa.table({"x": pa.nulls(3), "y": pa.nulls(3)})),
    "wrong array": lambda model, _: model.log_prob(np.zeros((3, 2, 2), int)),
    "negative": lambda model, _: model.log_prob(np.full((3, 2), -5)),
    "bytes": lambda model, _: model.log_prob(b"x"),
    "module": lambda model, _: model.log_prob(np),
    "class": lambda model, _: model.log_prob(pd.DataFrame),
    "model": lambda model, _: model.log_prob(model),
    "no file": lambda model, _: model.log_prob("no such file.csv"),
    "nul in path": lambda model, _: model.log_prob("a\0b"),
    "folder as file": lambda model, _: model.log_prob("/"),
    "sample -1": lambda model, _: model.sample(-1),
    "sample 2**70": lambda model, _: model.sample(2**70),
    "sample 1.5": lambda model, _: model.sample(1.5),  # type: ignore[arg-type]
    "sample text": lambda model, _: model.sample("3"),  # type: ignore[arg-type]
    "sample nan": lambda model, _: model.sample(float("nan")),  # type: ignore[arg-type]
    "given list": lambda model, _: model.sample(1, given=[("x", "a")]),
    "given nested": lambda model, _: model.sample(1, given={"x": [["a"]]}),
    "given unknown": lambda model, _: model.sample(1, given={"q": "a"}),
    "seed text": lambda model, _: model.sample(1, seed="x"),  # type: ignore[arg-type]
    "seed huge": lambda model, _: model.sample(1, seed=2**64),
    "progress raises": lambda _, rows: segre.fit(rows, steps=40, progress=lambda _: 1 / 0),
    "impute nothing": lambda model, _: model.impute(None),
    "draws 0": lambda model, rows: model.impute(rows, draws=0),
    "draws text": lambda model, rows: model.impute(rows, draws="2"),  # type: ignore[arg-type]
    "method": lambda model, rows: model.impute(rows, method="best"),
    "map draws": lambda model, rows: model.impute(rows, method="map", draws=3),
    "predict none": lambda model, rows: model.predict(rows, None),  # type: ignore[arg-type]
    "predict unknown": lambda model, rows: model.predict_proba(rows, "q"),
    "marginals": lambda model, _: model.marginals(3),
    "unseen": lambda model, rows: model.log_prob(rows, unseen="?"),
    "evaluate": lambda model, _: model.evaluate(3),
    "quality": lambda model, rows: model.quality(rows, target="q"),
    "with_data": lambda model, rows: model.with_data(rows[::-1].head(7)),
    "save nowhere": lambda model, _: model.save("/proc/segre/model"),
    "save none": lambda model, _: model.save(None),  # type: ignore[arg-type]
    "load none": lambda *_: segre.load(None),  # type: ignore[arg-type]
    "load file": lambda *_: segre.load(__file__),
    "unpickle nothing": lambda *_: object.__new__(segre.Model).__setstate__({"files": {}, "kind": "", "history": []}),
    "fitted": lambda *_: _segre.Fitted(),
    "data": lambda *_: _segre.Data(),
    "deepcopy of inner": lambda model, _: copy.deepcopy(model._inner),
    "pickle of inner": lambda model, _: pickle.dumps(model._inner),
    "empty frame": lambda model, rows: segre.fit(rows.head(0), steps=1),
    "one row": lambda model, rows: segre.fit(rows.head(1), steps=1),
    "steps -1": lambda model, rows: segre.fit(rows, steps=-1),
    "steps nan": lambda model, rows: segre.fit(rows, steps=float("nan")),  # type: ignore[arg-type]
    "time text": lambda model, rows: segre.fit(rows, time="soon"),
    "time negative": lambda model, rows: segre.fit(rows, time=-1),
    "set": lambda model, rows: segre.fit(rows, steps=1, set={"network": {}}),
    "set line": lambda model, rows: segre.fit(rows, steps=1, set={"a\nb": "c"}),
    "set huge": lambda model, rows: segre.fit(rows, steps=1, set={"network.hidden": 10**30}),
    "columns text": lambda model, rows: segre.fit(rows, steps=1, columns="x"),
    "columns none": lambda model, rows: segre.fit(rows, steps=1, columns=[]),
    "columns as": lambda model, rows: segre.fit(rows, steps=1, columns_as={"x": "thing"}),
    "recipe": lambda model, rows: segre.fit(rows, steps=1, recipe="no.toml"),
    "resume nothing": lambda model, rows: segre.fit(rows, steps=1, resume=True),
    "series": lambda model, rows: segre.fit(rows["x"], steps=1),
    "lazy frame": lambda model, rows: segre.fit(pl.from_pandas(rows).lazy(), steps=1),
    "object array": lambda model, rows: segre.fit(rows.to_numpy(), steps=1),
    "record array": lambda model, rows: segre.fit(np.zeros(5, [("a", int)]), steps=1),
    "energy": lambda *_: segre.energy.EnergyModel("ising:99999999x99999999"),
    "energy none": lambda *_: segre.energy.read(None),  # type: ignore[arg-type]
    "energy state": lambda *_: segre.energy.ising(2, 2).energy([0, 1, 2, 0]),
    "energy states": lambda *_: segre.energy.ising(2, 2).energy([]),
    "energy memory": lambda *_: segre.energy.ising(2, 2).infer(memory=-1),
    "threads": lambda *_: segre.set_threads(-3),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CALLS)
def test_a_hostile_call_is_one_exception(
    name: str, letters: pd.DataFrame, letters_model: segre.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # Not BaseException: a panic of Rust's is one.
    with pytest.raises(Exception) as caught:
        CALLS[name](letters_model, letters)
    assert not isinstance(caught.value, (MemoryError, RecursionError, SystemError)), caught.value
    assert "fault of Segre" not in str(caught.value), caught.value
    assert str(caught.value) or isinstance(caught.value, ZeroDivisionError)
    assert list(tmp_path.iterdir()) == []
