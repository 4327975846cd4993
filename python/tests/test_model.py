"""What a model answers, and how it behaves as an object of Python."""

from __future__ import annotations

import copy
import json
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest

import segre


def test_scores_are_log_probabilities(letters: pd.DataFrame, letters_model: segre.Model) -> None:
    scores = letters_model.log_prob(letters, progress=False)
    mean = letters_model.score(letters, progress=False)
    assert scores.shape == (200,) and scores.mean() == pytest.approx(mean.value)
    # Two equal letters have one bit; all that a bound can do is lose some.
    assert -1.2 < mean.value < -0.6 and 0 < mean.std_error < 0.1
    wrong = pd.DataFrame({"x": ["a"], "y": ["b"]})
    assert letters_model.log_prob(wrong, progress=False)[0] < -2.0
    bits = letters_model.bits_per_dim(letters, progress=False)
    assert bits == pytest.approx(-mean.value / 2 / np.log(2))


def test_numbers_within_cells_count(table: pd.DataFrame, model: segre.Model) -> None:
    scores = model.log_prob(table, progress=False)
    assert np.isfinite(scores).all()
    assert scores.mean() < -model.bits_per_dim(table, progress=False)


def test_conditions(letters_model: segre.Model) -> None:
    rows = letters_model.sample(100, given={"x": "b"}, progress=False)
    assert len(rows) == 100 and set(rows["x"]) == {"b"}
    assert (rows["y"] == "b").mean() > 0.9
    chances = letters_model.marginals(given={"x": "a"}, progress=False)
    assert chances["y"]["a"][0] > 0.9
    assert sum(p[0] for p in chances["y"].values()) == pytest.approx(1.0)
    chances = letters_model.marginals(progress=False)
    assert 0.3 < chances["y"]["a"][0] < 0.7
    for given in ({"z": "a"}, {"x": "c"}):
        with pytest.raises(segre.DataError):
            letters_model.sample(1, given=given, progress=False)


def test_conditions_of_typed_columns(table: pd.DataFrame, model: segre.Model) -> None:
    given = {"many": 40, "truth": True, "day": pd.Timestamp("2024-03-01"), "few": np.int64(2), "nullable": 7.0}
    rows = model.sample(5, given=given, progress=False)
    assert (rows["many"] == 40).all() and rows["truth"].all() and (rows["few"] == 2).all()
    assert (rows["day"] == pd.Timestamp("2024-03-01")).all() and (rows["nullable"] == 7).all()
    with pytest.raises(segre.DataError) as caught:
        model.sample(1, given={"many": "lots"}, progress=False)
    assert (caught.value.column, caught.value.value) == ("many", "lots")


def test_predictions_and_imputation(letters: pd.DataFrame, letters_model: segre.Model) -> None:
    asked = letters[["x"]].head(10)
    chances = letters_model.predict_proba(asked, "y", progress=False)
    assert list(chances.columns) == ["a", "b"] and np.allclose(chances.sum(axis=1), 1.0)
    assert (chances.idxmax(axis=1) == asked["x"]).all()
    drawn = letters_model.impute(asked, draws=20, progress=False)
    assert len(drawn) == 200 and (drawn["y"] == drawn["x"]).mean() > 0.9
    likely = letters_model.impute(asked, method="map", progress=False)
    assert (likely["y"] == asked["x"]).all()
    with pytest.raises(segre.DataError, match="columns"):
        letters_model.predict_proba(asked, "z", progress=False)


def test_seeds(letters: pd.DataFrame, letters_model: segre.Model) -> None:
    def draw(seed: Any) -> pd.DataFrame:
        rows: pd.DataFrame = letters_model.sample(50, seed=seed, progress=False)
        return rows

    assert draw(1).equals(draw(1)) and not draw(1).equals(draw(2))
    assert draw(np.random.default_rng(3)).equals(draw(np.random.default_rng(3)))
    assert draw(np.random.RandomState(3)).equals(draw(np.random.RandomState(3)))
    for wrong, said in ((-1, "negative"), (2**64, "too large")):
        with pytest.raises(ValueError, match=said):
            draw(wrong)
    for no_number in (1.5, "1", [1]):
        with pytest.raises(TypeError, match="whole number"):
            draw(no_number)


