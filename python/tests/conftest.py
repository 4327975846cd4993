"""Small tables, and models of them that are fitted once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import segre

STEPS = 30


@pytest.fixture(scope="session")
def table() -> pd.DataFrame:
    """A table with a column of every type of pandas' that has a place in a model; `copy` repeats `letter`."""
    rng = np.random.default_rng(0)
    rows = 300
    letter = rng.choice(["a", "b", "c"], rows)
    frame = pd.DataFrame(
        {
            "letter": letter.astype(object),
            "copy": pd.Categorical(letter, categories=["c", "b", "a", "never"], ordered=True),
            "few": rng.integers(0, 4, rows),
            "many": rng.integers(0, 1000, rows),
            "real": np.round(rng.normal(size=rows), 2),
            "nullable": pd.array(rng.integers(0, 1000, rows), dtype="Int64"),
            "truth": rng.random(rows) < 0.5,
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 200, rows), unit="D"),
            "arrow": pd.array(letter, dtype="string[pyarrow]"),
        }
    )
    frame.loc[::10, "real"] = np.nan
    frame.loc[::11, "nullable"] = pd.NA
    return frame


@pytest.fixture(scope="session")
def model(table: pd.DataFrame) -> segre.Model:
    return segre.fit(table, steps=STEPS, seed=1, progress=False)


@pytest.fixture(scope="session")
def letters() -> pd.DataFrame:
    """A quick one: two equal columns."""
    letter = np.random.default_rng(1).choice(["a", "b"], 200)
    return pd.DataFrame({"x": letter, "y": letter})


@pytest.fixture(scope="session")
def letters_model(letters: pd.DataFrame) -> segre.Model:
    small = {"training.conditional": "any", "network.hidden": 32, "network.blocks": 1}
    return segre.fit(letters, steps=800, seed=0, progress=False, set=small)
