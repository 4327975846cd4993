"""What comes in goes out as the same kind of frame with the same types; what has no place is one clear exception."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import segre


def test_samples_have_the_types_of_pandas(table: pd.DataFrame, model: segre.Model) -> None:
    rows = model.sample(50, progress=False)
    assert isinstance(rows, pd.DataFrame) and len(rows) == 50
    assert list(rows.dtypes.items()) == list(table.dtypes.items())
    assert list(rows["copy"].cat.categories) == ["c", "b", "a", "never"]
    assert rows["many"].between(table["many"].min(), table["many"].max()).all()
    assert set(rows["letter"]) <= {"a", "b", "c"}
    days = rows["day"]
    assert (days == days.dt.normalize()).all()


def test_polars_comes_back_as_polars(letters: pd.DataFrame) -> None:
    frame = pl.DataFrame(
        {
            "letter": letters["x"].to_list(),
            "category": pl.Series(letters["x"].to_list(), dtype=pl.Categorical),
            "enum": pl.Series(letters["y"].to_list(), dtype=pl.Enum(["b", "a", "z"])),
            "day": pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 1, 1) + pl.duration(days=199), eager=True),
            "small": pl.Series([k % 7 for k in range(200)], dtype=pl.UInt8),
        }
    )
    model = segre.fit(frame, steps=5, seed=0, progress=False)
    rows = model.sample(20, progress=False)
    assert isinstance(rows, pl.DataFrame)
    assert rows["letter"].dtype == pl.String and rows["day"].dtype == pl.Date and rows["small"].dtype == pl.UInt8
    assert rows["enum"].dtype in (pl.Enum(["b", "a", "z"]), pl.Categorical)
    nested = pl.DataFrame({"a": [1, 2], "lists": [[1], [2, 3]]})
    with pytest.raises(segre.DataError, match="lists.*List") as caught:
        segre.fit(nested, steps=1, progress=False)
    assert caught.value.column == "lists"


def test_pyarrow_and_duckdb_come_back_as_tables(letters: pd.DataFrame) -> None:
    frame = pa.table({"d": pa.array(letters["x"]).dictionary_encode(), "t": pa.array(letters["y"])})
    model = segre.fit(frame, steps=5, seed=0, progress=False)
    rows = model.sample(7, progress=False)
    assert isinstance(rows, pa.Table) and rows.schema.types == frame.schema.types
    duckdb = pytest.importorskip("duckdb")
    relation = duckdb.sql("select 'a' as x, 'a' as y from range(50) union all select 'b', 'b' from range(50)")
    assert len(segre.fit(relation, steps=5, seed=0, progress=False).sample(3, progress=False)) == 3


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64, np.bool_])
def test_arrays_of_any_integer_type(dtype: type) -> None:
    array: np.ndarray = np.random.default_rng(0).integers(0, 2, (200, 4)).astype(dtype)
    model = segre.fit(array, steps=5, seed=0, progress=False)
    rows = model.sample(6, progress=False)
    assert rows.shape == (6, 4) and set(np.unique(rows)) <= {0, 1}


def test_arrays_in_any_order_are_the_same_data(tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(0, 3, (100, 3))
    array.setflags(write=False)
    first = segre.fit(array, steps=5, seed=0, progress=False)
    second = segre.fit(np.asfortranarray(array), steps=5, seed=0, progress=False)
    assert np.array_equal(first.log_prob(array), second.log_prob(np.asfortranarray(array)))
    holes = array.astype(float)
    holes[0, 0] = np.nan
    filled = first.impute(holes, progress=False)
    assert np.array_equal(filled[1:], array[1:]) and filled[0, 0] in (0, 1, 2)


def test_pictures_are_arrays() -> None:
    model = segre.fit("digits", steps=2, seed=0, progress=False)
    rows = model.sample(2, progress=False)
    assert rows.shape == (2, 8, 8)
    pictures = np.random.default_rng(0).integers(0, 2, (60, 3, 3))
    model = segre.fit(pictures, steps=2, seed=0, progress=False)
    assert model.sample(5, progress=False).shape == (5, 3, 3)
    with pytest.raises(segre.DataError):
        model.log_prob(pictures[:, :2])


def test_files_are_read_as_the_command_line_does(letters: pd.DataFrame, tmp_path: Path) -> None:
    letters.to_csv(tmp_path / "t.csv", index=False)
    letters.to_parquet(tmp_path / "t.parquet")
    models = [
        segre.fit(data, steps=5, seed=0, progress=False)
        for data in (letters, tmp_path / "t.csv", str(tmp_path / "t.parquet"))
    ]
    for number, model in enumerate(models):
        model.save(tmp_path / str(number))
    parameters = [(tmp_path / str(number) / "model.safetensors").read_bytes() for number in range(3)]
    assert parameters[0] == parameters[1] == parameters[2]


def test_an_index_stays_and_other_columns_too(table: pd.DataFrame, model: segre.Model) -> None:
    holes = table.set_index(pd.Index(range(1000, 1300))).head(20).copy()
    holes.loc[1003, "letter"] = None
    holes.loc[1004, "many"] = np.nan
    filled = model.impute(holes, progress=False)
    assert list(filled.index) == list(holes.index)
    assert filled["letter"].notna().all() and filled["many"].notna().all()
    known = holes["letter"].notna()
    assert (filled.loc[known, "letter"] == holes.loc[known, "letter"]).all()


HOSTILE = [
    (pd.DataFrame(), "column"),
    (pd.DataFrame({"a": []}), "rows"),
    (pd.DataFrame([[1, 2]], columns=["a", "a"]), "two columns are named 'a'"),
    (pd.DataFrame({"a": [1, "x", b"y"]}), "'a'"),
    (pd.DataFrame({"a": [{}, {"b": 1}]}), "a"),
    (pd.DataFrame({"a": [[1], [2]]}), "a"),
    (pd.DataFrame({"a": [complex(1, 2), 3]}), "a"),
    (pd.DataFrame({"a": [object(), object()]}), "'a'"),
    (pd.DataFrame({"a": [b"x", b"y"]}), "a"),
    (pd.DataFrame({"a": [1.0, np.inf]}), "a"),
    (pd.DataFrame({"a": [f"name {k}" for k in range(500)]}), "a"),
    (pl.DataFrame({"a": [[1]]}), "a"),
    (pl.DataFrame({"a": [{"b": 1}]}), "a"),
    (pa.table({"a": pa.array([None, [1]])}), "a"),
    (np.zeros((0, 3), int), "empty"),
    (np.zeros((3, 0), int), "empty"),
    (np.zeros(3, int), "shape"),
    (np.array(3), "shape"),
    (np.full((5, 2), -3), "-3"),
    (np.full((5, 2), 70_000), "70000"),
    (np.full((5, 2), 0.5), "labels are integers"),
    (np.array([["a", "b"]]), "texts"),
    (np.array([[None, 1]]), "objects"),
    (np.zeros((4, 2), complex), "c16"),
    (np.zeros((4, 2), "datetime64[s]"), "M8"),
]


@pytest.mark.parametrize("place", range(len(HOSTILE)))
def test_data_without_a_place_are_one_clear_exception(place: int) -> None:
    data, said = HOSTILE[place]
    with pytest.raises(segre.Error) as caught:
        segre.fit(data, steps=1, progress=False)
    assert said in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [None, 3, object(), [1, 2], iter([]), pd.Series([1, 2])])
def test_what_is_no_frame_is_a_type_error(data: object) -> None:
    with pytest.raises(TypeError, match="frame"):
        segre.fit(data, steps=1, progress=False)


def test_many_columns() -> None:
    frame = pd.DataFrame(np.random.default_rng(0).integers(0, 2, (40, 10_000))).rename(columns=str)
    with pytest.raises(segre.SettingError):
        # Data are read before settings are looked at.
        segre.fit(frame, steps=1, set={"network.blocks": -1}, progress=False)
