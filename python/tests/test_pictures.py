"""Pictures, and the forms of models and evaluations in notebooks."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
import warnings
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

import segre

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

HOSTILE = '<script>alert("x")</script> $\\frac{1}{$ & "q"'


class _Tags(HTMLParser):
    """What tags there are, and whether they close."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def tags(text: str) -> set[str]:
    parser = _Tags()
    parser.feed(text)
    parser.close()
    assert parser.open == []
    return parser.seen


@pytest.fixture
def hostile() -> segre.Model:
    letter = np.random.default_rng(0).choice(["<b>", "$"], 100)
    frame = pd.DataFrame({HOSTILE: letter, "\u200f\u4e2d": letter, "c" * 300: letter})
    return segre.fit(frame, steps=60, seed=0, progress=False, set={"network.hidden": 16, "network.blocks": 1})


def test_models_show_themselves(hostile: segre.Model) -> None:
    text = hostile._repr_html_()
    assert tags(text) <= {"p", "b", "table", "thead", "tbody", "tr", "th", "td", "img"}
    assert "&lt;script&gt;" in text and "<script>" not in text
    found = re.search(r'base64,([^"]+)"', text)
    assert found is not None and base64.b64decode(found[1]).startswith(b"\x89PNG")


def test_evaluations_show_themselves(letters: pd.DataFrame, letters_model: segre.Model) -> None:
    found = letters_model.evaluate(progress=False)
    text = found._repr_html_()
    assert "img" in tags(text) and "Chow–Liu tree" in text and f"{found['bits_per_dim']:.4f}" in text
    names = [name for name, _, _ in found.scores()]
    assert names[0] == "segre" and "independent" in names
    ax = found.plot()
    assert [text.get_text() for text in ax.get_yticklabels()][-1] in names
    quality = segre.quality(letters, letters, progress=False)
    assert "img" in tags(quality._repr_html_()) and quality["verdict"].split()[0] in quality._repr_html_()
    assert quality.plot() is not None
    pyplot.close("all")


def test_the_course_of_a_fit_is_drawn(letters_model: segre.Model) -> None:
    ax = letters_model.plot_training()
    line = ax.lines[0]
    assert len(line.get_xdata()) == len(letters_model._history) > 1
    assert letters_model.plot_training(ax) is ax
    with pytest.raises(ValueError, match="course"):
        segre.Model._of(letters_model._inner, "pandas", []).plot_training()
    free = segre.energy.ising(2, 2).fit(steps=40, seed=0, data_free=True, set={"network.hidden": 16}, progress=False)
    assert free.plot_training().get_ylabel() == "bound of log Z, nats"
    pyplot.close("all")


def test_samples_and_pairs_are_drawn(table: pd.DataFrame, model: segre.Model, hostile: segre.Model) -> None:
    figure = model.plot_samples(200, real=table)
    assert sum(bool(ax.get_title()) for ax in figure.axes) == len(model.columns)
    figure = model.plot_pairs(table, columns=["letter", "few", "many", "real", "day"])
    assert len(figure.axes) == 25
    figure.canvas.draw()
    with pytest.raises(ValueError, match="'no'"):
        model.plot_pairs(table, columns=["no"])
    with pytest.raises(ValueError, match="1 to 5"):
        model.plot_pairs(table, columns=[])
    with warnings.catch_warnings():
        # The typeface lacks a letter.
        warnings.simplefilter("ignore")
        hostile.plot_samples().canvas.draw()
    pyplot.close("all")


def test_pictures_are_drawn_as_pictures() -> None:
    labels = np.random.default_rng(0).integers(0, 3, (60, 4, 5))
    model = segre.fit(labels, steps=2, seed=0, progress=False)
    figure = model.plot_samples(7)
    shown = [ax.images[0].get_array().shape for ax in figure.axes if ax.images]
    assert shown == [(4, 5)] * 7
    sites = segre.fit(labels[:, 0], steps=2, seed=0, progress=False)
    assert len(sites.plot_pairs(labels[:, 0]).axes) == 25
    pyplot.close("all")


WITHOUT = """
import sys
for name in ("matplotlib", "tqdm", "pandas", "pyarrow", "polars", "sklearn"):
    sys.modules[name] = None
import numpy as np, segre
model = segre.fit(np.random.default_rng(0).integers(0, 2, (200, 3)), steps=60, seed=0, progress=False)
assert "<table>" in model._repr_html_() and "<img" not in model._repr_html_()
assert "<table>" in model.evaluate(progress=False)._repr_html_()
for draw in (model.plot_training, model.plot_samples, lambda: model.plot_pairs(model.sample(30))):
    try:
        draw()
    except ImportError as error:
        assert "pip install matplotlib" in str(error), error
    else:
        raise AssertionError("drawn")
print("done")
"""


def test_numpy_is_enough() -> None:
    said = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, timeout=120)
    assert said.stdout == "done\n", said.stderr
