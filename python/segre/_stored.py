"""A model as an object: its folder, its copies, and how it shows itself."""

from __future__ import annotations

import copy
import json
import os
import tempfile
from pathlib import Path
from typing import Any, TypeVar, Union

from segre import _plots, _segre
from segre._frames import Frame, kind_of, to_library
from segre._report import table
from segre._work import require_threads


Own = TypeVar("Own", bound="Stored")


class Stored:
    """What a model has and how it is kept; what is asked of it is in :class:`segre.Model`."""

    _inner: _segre.Fitted
    _kind: str
    _facts: dict[str, Any]
    _history: list[dict[str, Any]]

    def __init__(self) -> None:
        raise TypeError("models are made by segre.fit and segre.load")

    @classmethod
    def _of(cls: type[Own], inner: _segre.Fitted, kind: str, history: list[dict[str, Any]]) -> Own:
        model = object.__new__(cls)
        model._inner, model._kind, model._history = inner, kind, history
        model._facts = json.loads(inner.describe())
        return model

    @staticmethod
    def _read_history(folder: Path) -> list[dict[str, Any]]:
        """Validations and rounds of the run in a folder; none of a model that was only stored there."""
        log = folder / "metrics.jsonl"
        lines = log.read_text(encoding="utf-8").splitlines() if log.is_file() else []
        history = []
        for line in map(json.loads, lines):
            if "validation_bits_per_dim" in line:
                history.append({**line, "kind": "validation", "bits_per_dim": line["validation_bits_per_dim"]})
            elif "round" in line:
                bound = {"value": line["bound"], "std_error": line["bound_std_error"]}
                history.append({**line, "kind": "round", "bound": bound})
        return history

    @classmethod
    def load(cls: type[Own], folder: Union[str, os.PathLike[str]]) -> Own:
        """See :func:`segre.load`."""
        require_threads()
        return cls._of(_segre.load(os.fspath(folder)), "", cls._read_history(Path(folder)))

    def save(self, folder: Union[str, os.PathLike[str]]) -> None:
        """Stores the model in a new folder, which the command line reads too.

        Raises
        ------
        FolderExistsError
            If the folder is there.
        """
        self._inner.save(os.fspath(folder))

    def with_data(self: Own, data: Frame) -> Own:
        """The model with the data of its fit: a folder and a pickle do not hold them where they were in memory.

        :meth:`segre.Model.evaluate` and :meth:`segre.Model.quality` need them.

        Raises
        ------
        Error
            If they are other data than the fit's.
        """
        return type(self)._of(self._inner.with_data(to_library(data)), kind_of(data) or self._kind, self._history)

    @property
    def columns(self) -> list[str]:
        """Names of the columns, of arrays those of their sites."""
        return [column["name"] for column in self._facts["columns"]]

    @property
    def left_out(self) -> dict[str, str]:
        """Columns of the data that are no part of the model, and why."""
        return {column["name"]: column["why"] for column in self._facts["left_out"]}

    @property
    def derived(self) -> dict[str, str]:
        """Columns of the data that others decide, and how: they follow from these in all that is drawn."""
        return {column["name"]: column["says"] for column in self._facts["derived"]}

    @property
    def constraints(self) -> list[str]:
        """What holds in every row that is drawn."""
        return list(self._facts["constraints"])

    @property
    def settings(self) -> dict[str, Any]:
        """What was decided about network and training."""
        return {"network": self._facts["network"], "training": self._facts["training"]}

    def __getstate__(self) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            self.save(Path(folder) / "model")
            files = {path.name: path.read_bytes() for path in (Path(folder) / "model").iterdir()}
        return {"files": files, "kind": self._kind, "history": self._history}

    def __setstate__(self, state: dict[str, Any]) -> None:
        require_threads()
        with tempfile.TemporaryDirectory() as folder:
            for name, contents in state["files"].items():
                (Path(folder) / name).write_bytes(contents)
            self._inner = _segre.load(folder)
        self._kind, self._history = state["kind"], state["history"]
        self._facts = json.loads(self._inner.describe())

    def __reduce__(self) -> tuple[Any, ...]:
        return (object.__new__, (type(self),), self.__getstate__())

    def __copy__(self: Own) -> Own:
        # Nothing about a model changes.
        return self

    def __deepcopy__(self: Own, memo: dict[int, Any]) -> Own:
        return type(self)._of(self._inner, self._kind, copy.deepcopy(self._history, memo))

    def __repr__(self) -> str:
        facts = self._facts
        what = f"{len(facts['columns'])} columns" if facts["layout"] == "table" else f"{facts['layout']} {facts['shape']}"
        return f"<segre.Model of {what}, {facts['parameters']} parameters>"

    def _repr_html_(self) -> str:
        columns = self._facts["columns"]
        rows = [
            (column["name"], column["kind"], column["summary"] or _some(column["categories"])) for column in columns[:30]
        ]
        note = f"<p>and {len(columns) - 30} more columns</p>" if len(columns) > 30 else ""
        course = _plots.picture(lambda ax: _plots.training(self._history, ax)) if len(self._history) > 1 else ""
        head = f"<p><b>segre.Model</b>, {self._facts['parameters']} parameters</p>"
        others = [(column["name"], column["says"], f"{column['rows']} rows") for column in self._facts["derived"]]
        others += [(name, f"is left out: {why}", "") for name, why in self.left_out.items()]
        others += [("", f"{text} holds in every row", "") for text in self.constraints]
        more = table(("column", "is no part of the model", "borne out by"), others) if others else ""
        return f"{head}{table(('column', 'holds', 'values'), rows)}{note}{more}{course}"


def _some(categories: list[str]) -> str:
    more = ", …" if len(categories) > 8 else ""
    return f"{len(categories)}: {', '.join(categories[:8])}{more}"
