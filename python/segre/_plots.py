"""Pictures of models and evaluations, by matplotlib where it is installed."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Optional

import numpy as np

from segre._frames import text_of

#: Most columns that are drawn beside each other.
COLUMNS = 12
PAIRS = 5
#: Most categories with a place of their own.
CATEGORIES = 20
OTHERS = "others"
REAL, DRAWN = "tab:blue", "tab:orange"


def _pyplot() -> Any:
    try:
        import matplotlib.pyplot
    except ImportError as error:
        raise ImportError("pictures are drawn by matplotlib; install it: pip install matplotlib") from error
    return matplotlib.pyplot


def _axes(ax: Any) -> Any:
    return _pyplot().subplots(layout="constrained")[1] if ax is None else ax


def picture(draw: Callable[[Any], object]) -> str:
    """What is drawn into axes as HTML, nothing where matplotlib is not installed."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return ""
    figure = Figure(figsize=(5.0, 2.4), dpi=100, layout="constrained")
    draw(figure.add_subplot())
    contents = io.BytesIO()
    with warnings.catch_warnings():
        # Names may have letters that the typeface lacks.
        warnings.simplefilter("ignore")
        FigureCanvasAgg(figure)
        figure.savefig(contents, format="png")
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(contents.getvalue()).decode()}"/>'


def label(name: object, most: int = 24) -> str:
    """A name as matplotlib takes it: a dollar would begin a formula."""
    text = " ".join(str(name).split())
    text = text if len(text) <= most else text[: most - 1] + "…"
    return text.replace("$", r"\$")


def bars_of_evaluation(scores: Sequence[tuple[str, float, Optional[float]]], ax: Any = None) -> Any:
    """Bits per dimension of models, the best one at the top."""
    ax = _axes(ax)
    scores = sorted(scores, key=lambda score: -score[1])
    names = [name for name, _, _ in scores]
    colours = [DRAWN if name == "segre" else REAL for name in names]
    bars = ax.barh(names, [value for _, value, _ in scores], color=colours)
    ax.bar_label(bars, [f"{value:.3f}" for _, value, _ in scores], padding=3)
    ax.margins(x=0.15)
    ax.set_xlabel("bits per dimension, lower is better")
    return ax


def bars_of_quality(measures: Sequence[tuple[str, dict[str, Optional[float]]]], ax: Any = None) -> Any:
    """Measures of synthetic rows beside those of a perfect and a copying model."""
    ax = _axes(ax)
    names = [name for name, _ in measures]
    places = np.arange(len(names))[::-1]
    for shift, key, colour in ((0.27, "value", DRAWN), (0.0, "perfect", REAL), (-0.27, "copying", "tab:gray")):
        values = [_number(values.get(key)) for _, values in measures]
        ax.barh(places + shift, values, height=0.25, color=colour, label={"value": "these rows"}.get(key, key))
    ax.set_yticks(places, names)
    ax.set_xlim(0, 1)
    ax.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax


def training(history: Sequence[dict[str, Any]], ax: Any = None) -> Any:
    """The course of a fit: validation, or the bound of a fit to an energy."""
    if not history:
        raise ValueError("the course of the fit is kept in its folder (out=), and by the model that fit returns; this has none")
    ax = _axes(ax)
    steps = [event["step"] for event in history]
    if history[0]["kind"] == "round":
        values = [event["bound"]["value"] for event in history]
        ax.plot(steps, values, "-o", markersize=3, color=DRAWN)
        ax.set_ylabel("bound of log Z, nats")
    else:
        values = [event["bits_per_dim"] for event in history]
        errors = [event["std_error"] for event in history]
        ax.errorbar(steps, values, errors, fmt="-o", markersize=3, color=REAL, label="validation")
        kept = [place for place, event in enumerate(history) if event["kept"]]
        if kept:
            ax.plot(steps[kept[-1]], values[kept[-1]], "o", color=DRAWN, label="kept")
        ax.set_ylabel("bits per dimension")
        ax.legend(fontsize="small")
    ax.set_xlabel("steps")
    return ax


