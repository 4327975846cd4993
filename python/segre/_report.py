"""What evaluations find: dictionaries that show themselves in notebooks."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Any, NamedTuple, Optional

from segre._plots import bars_of_evaluation, bars_of_quality, picture


class Estimate(NamedTuple):
    """An estimated number with its Monte Carlo error."""

    value: float
    std_error: float
    samples: int


class Evaluation(dict[str, Any]):
    """Bits per dimension of a model and of simpler ones, lower is better: what the command line has in its JSON.

    ``bits_per_dim`` (None for a path without a bound), ``std_error``, ``rows`` and ``baselines`` (a dictionary).
    """

    def scores(self) -> list[tuple[str, float, Optional[float]]]:
        """Name, bits per dimension and Monte Carlo error of the model and of every baseline."""
        found: list[tuple[str, float, Optional[float]]] = []
        if self.get("bits_per_dim") is not None:
            found.append(("segre", self["bits_per_dim"], self["std_error"]))
        found += [(_words(name), value, None) for name, value in self["baselines"].items() if value is not None]
        return found

    def plot(self, ax: Any = None) -> Any:
        """Draws the scores as bars into matplotlib's axes, new ones unless some are given, and returns these."""
        return bars_of_evaluation(self.scores(), ax)

    def _repr_html_(self) -> str:
        rows = [
            (name, f"{value:.4f}" + ("" if error is None else f" ± {error:.4f}")) for name, value, error in self.scores()
        ]
        return (
            f"<p><b>Evaluation</b> of {self['rows']} rows</p>{table(('model', 'bits/dim'), rows)}"
            f"{picture(lambda ax: bars_of_evaluation(self.scores(), ax))}"
        )


class Quality(dict[str, Any]):
    """Quality and privacy of synthetic rows: what the command line has in its JSON.

    Among others ``overall``, ``column_shapes``, ``column_pair_trends``, ``two_sample``, ``usefulness`` (None where no column
    serves), ``privacy`` and ``verdict``, a sentence. Measures are dictionaries of ``value``, ``perfect`` and ``copying``.
    """

    def measures(self) -> list[tuple[str, dict[str, Optional[float]]]]:
        """Names and values of the measures that lie between 0 and 1."""
        found = [(_words(name), self[name]) for name in ("overall", "column_shapes", "column_pair_trends")]
        found.append(("two-sample test", self["two_sample"]["score"]))
        if self.get("usefulness"):
            found.append((f"usefulness ({self['usefulness']['measure']})", self["usefulness"]["synthetic"]))
        found += [(_words(name), self["privacy"][name]) for name in ("share_copies", "membership_auc")]
        return found

    def plot(self, ax: Any = None) -> Any:
        """Draws the measures beside those of a perfect and a copying model into matplotlib's axes, and returns these."""
        return bars_of_quality(self.measures(), ax)

    def _repr_html_(self) -> str:
        rows = [
            (name, *("" if values.get(key) is None else f"{values[key]:.4f}" for key in ("value", "perfect", "copying")))
            for name, values in self.measures()
        ]
        return (
            f"<p><b>Quality</b> of {self['synthetic_rows']} rows beside {self['training_rows']} real ones. "
            f"{html.escape(self['verdict'])}</p>"
            f"{table(('measure', 'value', 'perfect', 'copying'), rows)}"
            f"{picture(lambda ax: bars_of_quality(self.measures(), ax))}"
        )


def table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A table of HTML, its texts escaped."""

    def cells(row: Iterable[object], kind: str) -> str:
        return "<tr>" + "".join(f"<{kind}>{html.escape(str(cell))}</{kind}>" for cell in row) + "</tr>"

    body = "".join(cells(row, "td") for row in rows)
    return f"<table><thead>{cells(heads, 'th')}</thead><tbody>{body}</tbody></table>"


def _words(name: str) -> str:
    return {"chow_liu": "Chow–Liu tree"}.get(name, name.replace("_", " "))
