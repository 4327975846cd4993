"""The page of a model in memory."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

import segre


def test_a_model_has_a_page(letters_model: segre.Model, letters: pd.DataFrame, tmp_path: Path) -> None:
    page = letters_model.report(tmp_path / "page.html", title="<letters>", progress=False)
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == page
    assert "<h1><bdi>&lt;letters&gt;</bdi></h1>" in page
    for heading in ("Likelihood", "Columns", "Training", "Settings"):
        assert f">{heading}</h2>" in page
