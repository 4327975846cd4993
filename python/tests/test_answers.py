"""Predictions, values that were not seen, quality, batches, and models of energies."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import segre

SMALL: dict[str, object] = {"network.hidden": 32, "network.blocks": 1}


@pytest.fixture(scope="module")
def grown() -> pd.DataFrame:
    """A number that follows a letter, and a day that follows the number."""
    rng = np.random.default_rng(0)
    letter = rng.choice(["a", "b"], 400)
    size = np.where(letter == "a", 100, 300) + rng.integers(-20, 20, 400)
    return pd.DataFrame({"letter": letter, "size": size, "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(size, unit="D")})


@pytest.fixture(scope="module")
def grown_model(grown: pd.DataFrame) -> segre.Model:
    return segre.fit(grown, steps=300, seed=0, progress=False, set={"training.conditional": "any", **SMALL})


def test_numbers_are_predicted_with_intervals(grown: pd.DataFrame, grown_model: segre.Model) -> None:
    asked = grown[["letter", "size"]].set_index(pd.Index(range(50, 450)))
    found = grown_model.predict(asked[["letter"]], "size", progress=False)
    assert list(found.columns) == ["size", "mean", "low", "high"] and found.index.equals(asked.index)
    assert found["size"].dtype == grown["size"].dtype and found["mean"].dtype == np.float64
    assert ((found["low"] <= found["size"]) & (found["size"] <= found["high"])).all()
    assert abs(found["mean"] - np.where(asked["letter"] == "a", 100, 300)).max() < 25
    inside = (found["low"] <= asked["size"]) & (asked["size"] <= found["high"])
    report = grown_model.prediction_report(asked, "size", progress=False)
    assert report["numbers"]["coverage"] == pytest.approx(inside.mean()) and inside.mean() > 0.7
    rmse = np.sqrt(((found["mean"] - asked["size"]) ** 2).mean())
    assert report["numbers"]["rmse"] == pytest.approx(rmse) and report["numbers"]["r2"] > 0.9
    assert report["accuracy"] is None and report["known"] == 400


def test_days_are_predicted_as_days(grown: pd.DataFrame, grown_model: segre.Model) -> None:
    found = grown_model.predict(grown[["letter"]].head(30), "day", progress=False)
    assert [found[name].dtype for name in found.columns] == [grown["day"].dtype] * 4
    assert (found["low"] <= found["day"]).all() and (found["day"] <= found["high"]).all()


def test_categories_are_predicted(grown: pd.DataFrame, grown_model: segre.Model) -> None:
    asked = grown[["size", "letter"]]
    found = grown_model.predict(asked, "letter", progress=False)
    chances = grown_model.predict_proba(asked, "letter", progress=False)
    assert list(found.columns) == ["letter"]
    assert (found["letter"] == chances.idxmax(axis=1)).all()
    report = grown_model.prediction_report(asked, "letter", progress=False)
    assert report["accuracy"] == (found["letter"] == asked["letter"]).mean() > 0.95
    truth = np.where(asked["letter"] == "a", chances["a"], chances["b"])
    assert report["log_loss"] == pytest.approx(-np.log(truth).mean(), rel=1e-3)


@pytest.mark.parametrize("kind", ["polars", "pyarrow"])
def test_other_frames_are_predicted(grown: pd.DataFrame, grown_model: segre.Model, kind: str) -> None:
    wanted = grown_model.predict(grown.head(20), "size", progress=False)
    table = pa.Table.from_pandas(grown.head(20), preserve_index=False)
    asked: Any = table if kind == "pyarrow" else pl.DataFrame(table)
    found = grown_model.predict(asked, "size", progress=False)
    assert type(found) is type(asked)
    assert found.to_pandas().astype(float).equals(wanted.astype(float))
    assert type(grown_model.predict_proba(asked, "letter", progress=False)) is type(asked)


def test_sites_of_arrays_are_predicted() -> None:
    bits = np.random.default_rng(0).integers(0, 2, (300, 1)).repeat(3, axis=1)
    model = segre.fit(bits, steps=300, seed=0, progress=False, set={"training.conditional": "any", **SMALL})
    found = model.predict(bits[:20], model.columns[2], progress=False)
    assert found.shape == (20,) and (found == bits[:20, 2]).all()


def test_unseen_values(letters: pd.DataFrame, letters_model: segre.Model) -> None:
    other = pd.DataFrame({"x": ["a", "z", "b"], "y": ["a", "b", "b"]})
    with pytest.raises(segre.DataError, match="z") as caught:
        letters_model.log_prob(other, progress=False)
    assert (caught.value.column, caught.value.row, caught.value.value) == ("x", 1, "z")
    with pytest.warns(segre.SegreWarning, match='"z".*left out'):
        scores = letters_model.log_prob(other, unseen="skip", progress=False)
    assert len(scores) == 2
    with pytest.warns(segre.SegreWarning, match='"z".*missing'):
        filled = letters_model.impute(other, unseen="missing", progress=False)
    assert list(filled["x"][[0, 2]]) == ["a", "b"] and filled["x"][1] in ("a", "b")
    with pytest.warns(segre.SegreWarning):
        assert letters_model.predict(other, "y", unseen="missing", progress=False).shape == (3, 1)
    with pytest.warns(segre.SegreWarning):
        assert len(letters_model.predict_proba(other, "y", unseen="skip", progress=False)) == 2
    with pytest.raises(ValueError, match="unseen=.ignore"):
        letters_model.log_prob(other, unseen="ignore", progress=False)


def test_warnings_point_to_whoever_called(letters_model: segre.Model) -> None:
    other = pd.DataFrame({"x": ["a", "z"], "y": ["a", "b"]})
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        letters_model.bits_per_dim(other, unseen="skip", progress=False)
    assert [Path(one.filename).name for one in said] == ["test_answers.py"]


def test_words_that_mean_missing(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "x,none\ny,1\nx,2\n" * 20)
    usual = segre.fit(path, steps=2, seed=0, progress=False)
    with pytest.warns(segre.SegreWarning, match='20 fields "none" count as missing'):
        told = segre.fit(path, steps=2, seed=0, progress=False, missing_words=["none"])
    rows = [set(model.sample(200, progress=False)["b"].dropna()) for model in (usual, told)]
    assert rows == [{"none", "1", "2"}, {1, 2}]
    with pytest.raises(TypeError, match="list"):
        segre.fit(path, steps=2, progress=False, missing_words="none")


def test_quality_of_tables(letters: pd.DataFrame) -> None:
    rng = np.random.default_rng(0)
    same = letters.sample(200, replace=True, random_state=0)
    shuffled = pd.DataFrame({"x": rng.permutation(letters["x"]), "y": rng.permutation(letters["y"])})
    good, bad = (segre.quality(letters, synthetic, target="y", progress=False) for synthetic in (same, shuffled))
    assert good["column_pair_trends"]["value"] > 0.9 > 0.8 > bad["column_pair_trends"]["value"]
    assert good["usefulness"]["target"] == "y"
    assert good["usefulness"]["synthetic"]["value"] > bad["usefulness"]["synthetic"]["value"]
    assert (good["training_rows"], good["held_out_rows"], good["synthetic_rows"]) == (160, 40, 200)
    apart = segre.quality(letters, same, held_out=letters.head(30), progress=False)
    assert (apart["training_rows"], apart["held_out_rows"]) == (200, 30)
    with pytest.raises(segre.DataError):
        segre.quality(letters, same, target="z", progress=False)
    with pytest.raises(segre.Error, match="20 rows"):
        segre.quality(letters, same.head(5), progress=False)


def test_quality_of_a_model(letters: pd.DataFrame, letters_model: segre.Model) -> None:
    found = letters_model.quality(target="y", progress=False)
    assert found["training_rows"] == 160 and found["held_out_rows"] == 20
    assert found["overall"]["value"] > 0.8
    given = letters_model.quality(letters, progress=False)
    assert given["synthetic_rows"] == 200


def test_batches(letters: pd.DataFrame, letters_model: segre.Model, tmp_path: Path) -> None:
    whole = letters_model.log_prob(letters, progress=False)
    table = pa.Table.from_pandas(letters)
    pq.write_table(table, tmp_path / "t.parquet")
    streams: list[Any] = [
        pl.from_pandas(letters),
        table.to_reader(90),
        pq.ParquetFile(tmp_path / "t.parquet").iter_batches(100),
        (letters.iloc[start : start + 70] for start in range(0, 200, 70)),
    ]
    for stream, lengths in zip(streams, ([100, 100], [90, 90, 20], [100, 100], [70, 70, 60])):
        parts = list(letters_model.log_prob_batches(stream, rows=100, progress=False))
        assert [len(part) for part in parts] == lengths
        assert np.array_equal(parts[0], letters_model.log_prob(letters.head(len(parts[0])), progress=False))
        assert np.concatenate(parts).mean() == pytest.approx(whole.mean(), abs=0.05)
    drawn = list(letters_model.sample_batches(120, rows=50, progress=False))
    assert [len(part) for part in drawn] == [50, 50, 20] and not drawn[0].equals(drawn[1])
    again = list(letters_model.sample_batches(120, rows=50, progress=False))
    assert all(one.equals(other) for one, other in zip(drawn, again))
    holes = letters.assign(y=None)
    filled = pd.concat(letters_model.impute_batches(holes, rows=64, seed=1, progress=False))
    assert filled.index.equals(letters.index) and (filled["x"] == filled["y"]).mean() > 0.9
    with pytest.raises(TypeError, match="stream"):
        letters_model.log_prob_batches("t.csv")
    with pytest.raises(TypeError, match="no frame"):
        list(letters_model.log_prob_batches([1, 2]))
    with pytest.raises(ValueError, match="rows=0"):
        letters_model.log_prob_batches(letters, rows=0)


def test_models_of_energies(tmp_path: Path) -> None:
    grid = segre.energy.ising(3, 3)
    model = grid.fit(steps=30, samples=2000, seed=0, set=SMALL, progress=False)
    rows = model.sample(500, progress=False)
    assert rows.shape == (500, 3, 3)
    # log p(x) = −E(x) − log Z.
    log_z = grid.infer().log_z
    assert log_z is not None
    exact = np.array([-grid.energy(row.ravel()) - log_z for row in rows[:100]])
    assert np.abs(model.log_prob(rows[:100], progress=False) - exact).mean() < 0.2
    free = segre.energy.ising(2, 2).fit(steps=60, seed=0, data_free=True, set=SMALL, progress=False)
    assert free.sample(5, progress=False).shape == (5, 2, 2)
    with pytest.raises(segre.Error, match="without data"):
        free.evaluate(progress=False)
    (tmp_path / "m.uai").write_text("MARKOV\n2\n2 3\n1\n2 0 1\n6\n 1 2 3 4 5 6\n")
    of_file = segre.energy.read(tmp_path / "m.uai").fit(steps=20, samples=500, seed=0, set=SMALL, progress=False)
    assert of_file.sample(7, progress=False).shape == (7, 2)
    of_file.save(tmp_path / "m")
    assert segre.load(tmp_path / "m").columns == ["x0", "x1"]
    with pytest.raises(ValueError, match="data_free"):
        grid.fit(data_free=True, samples=10)
