"""What may be asked of a fit, of draws and of scores beside the data: weights, constraints, conditions, samplers."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import segre

SMALL: dict[str, Any] = {"network.hidden": 32, "network.blocks": 1, "training.conditional": "any"}


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    """Numbers, words, a column that another one decides, missing fields, and an inequality."""
    rng = np.random.default_rng(0)
    start = rng.integers(0, 200, 600)
    city = rng.choice(["Rome", "Milan", "Oslo"], 600)
    country = pd.Series(city).map({"Rome": "Italy", "Milan": "Italy", "Oslo": "Norway"})
    lacking = rng.random(600) < 0.2
    mood = pd.Series(rng.choice(["good", "bad"], 600)).mask(lacking, None)
    return pd.DataFrame(
        {"start": start, "end": start + rng.integers(0, 200, 600), "city": city, "country": country, "mood": mood}
    )


@pytest.fixture(scope="module")
def learned(people: pd.DataFrame) -> segre.Model:
    return segre.fit(people, steps=150, seed=0, progress=False, set=SMALL, constraints=["start <= end"])


def test_weights_are_learned_and_weigh_the_mean() -> None:
    frame = pd.DataFrame({"x": ["a", "b"] * 150, "w": [3.0, 1.0] * 150})
    asked: dict[str, Any] = {"steps": 150, "seed": 0, "progress": False, "set": SMALL}
    column = segre.fit(frame, weights="w", **asked)
    array = segre.fit(frame[["x"]], weights=frame["w"].to_numpy(), **asked)
    assert column.columns == ["x"]
    for model in (column, array):
        assert model.marginals()["x"]["a"][0] == pytest.approx(0.75, abs=0.03)
    scores = column.log_prob(frame, progress=False)
    assert np.array_equal(scores, array.log_prob(frame[["x"]], progress=False))
    weighed = float(np.average(scores, weights=frame["w"]))
    assert column.score(frame, progress=False).value == pytest.approx(weighed)
    assert array.score(frame[["x"]], progress=False).value == pytest.approx(float(scores.mean()))
    assert weighed != pytest.approx(float(scores.mean()), abs=1e-3)
    pictures = np.array([0, 1] * 150).reshape(-1, 1)
    assert segre.fit(pictures, weights=[3, 1] * 150, **asked).columns == ["x0"]


@pytest.mark.parametrize(
    ("weights", "error", "says"),
    [
        ([1.0], segre.DataError, "the number of weights"),
        ([-1.0] * 10, segre.DataError, "-1"),
        ([float("nan")] * 10, segre.DataError, "NaN"),
        ([0.0] * 10, segre.DataError, "0 in every row"),
        (["a"] * 10, ValueError, "one number for each row"),
        (np.ones((10, 1)), ValueError, "one number for each row"),
        ("none", segre.DataError, "none"),
    ],
)
def test_weights_that_are_none(weights: Any, error: type[Exception], says: str) -> None:
    frame = pd.DataFrame({"x": ["a", "b"] * 5})
    with pytest.raises(error, match=says):
        segre.fit(frame, weights=weights, steps=1, progress=False)
    with pytest.raises(ValueError, match="no column of weights"):
        segre.fit(np.ones((10, 2), dtype=int), weights="w", steps=1, progress=False)


@pytest.mark.filterwarnings("ignore::segre.SegreWarning")
def test_constraints_hold_in_what_is_drawn(learned: segre.Model) -> None:
    assert learned.constraints == ["start <= end"]
    drawn = learned.sample(300, seed=1, progress=False)
    assert (drawn["start"] <= drawn["end"]).all()
    with pytest.raises(segre.DataError, match="start"):
        segre.fit(pd.DataFrame({"start": [3, 1] * 20, "end": [2, 2] * 20}), constraints=["start <= end"], steps=1)
    with pytest.raises(TypeError, match="is one text"):
        segre.fit(drawn, constraints="start <= end", steps=1)


def test_rows_that_were_drawn_again_are_told(learned: segre.Model) -> None:
    with pytest.warns(segre.SegreWarning, match="were drawn again"):
        learned.sample(300, seed=1, progress=False)


@pytest.mark.filterwarnings("ignore::segre.SegreWarning")
def test_what_others_decide_is_read_and_shown(learned: segre.Model, people: pd.DataFrame) -> None:
    assert list(learned.derived) == ["country"] and "city" in learned.derived["country"]
    assert "is decided by" in learned._repr_html_() and "start &lt;= end" in learned._repr_html_()
    drawn = learned.sample(50, given={"city": "Oslo"}, progress=False)
    assert (drawn["country"] == "Norway").all() and list(drawn.columns) == list(people.columns)
    kept = segre.fit(people, steps=1, progress=False, columns_as={"country": "category"})
    assert kept.derived == {} and "country" in kept.columns


@pytest.mark.filterwarnings("ignore::segre.SegreWarning")
@pytest.mark.parametrize(
    ("given", "holds"),
    [
        ({"start": slice(30, 60)}, lambda rows: rows["start"].between(30, 60).all()),
        ({"start": "30..60"}, lambda rows: rows["start"].between(30, 60).all()),
        ({"start": range(30, 61)}, lambda rows: rows["start"].between(30, 60).all()),
        ({"start": slice(150, None)}, lambda rows: (rows["start"] >= 150).all()),
        ({"start": slice(None, 20), "city": ["Rome", "Oslo"]}, lambda rows: set(rows["city"]) == {"Rome", "Oslo"}),
        ({"city": {"Rome"}}, lambda rows: set(rows["city"]) == {"Rome"}),
        ({"city": "Rome|Milan"}, lambda rows: set(rows["country"]) == {"Italy"}),
        ({"city": None, "start": slice(None)}, lambda rows: len(set(rows["city"])) == 3),
    ],
)
def test_ranges_and_some_values_are_given(
    learned: segre.Model, given: dict[str, object], holds: Callable[[pd.DataFrame], bool]
) -> None:
    rows = learned.sample(60, given=given, progress=False)
    assert len(rows) == 60 and holds(rows)


@pytest.mark.parametrize(
    "given",
    [
        {"start": slice(30, 60, 2)},
        {"start": range(0, 10, 2)},
        {"start": range(0)},
        {"start": slice(60, 30)},
        {"start": slice("a", "b")},
        {"city": []},
        {"city": ["Rome", None]},
        {"city": ["Rome", "a|b"]},
        {"city": ["Rome", "Atlantis"]},
        {"city": np.array([["Rome"]])},
        {"city": slice("Milan", "Rome")},
        {"mood": {"x": 1}},
        {"nothing": 1},
    ],
)
def test_conditions_that_nothing_can_be(learned: segre.Model, given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="given|column|start|city|mood"):
        learned.sample(2, given=given, progress=False)


@pytest.mark.filterwarnings("ignore::segre.SegreWarning")
def test_a_frame_is_given_and_more_is_given_of_its_rows(learned: segre.Model) -> None:
    known = pd.DataFrame({"city": ["Rome", None, "Oslo"], "start": pd.array([50, None, None], dtype="Int64")})
    drawn = learned.sample(4, given=known, progress=False)
    assert len(drawn) == 12 and (drawn["city"][:4] == "Rome").all() and (drawn["start"][:4] == 50).all()
    filled = learned.impute(known, given={"start": slice(40, 60), "mood": "good"}, progress=False)
    assert filled["start"].between(40, 60).all() and (filled["mood"] == "good").all()
    with pytest.raises(segre.DataError, match="start"):
        learned.impute(known, given={"start": slice(0, 40)}, progress=False)
    told = learned.predict_proba(known.drop(columns="start"), "mood", given={"start": slice(0, 40)}, progress=False)
    free = learned.predict_proba(known.drop(columns="start"), "mood", progress=False)
    assert told.shape == free.shape and not told.equals(free)


@pytest.mark.filterwarnings("ignore::segre.SegreWarning")
def test_missing_fields_that_were_a_category_may_stay(learned: segre.Model) -> None:
    known = pd.DataFrame({"city": [None] * 20, "mood": [None] * 20})
    assert learned.impute(known, progress=False)["mood"].notna().all()
    kept = learned.impute(known, fill="missing", progress=False)
    assert kept["mood"].isna().all() and kept["city"].notna().all()
    with pytest.raises(ValueError, match="'all' or 'missing'"):
        learned.impute(known, fill="some", progress=False)


def test_scores_are_those_that_are_asked_for(learned: segre.Model, people: pd.DataFrame) -> None:
    rows = people[:40]
    whole = learned.score(rows, progress=False).value
    given = learned.score(rows, given=["start", "end"], progress=False)
    assert given.value == pytest.approx(learned.log_prob(rows, given=["start", "end"], progress=False).mean())
    # Words alone are left, whose probabilities are at most 1 and far above those of numbers.
    assert whole < given.value - 4 and given.value < 0
    orders = learned.score(rows, method="orders", orders=4, progress=False).value
    chain = learned.score(rows, method="chain", progress=False).value
    assert orders > chain - 0.2 and abs(orders - whole) < 2
    wrongs: list[dict[str, Any]] = [
        {"method": "best"},
        {"orders": 3},
        {"method": "orders", "orders": 0},
        {"given": ["q"]},
        {"max_rounds": 0},
    ]
    for wrong in wrongs:
        with pytest.raises(ValueError):
            learned.score(rows, progress=False, **wrong)
    with pytest.raises(TypeError):
        learned.score(rows, given="start", progress=False)


def test_samplers_are_those_that_are_asked_for(letters_model: segre.Model) -> None:
    usual = letters_model.sample(60, seed=2, progress=False)
    for sampler in ("ancestral", "localisation", "localisation-heun", "sequential", "euler", "heun", "rk4", "dormand-prince"):
        rows = letters_model.sample(60, seed=2, sampler=sampler, progress=False)
        assert (rows["x"] == rows["y"]).mean() > 0.9, sampler
    assert not usual.equals(letters_model.sample(60, seed=2, sampler="ancestral", steps=4, grid="uniform", progress=False))
    wrongs: list[dict[str, Any]] = [{"sampler": "best"}, {"steps": 0}, {"grid": "x"}, {"sampler": "rk4", "tolerance": float("nan")}]
    for wrong in wrongs:
        with pytest.raises(ValueError):
            letters_model.sample(1, progress=False, **wrong)
    with pytest.raises(segre.SettingError):
        letters_model.sample(1, sampler="dormand-prince", tolerance=-1.0, progress=False)


@pytest.mark.filterwarnings("ignore::segre.SegreWarning")
def test_columns_are_what_a_file_says(people: pd.DataFrame, tmp_path: Path) -> None:
    own = tmp_path / "kinds.json"
    own.write_text(json.dumps({"columns_as": {"start": "category", "mood": "leave-out"}}))
    model = segre.fit(people[:100], columns_as=own, steps=1, progress=False)
    assert "mood" in model.left_out
    columns = {"start": {"sdtype": "id"}, "end": {"sdtype": "numerical"}, "city": {"sdtype": "categorical"}}
    own.write_text(json.dumps({"METADATA_SPEC_VERSION": "SINGLE_TABLE_V1", "columns": columns}))
    model = segre.fit(people[["start", "end", "city"]], columns_as=str(own), steps=1, progress=False)
    assert list(model.left_out) == ["start"]
    own.write_text("[]")
    with pytest.raises(segre.DataError, match="kinds.json"):
        segre.fit(people, columns_as=own, steps=1, progress=False)
    with pytest.raises(segre.FileError, match="none.json"):
        segre.fit(people, columns_as=tmp_path / "none.json", steps=1, progress=False)


def test_the_test_part_and_the_reading_of_texts(people: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    people[["city", "mood"]][:200].to_csv(path, index=False, header=False)
    other = tmp_path / "test.csv"
    people[["city", "mood"]][200:260].to_csv(other, index=False, header=False)
    model = segre.fit(path, header=False, test_data=other, steps=2, progress=False)
    assert model.columns == ["column 1", "column 2"]
    assert model.evaluate(progress=False)["rows"] == 60
    text = tmp_path / "t.txt"
    text.write_text("abba" * 400)
    assert segre.fit(text, text_window=8, steps=1, progress=False).sample(3).shape == (3, 8)


def _idx(path: Path, array: np.ndarray) -> Path:
    """A file of MNIST's form."""
    head = struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(head + array.astype(np.uint8).tobytes())
    return path