def pictures(rows: np.ndarray, states: int) -> Any:
    """Labels ``[rows, height, width]`` as pictures beside each other."""
    across = max(1, int(np.ceil(np.sqrt(len(rows)))))
    down = max(1, -(-len(rows) // across))
    figure, grid = _pyplot().subplots(down, across, figsize=(1.2 * across, 1.2 * down), squeeze=False)
    for ax in grid.flat[len(rows) :]:
        ax.axis("off")
    for ax, row in zip(grid.flat, rows):
        ax.set(xticks=[], yticks=[])
        ax.imshow(row, cmap="gray", vmin=0, vmax=max(states - 1, 1), interpolation="nearest")
    figure.tight_layout(pad=0.3)
    return figure


class Column:
    """A column to be drawn: numbers, moments, or the places of its categories."""

    def __init__(self, name: str, kind: str, fields: Sequence[Any]) -> None:
        """``fields`` are the columns of the tables that are drawn together, real ones first."""
        self.name = name
        self.is_number = kind in ("numbers", "whole numbers", "dates or times")
        texts = [[text_of(value) for value in _values(own)] for own in fields]
        self.values: list[np.ndarray]
        if self.is_number:
            convert = _moments if kind == "dates or times" else _numbers
            try:
                self.values = [convert(own) for own in texts]
            except ValueError:
                # Times of a day, and days written in another way than a computer's.
                self.is_number = False
        if not self.is_number:
            self.categories, self.values = _places(texts)

    @property
    def count(self) -> int:
        """Number of categories."""
        return len(self.categories)

    def shown(self, own: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Places of points: those of categories are spread a little."""
        return own if self.is_number else own + rng.uniform(-0.3, 0.3, len(own))

    def name_axis(self, axis: Any) -> None:
        """Writes the categories beside an axis."""
        if not self.is_number:
            size = 8 if self.count <= 8 else 6
            axis.set_ticks(range(self.count), [label(name, 14) for name in self.categories], fontsize=size)


def _values(column: Any) -> Sequence[Any]:
    if hasattr(column, "to_pylist"):
        return list(column.to_pylist())
    return list(column.to_list() if hasattr(column, "to_list") else np.asarray(column).tolist())


def _number(value: Optional[float]) -> float:
    return float("nan") if value is None else float(value)


def _numbers(texts: Sequence[Optional[str]]) -> np.ndarray:
    return np.array([float("nan") if text is None else float(text) for text in texts])


def _moments(texts: Sequence[Optional[str]]) -> np.ndarray:
    return np.array(["NaT" if text is None else text for text in texts], dtype="datetime64[us]")


def _places(texts: Sequence[Sequence[Optional[str]]]) -> tuple[list[str], list[np.ndarray]]:
    """Categories, frequent ones where there are many, and the place of every field among them."""
    names = [["missing" if text is None else text for text in own] for own in texts]
    found, counts = np.unique(np.concatenate([np.asarray(own, dtype=object).astype(str) for own in names]), return_counts=True)
    kept = found if len(found) <= CATEGORIES else np.sort(found[np.argsort(-counts, kind="stable")[: CATEGORIES - 1]])
    categories = sorted(kept.tolist(), key=_order)
    if len(found) > CATEGORIES:
        categories.append(OTHERS)
    places = {name: place for place, name in enumerate(categories)}
    last = len(categories) - 1
    return categories, [np.array([places.get(name, last) for name in own], dtype=float) for own in names]


def _order(name: str) -> tuple[int, float, str]:
    try:
        return (0, float(name), name)
    except ValueError:
        return (1, 0.0, name)


def _shape(ax: Any, column: Column, names: Sequence[str]) -> None:
    """The distribution of a column, of each table that is drawn."""
    colours = [REAL, DRAWN][-len(column.values) :]
    if column.is_number:
        known = [own[~np.isnat(own) if own.dtype.kind == "M" else ~np.isnan(own)] for own in column.values]
        together = np.concatenate(known)
        if len(together):
            moments = together.dtype.kind == "M"
            edges = np.histogram_bin_edges(together.astype(float) if moments else together, 30)
            if moments:
                edges = edges.astype("int64").astype("datetime64[us]")
            for own, name, colour in zip(known, names, colours):
                weights = np.full(len(own), 1.0 / max(len(own), 1))
                ax.hist(own, edges, weights=weights, histtype="step", color=colour, label=name, linewidth=1.5)
    else:
        width = 0.8 / len(column.values)
        for place, (own, name, colour) in enumerate(zip(column.values, names, colours)):
            shares = np.bincount(own.astype(int), minlength=column.count) / max(len(own), 1)
            shift = width * (place - (len(column.values) - 1) / 2)
            ax.bar(np.arange(column.count) + shift, shares, width, color=colour, label=name)
        column.name_axis(ax.xaxis)
    ax.tick_params(axis="x", labelrotation=45, labelsize=7)
    ax.tick_params(axis="y", labelsize=7)


def shapes(columns: Sequence[Column], names: Sequence[str]) -> Any:
    """The distribution of every column."""
    across = min(4, len(columns))
    down = -(-len(columns) // across)
    figure, grid = _pyplot().subplots(down, across, figsize=(3.0 * across, 2.4 * down), squeeze=False, layout="constrained")
    for ax in grid.flat[len(columns) :]:
        ax.axis("off")
    for ax, column in zip(grid.flat, columns):
        _shape(ax, column, names)
        ax.set_title(label(column.name), fontsize=9)
    _legend(figure, grid.flat[0])
    return figure


def pairs(columns: Sequence[Column], rng: np.random.Generator) -> Any:
    """Every pair of columns, real rows below the diagonal and drawn ones above."""
    size = len(columns)
    figure, grid = _pyplot().subplots(size, size, figsize=(2.2 * size, 2.2 * size), squeeze=False, layout="constrained")
    for down, first in enumerate(columns):
        for across, second in enumerate(columns):
            ax = grid[down, across]
            if down == across:
                _shape(ax, first, ("real", "drawn"))
            else:
                _pair(ax, first, second, int(across > down), rng)
            if down == size - 1:
                ax.set_xlabel(label(second.name), fontsize=9)
            elif down != across:
                ax.set_xticklabels([])
            if across == 0:
                ax.set_ylabel(label(first.name), fontsize=9)
            elif down != across:
                ax.set_yticklabels([])
            ax.tick_params(axis="x", labelrotation=90, labelsize=7)
            ax.tick_params(axis="y", labelsize=7)
    _legend(figure, grid[0, 0])
    figure.suptitle("below the diagonal: real; above: drawn", fontsize=9)
    return figure


def _legend(figure: Any, ax: Any) -> None:
    """What the colours mean, beside the pictures."""
    figure.legend(*ax.get_legend_handles_labels(), loc="outside right upper", fontsize="small")


def _pair(ax: Any, first: Column, second: Column, table: int, rng: np.random.Generator) -> None:
    down, across = first.values[table], second.values[table]
    if first.is_number or second.is_number:
        places = second.shown(across, rng), first.shown(down, rng)
        ax.plot(*places, ".", markersize=2, alpha=0.5, color=[REAL, DRAWN][table])
        for column, set_limits in ((second, ax.set_xlim), (first, ax.set_ylim)):
            if not column.is_number:
                set_limits(-0.5, column.count - 0.5)
    else:
        both = [_shares(first, second, own) for own in (0, 1)]
        most = max(shares.max() for shares in both)
        ax.imshow(both[table], cmap=["Blues", "Oranges"][table], aspect="auto", vmin=0, vmax=most, interpolation="nearest")
    second.name_axis(ax.xaxis)
    first.name_axis(ax.yaxis)


def _shares(first: Column, second: Column, table: int) -> np.ndarray:
    """Shares of every pair of categories."""
    down, across = first.values[table].astype(int), second.values[table].astype(int)
    shares = np.zeros((first.count, second.count))
    np.add.at(shares, (down, across), 1.0 / max(len(down), 1))
    return shares
