"""Fits to data, models from folders, and the quality of tables."""

from __future__ import annotations

import json
import operator
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Optional, Union

import numpy as np

from segre import _segre
from segre._asked import ColumnsAs, Weights, kinds, reading, weighing
from segre._frames import Frame, kind_of, to_library
from segre._model import Model
from segre._report import Evaluation, Quality
from segre._seed import Seed, seed_of
from segre._work import Progress, Watcher, warn


def fit(
    data: Frame,
    *,
    time: Union[str, float, None] = None,
    steps: Optional[int] = None,
    seed: Seed = None,
    out: Union[str, os.PathLike[str], None] = None,
    force: bool = False,
    resume: bool = False,
    set: Optional[Mapping[str, object]] = None,
    recipe: Union[str, os.PathLike[str], None] = None,
    columns: Optional[Iterable[str]] = None,
    drop_columns: Iterable[str] = (),
    columns_as: ColumnsAs = None,
    missing: str = "category",
    missing_words: Optional[Iterable[str]] = None,
    weights: Weights = None,
    constraints: Iterable[str] = (),
    test_data: Union[str, os.PathLike[str], None] = None,
    labels: Union[str, os.PathLike[str], None] = None,
    label_column: Optional[str] = None,
    header: bool = True,
    text_window: int = 64,
    pictures: Optional[Mapping[str, object]] = None,
    data_memory: Optional[int] = None,
    progress: Progress = None,
    on_interrupt: str = "return",
) -> Model:
    """Learns the joint distribution of data.

    Parameters
    ----------
    data
        A pandas or polars frame, a pyarrow table, a DuckDB relation or anything else with ``__arrow_c_stream__``; an integer
        NumPy array ``[rows, ...]``, of which ``[rows, height, width]`` are pictures; the path of a file, or a built-in's name.
    time : str or float, optional
        Wall time of training: ``"90s"``, ``"10m"``, ``"1h"`` or seconds.
    steps : int, optional
        Steps of training. A fit that is limited by steps alone repeats exactly, here and on the command line.
    seed : int or generator of numpy.random, optional
        Of everything random.
    out : path, optional
        The folder to keep the run in; what the command line reads, and goes on with.
    force, resume : bool
        Whether what is in ``out`` is replaced; whether the run there goes on.
    set : dict, optional
        Settings of a recipe, as ``{"network.hidden": 64, "training.conditional": "any"}``.
    recipe : path, optional
        A file of settings; ``set`` goes before it.
    columns, drop_columns : list of str
        The only columns to read; columns to leave out.
    columns_as : dict or path, optional
        What columns hold where it is not to be found out: ``"category"``, ``"number"``, ``"date"`` or ``"leave-out"``; or a ``.json``
        file that says so, as ``segre info --json`` prints it, or SDV's metadata.
    missing : {"category", "drop"}
        Whether missing fields are a category of their own, or their rows are left out.
    missing_words : list of str, optional
        Words in files of text that mean that a field is missing; by default ``?``, ``NA``, ``NaN``, ``null`` and the like.
    weights : str or array, optional
        What each row weighs: the column of a table that says so and is no part of the model, or one number from 0 on for each row.
        Only a column is remembered with the model, and read in data that are scored.
    constraints : list of str, optional
        What holds in every row of a table and must hold in what is drawn: ``["start <= end", "age >= 18"]``.
    test_data : path, optional
        The test part, in a file of its own or a built-in.
    labels : path, optional
        A file with the class of every row, for ``sample(label=...)`` of pictures; ``label_column`` is its column if it is a table.
    header : bool
        Whether the first row of a file of text names the columns.
    text_window : int
        Characters in a window of a text.
    pictures : dict, optional
        How a folder or file of pictures is read: ``gray``, ``invert``, ``threshold`` or ``levels``, ``size`` and ``pad`` (each
        ``(height, width)``), ``ignore``, ``ignore_as``; see ``segre fit --help``.
    data_memory : int, optional
        Bytes of labels of arrays and pictures above which they are kept in a temporary file; 4 GiB by default.
    progress : bool or callable, optional
        Whether a bar is shown; by default where somebody looks. A function is called with a dictionary: task, fraction, event.
    on_interrupt : {"return", "raise"}
        What Ctrl-C does: return the model so far, with a warning, or raise KeyboardInterrupt.

    Returns
    -------
    Model

    Raises
    ------
    DataError, SettingError, FileError, FolderExistsError
        Before anything is learned.
    """
    if on_interrupt not in ("return", "raise"):
        raise ValueError(f"on_interrupt={on_interrupt!r}: give 'return' or 'raise'")
    settings = settings_of(set, time, steps, seed)
    column, numbers = weighing(weights)
    asked = reading(
        columns=columns,
        drop_columns=drop_columns,
        missing=missing,
        missing_words=missing_words,
        weights=column,
        constraints=constraints,
        header=header,
        text_window=text_window,
        pictures=pictures,
        data_memory=data_memory,
    )
    if column is not None and isinstance(data, np.ndarray):
        raise ValueError(f"weights={column!r}: an array has no column of weights; give one number for each row")
    if label_column is not None and labels is None:
        raise ValueError(f"label_column={label_column!r} is a column of a file of labels; give labels too")
    classes = None if labels is None else (os.fspath(labels), label_column)
    by_name, file = kinds(columns_as)
    text = None if recipe is None else (Path(recipe).read_text(encoding="utf-8"), os.fspath(recipe))
    with Watcher(progress, "fit") as watcher:
        inner, stopped = _segre.fit(
            to_library(data),
            settings,
            text,
            asked,
            by_name,
            file,
            numbers,
            None if test_data is None else os.fspath(test_data),
            classes,
            out,
            force,
            resume,
            watcher,
        )
    model = Model._of(inner, kind_of(data), watcher.history)
    if out is not None:
        # Of a run that goes on, what was before too.
        model._history = model._read_history(Path(out))
    for note in model._facts["notes"]:
        warn(note)
    for column in model._facts["left_out"]:
        warn(f"column {column['name']!r} is left out: {column['why']}")
    return finished(model, stopped, on_interrupt)