@pytest.mark.filterwarnings("ignore::segre.SegreWarning")
def test_pictures_of_classes(tmp_path: Path) -> None:
    classes = np.arange(120) % 2
    shown = np.zeros((120, 8, 8))
    shown[classes == 1, :, 4:] = 200
    shown[classes == 0, :4, :] = 200
    pictures, labels = _idx(tmp_path / "pictures.idx3", shown), _idx(tmp_path / "labels.idx1", classes)
    asked: dict[str, Any] = {"steps": 8, "progress": False, "set": {"network.kind": "unet", "network.preset": "tiny"}}
    model = segre.fit(pictures, labels=labels, pictures={"levels": 4, "invert": False}, **asked)
    drawn = model.sample(3, label="1", guidance=2.0, progress=False)
    assert drawn.shape == (3, 8, 8) and drawn.max() <= 3
    assert not np.array_equal(drawn, model.sample(3, label="0", progress=False))
    wrongs: list[dict[str, Any]] = [{"label": "7"}, {"guidance": 2.0}, {"label": "1", "given": {"x": 1}}]
    for wrong in wrongs:
        with pytest.raises(ValueError):
            model.sample(1, progress=False, **wrong)
    for bad in ({"colour": 1}, {"threshold": 0.5, "levels": 3}, {"levels": 1}):
        with pytest.raises(ValueError):
            segre.fit(pictures, pictures=bad, **asked)


