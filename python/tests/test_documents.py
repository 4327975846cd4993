"""The code of the documents and notebooks, as it stands there."""

from __future__ import annotations

import ast
import doctest
import os
import re
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import segre

ROOT = Path(__file__).parents[2]


def code_of(document: str, language: str) -> list[str]:
    text = (ROOT / document).read_text(encoding="utf-8")
    blocks = re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    assert blocks, document
    return blocks


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In a folder where the documents' data are, fits that would take minutes take some steps."""
    shutil.copytree(ROOT / "docs" / "data", tmp_path / "docs" / "data")
    monkeypatch.chdir(tmp_path)
    fit = segre.fit

    def quick_fit(data: Any, **more: Any) -> segre.Model:
        more.pop("time", None)
        return fit(data, **{**more, "steps": 20, "progress": False})

    monkeypatch.setattr(segre, "fit", quick_fit)


def run(blocks: list[str], names: dict[str, Any]) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", segre.SegreWarning)
        for block in blocks:
            exec(compile(block, "document", "exec"), names)
    return names


@pytest.mark.usefixtures("quick")
def test_the_readme() -> None:
    names = run(code_of("README.md", "python"), {})
    assert isinstance(names["model"], segre.Model) and Path("runs/votes/model.safetensors").is_file()


@pytest.mark.usefixtures("quick")
def test_coming_from() -> None:
    names = run(code_of("docs/coming-from.md", "python"), {})
    assert len(names["rows"]) == 1000 and set(names["some"]["party"]) == {"democrat"}
    for block in code_of("docs/coming-from.md", "py"):
        # Of packages that the tests do not have.
        ast.parse(block)


@pytest.mark.usefixtures("quick")
def test_the_page_of_the_package() -> None:
    rng = np.random.default_rng(0)
    income = rng.choice(["<=50K", ">50K"], 200)
    frame = pd.DataFrame({"age": rng.integers(20, 60, 200), "income": income, "sex": rng.choice(["f", "m"], 200)})
    Path("model.uai").write_text("MARKOV\n1\n2\n1\n1 0\n2\n 1.0 3.0\n")
    frame.to_parquet("rows.parquet")
    others = {"frame": frame, "real": frame, "synthetic": frame, "X": frame[["age", "sex"]], "y": frame["income"]}
    run(code_of("docs/python.md", "python"), others)


@pytest.mark.parametrize("name", ["__init__", "_frames", "_seed", "energy", "sklearn"])
def test_docstrings(name: str) -> None:
    module = __import__("segre" if name == "__init__" else f"segre.{name}", fromlist=["_"])
    found = doctest.testmod(module)
    assert found.attempted > 0 and found.failed == 0


@pytest.mark.parametrize("path", sorted((ROOT / "python" / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(segre.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]))
    book = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(book, timeout=300, resources={"metadata": {"path": str(path.parent)}}).execute()
    kinds = {kind for cell in book.cells for output in cell.get("outputs", []) for kind in output.get("data", {})}
    assert "image/png" in kinds
    folder = os.environ.get("SEGRE_EXECUTED")
    if folder:
        nbformat.write(book, Path(folder) / path.name)