def finished(model: Model, stopped: Optional[BaseException], on_interrupt: str) -> Model:
    """The model of a fit that may have been stopped."""
    if stopped is not None:
        if on_interrupt == "raise" or not isinstance(stopped, KeyboardInterrupt):
            raise stopped
        warn("the fit was interrupted; this is the model so far")
    return model


def settings_of(
    set: Optional[Mapping[str, object]], time: Union[str, float, None], steps: Optional[int], seed: Seed
) -> list[str]:
    """Assignments of a recipe."""
    if set is not None and not isinstance(set, Mapping):
        raise TypeError(f"set={set!r}: give a dict of settings, as {{'network.hidden': 64}}")
    settings = [f"{name}={_setting(value)}" for name, value in (set or {}).items()]
    if time is not None:
        settings.append(f"training.time={_setting(time)}")
    if steps is not None:
        try:
            settings.append(f"training.steps={operator.index(steps)}")
        except TypeError:
            raise TypeError(f"steps={steps!r}: give a whole number") from None
    number = seed_of(seed)
    if number is not None:
        settings.append(f"seed={number}")
    return settings


def _setting(value: object) -> str:
    """A value as a recipe has it."""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_setting(one) for one in value) + "]"
    return str(value)


def load(folder: Union[str, os.PathLike[str]]) -> Model:
    """Reads a model from its folder, whether Python, Rust or the command line has written it.

    Raises
    ------
    Error
        If the folder holds no model of data, or a file of it is damaged.
    """
    return Model.load(folder)


def evaluate(model: Model, data: Frame = None, *, unseen: str = "error", progress: Progress = None) -> Evaluation:
    """See :meth:`Model.evaluate`."""
    return model.evaluate(data, unseen=unseen, progress=progress)


def quality(
    real: Frame,
    synthetic: Frame,
    *,
    held_out: Frame = None,
    target: Optional[str] = None,
    seed: Seed = 0,
    columns: Optional[Iterable[str]] = None,
    drop_columns: Iterable[str] = (),
    columns_as: ColumnsAs = None,
    missing: str = "category",
    missing_words: Optional[Iterable[str]] = None,
    progress: Progress = None,
) -> Quality:
    """Compares synthetic rows of a table, whoever made them, with real ones.

    Shapes of columns and trends of pairs (with SDMetrics' names and values), a classifier that tells the two apart, how useful
    the synthetic rows are to predict ``target``, copies, and distances to the closest record; each beside what a perfect and a
    copying model would get. For a model of Segre's and the rows that it learned, see :meth:`Model.quality`.

    Parameters
    ----------
    real, synthetic
        Tables, of whichever kind :func:`fit` takes, with the same columns; at least 20 rows of every part.
    held_out : optional
        Real rows that whoever made the synthetic ones has not seen. Without them a fifth of ``real`` is set apart; if it was
        seen, copies of it do not show in ``privacy``.
    target : str, optional
        The column whose prediction shows usefulness; by default the last one of 2 to 20 categories.
    seed : int or generator of numpy.random
        Of which rows are drawn where not all are looked at.
    columns, drop_columns, columns_as, missing, missing_words
        How the tables are read, as in :func:`fit`.
    """
    by_name, file = kinds(columns_as)
    asked = reading(columns=columns, drop_columns=drop_columns, missing=missing, missing_words=missing_words)
    with Watcher(progress, "quality") as watcher:
        report = _segre.quality(
            to_library(real),
            to_library(synthetic),
            None if held_out is None else to_library(held_out),
            asked,
            by_name,
            file,
            target,
            seed_of(seed) or 0,
            watcher,
        )
    return Quality(json.loads(report))