def test_a_label_needs_a_fit_with_classes(letters_model: segre.Model) -> None:
    with pytest.raises(ValueError, match="was not told classes"):
        letters_model.sample(1, label="a")


def test_conditionals_of_a_model_that_has_not_learned_them_are_doubtful(letters: pd.DataFrame) -> None:
    model = segre.fit(letters, steps=2, progress=False, set={**SMALL, "training.conditional": "none"})
    with pytest.warns(segre.SegreWarning, match="may be poor"):
        model.predict(letters[:2], "x", progress=False)


def test_a_randomised_flow_draws_as_its_energy(tmp_path: Path) -> None:
    energy = segre.energy.ising(2, 2)
    flow = energy.fit_randomized(steps=300, seed=0, out=tmp_path / "flow", progress=False)
    drawn = flow.sample(4000, progress=False)
    assert drawn.shape == (4000, 2, 2)
    marginals = [float(marginal[1]) for marginal in energy.infer().marginals]
    assert np.abs(drawn.reshape(-1, 4).mean(axis=0) - marginals).max() < 0.1
    assert np.array_equal(drawn, segre.energy.load_randomized(tmp_path / "flow").sample(4000, seed=0, progress=False))
    with pytest.raises(segre.FolderExistsError):
        energy.fit_randomized(steps=1, out=tmp_path / "flow", progress=False)
    with pytest.raises(segre.SettingError, match="learning"):
        energy.fit_randomized(steps=1, set={"learning": 1}, progress=False)