def test_models_are_kept_and_copied(letters: pd.DataFrame, letters_model: segre.Model, tmp_path: Path) -> None:
    letters_model.save(tmp_path / "m")
    with pytest.raises(FileExistsError):
        letters_model.save(tmp_path / "m")
    copies = [
        segre.load(tmp_path / "m"),
        pickle.loads(pickle.dumps(letters_model)),
        copy.deepcopy(letters_model),
        copy.copy(letters_model),
    ]
    wanted = letters_model.sample(30, progress=False)
    for other in copies:
        assert other.sample(30, progress=False).equals(wanted)
        assert other.columns == ["x", "y"]
    with pytest.raises(segre.Error, match="not a model folder"):
        segre.load(tmp_path)
    (tmp_path / "m" / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(segre.Error):
        segre.load(tmp_path / "m")


def test_evaluation(letters_model: segre.Model, letters: pd.DataFrame) -> None:
    report = segre.evaluate(letters_model, progress=False)
    assert report["rows"] == 20 and 0.0 < report["bits_per_dim"] < 0.8
    assert report["bits_per_dim"] < report["baselines"]["independent"]
    assert segre.evaluate(letters_model, letters, progress=False)["rows"] == 200
    loaded = pickle.loads(pickle.dumps(letters_model))
    with pytest.raises(segre.Error, match="with_data"):
        # The rows of its fit were in memory.
        loaded.evaluate(progress=False)
    assert loaded.with_data(letters).evaluate(progress=False) == report
    with pytest.raises(segre.Error, match="changed"):
        loaded.with_data(letters.head(150))


def test_left_out_columns_are_warned_of() -> None:
    frame = pd.DataFrame({"id": range(100), "x": ["a", "b"] * 50})
    with pytest.warns(segre.SegreWarning, match="'id' is left out"):
        model = segre.fit(frame, steps=2, progress=False)
    assert model.columns == ["x"] and list(model.left_out) == ["id"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = segre.fit(frame, steps=2, columns_as={"id": "number"}, progress=False)
    assert model.columns == ["id", "x"]
    assert len(model.log_prob(frame, progress=False)) == 100


def test_settings(letters: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text("[network]\nhidden = 16\nblocks = 1\n")
    model = segre.fit(letters, steps=2, recipe=tmp_path / "r.toml", set={"network.blocks": 2}, progress=False)
    assert model.settings["network"]["hidden"] == 16
    for wrong in ({"network.width": 3}, {"network.hidden": "big"}, {"path.kind": "straight"}):
        with pytest.raises(segre.SettingError):
            segre.fit(letters, steps=2, set=wrong, progress=False)
    with pytest.raises(segre.SettingError, match="5d"):
        segre.fit(letters, time="5d", progress=False)
    with pytest.raises(ValueError, match="on_interrupt"):
        segre.fit(letters, steps=1, on_interrupt="stop", progress=False)


def test_progress_is_told(letters: pd.DataFrame) -> None:
    told: list[dict[str, Any]] = []
    segre.fit(letters, steps=40, progress=told.append)
    kinds = {one["event"]["kind"] for one in told}
    assert "validation" in kinds and all(0 <= one["fraction"] <= 1 for one in told)

    def broken(_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        segre.fit(letters, steps=40, progress=broken)


def test_the_lock_is_released(letters: pd.DataFrame) -> None:
    count, done = 0, threading.Event()

    def work() -> None:
        segre.fit(letters, time=2, progress=False)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    while not done.is_set():
        count += 1
        time.sleep(0.01)
    thread.join()
    assert count > 20


INTERRUPTED = """
import sys, time, threading, os, signal, warnings
import numpy as np, segre
rows = np.random.default_rng(0).integers(0, 2, (2000, 6))
threading.Timer(4.0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
start = time.monotonic()
try:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model = segre.fit(rows, time="10m", progress=False, on_interrupt=sys.argv[1])
    print("returned", len(model.sample(5, progress=False)), [str(one.message) for one in said])
except KeyboardInterrupt:
    print("raised")
print("after", time.monotonic() - start)
"""


@pytest.mark.parametrize("how", ["return", "raise"])
def test_ctrl_c_ends_a_fit(how: str) -> None:
    command = [sys.executable, "-c", INTERRUPTED, how]
    said = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    assert said.startswith("returned 5" if how == "return" else "raised"), said
    assert how == "raise" or "interrupted" in said
    assert float(said.split()[-1]) < 10.0


def _mean(model: segre.Model, frame: pd.DataFrame) -> float:
    return float(model.log_prob(frame, progress=False).mean())


def test_other_processes(letters: pd.DataFrame, letters_model: segre.Model) -> None:
    wanted = _mean(letters_model, letters)
    found = joblib.Parallel(n_jobs=2)(joblib.delayed(_mean)(letters_model, letters) for _ in range(2))
    assert found == [wanted, wanted]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(_mean, (letters_model, letters)) == wanted


#: What a forked process has from its parent.
_OF_PARENT: list[segre.Model] = []


def _sample_of_parent() -> Any:
    return _OF_PARENT[-1].sample(1, progress=False)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_says_why_it_cannot_work(letters_model: segre.Model) -> None:
    letters_model.sample(1, progress=False)
    _OF_PARENT.append(letters_model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        with multiprocessing.get_context("fork").Pool(1) as pool:
            answer = pool.apply_async(_sample_of_parent)
            with pytest.raises(RuntimeError, match="spawn"):
                answer.get(timeout=60)


def test_threads_change_nothing(letters: pd.DataFrame, tmp_path: Path) -> None:
    files = []
    for threads in (1, 2, None):
        segre.set_threads(threads)
        segre.fit(letters, steps=20, seed=0, out=tmp_path / str(threads), progress=False)
        files.append((tmp_path / str(threads) / "model.safetensors").read_bytes())
    assert files[0] == files[1] == files[2]
    with pytest.raises(ValueError, match="threads"):
        segre.set_threads(0)


def test_forms(letters_model: segre.Model) -> None:
    assert "2 columns" in repr(letters_model)
    assert "<table>" in letters_model._repr_html_()
    with pytest.raises(TypeError, match="segre.fit"):
        segre.Model()


def test_energies(tmp_path: Path) -> None:
    energy = segre.energy.ising(3, 8)
    found = energy.infer()
    assert found.exact and len(found.marginals) == 24
    approximate = energy.infer("mean-field")
    assert found.log_z is not None and approximate.log_z is not None and approximate.log_z <= found.log_z
    potts = segre.energy.potts(2, 2, states=2, coupling=0.0)
    assert potts.infer("exact").log_z == pytest.approx(4 * np.log(2))
    assert potts.energy([0, 1, 0, 1]) == 0.0
    (tmp_path / "m.uai").write_text("MARKOV\n1\n2\n1\n1 0\n2\n 1.0 3.0\n")
    assert segre.energy.read(tmp_path / "m.uai").infer().marginals[0] == pytest.approx([0.25, 0.75])
    assert pickle.loads(pickle.dumps(energy)).cardinalities == [2] * 24
    with pytest.raises(segre.Error):
        segre.energy.ising(0, 3)
    with pytest.raises(segre.Error):
        segre.energy.read(tmp_path / "no.uai")
    with pytest.raises(ValueError, match="method"):
        energy.infer("magic")


def test_folders_of_runs(letters: pd.DataFrame, tmp_path: Path) -> None:
    out = tmp_path / "run"
    segre.fit(letters, steps=10, seed=0, out=out, progress=False)
    settings = json.loads((out / "config.json").read_text())
    assert settings["kind"] == "data"
    with pytest.raises(segre.FolderExistsError, match="resume"):
        segre.fit(letters, steps=10, out=out, progress=False)
    segre.fit(letters, steps=20, out=out, resume=True, progress=False)
    segre.fit(letters, steps=10, seed=0, out=out, force=True, progress=False)


