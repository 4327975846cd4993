"""Frames and arrays on their way to the library and back, as the kind that came in."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from segre import _segre
from segre._errors import DataError

Frame = Any
"""A pandas or polars frame, an Arrow table, a DuckDB relation, anything with ``__arrow_c_stream__``, an integer array, or the
name of a built-in or the path of a file."""


def kind_of(data: object) -> str:
    """``pandas``, ``polars``, ``pyarrow``, ``numpy``, or ``""`` for what has no kind of its own."""
    module = type(data).__module__.partition(".")[0]
    if isinstance(data, np.ndarray):
        return "numpy"
    return module if module in ("pandas", "polars", "pyarrow") else ""


def to_library(data: object) -> _segre.Data:
    """Hands data over to the library, without a copy where their types allow.

    Raises
    ------
    TypeError
        If they are of no kind that can be read.
    DataError
        If a column holds a mixture of types.
    """
    if isinstance(data, (str, os.PathLike)):
        return _segre.Data.source(os.fsdecode(data))
    if isinstance(data, np.ndarray):
        return _array(data)
    if kind_of(data) == "pandas":
        return _segre.Data.table(_arrow_of_pandas(data))
    if isinstance(data, Mapping):
        return _segre.Data.table(_arrow_of_mapping(data))
    if hasattr(data, "__arrow_c_stream__"):
        return _segre.Data.table(data)
    raise TypeError(
        f"{type(data).__qualname__} is no frame; give a pandas or polars frame, a pyarrow table, anything with "
        "__arrow_c_stream__, an integer NumPy array [rows, ...], a dict of columns, or the path of a file"
    )


def _array(data: np.ndarray) -> _segre.Data:
    if data.dtype == object:
        raise DataError("an array of objects has no labels; convert it with astype(int), or give a frame")
    if data.dtype.kind in "SU":
        raise DataError("an array of texts has no labels; give a frame, whose columns may hold texts")
    if isinstance(data, np.ma.MaskedArray):
        # What is masked is not known.
        plain = data.data if data.dtype.kind == "f" else data.data.astype(np.int64)
        data = np.where(np.ma.getmaskarray(data), -1, plain)
    contents = io.BytesIO()
    np.lib.format.write_array(contents, data, allow_pickle=False)
    return _segre.Data.array(contents.getvalue())


def _pyarrow(why: str) -> Any:
    try:
        import pyarrow
    except ImportError as error:
        raise ImportError(f"{why} goes by way of pyarrow; install it: pip install pyarrow") from error
    return pyarrow


def _arrow_of_pandas(data: Any) -> Any:
    if not hasattr(data, "columns"):
        raise TypeError("a pandas Series is one column; give a frame: series.to_frame()")
    pyarrow = _pyarrow("a pandas frame")
    repeated = data.columns[data.columns.duplicated()]
    if len(repeated):
        name = str(repeated[0])
        raise DataError(f"two columns are named {name!r}; rename one of them", name)
    sparse = [str(name) for name, dtype in data.dtypes.items() if isinstance(dtype, _pandas_sparse())]
    if sparse:
        raise DataError(f"column {sparse[0]!r} is sparse; make it dense: frame.astype({{name: frame[name].dtype.subtype}})", sparse[0])
    try:
        return pyarrow.Table.from_pandas(data, preserve_index=False)
    except _refused(pyarrow) as error:
        raise _mixed(data, pyarrow, error) from error


def _pandas_sparse() -> Any:
    import pandas

    return pandas.SparseDtype


def _refused(pyarrow: Any) -> tuple[type[Exception], ...]:
    """What pyarrow raises for columns that have no type: numbers that are too large and texts that are none among them."""
    own = (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError, pyarrow.ArrowNotImplementedError)
    return (*own, OverflowError, UnicodeEncodeError)


def _mixed(data: Any, pyarrow: Any, error: Exception) -> DataError:
    """Which column it is that has no type."""
    for place, name in enumerate(data.columns):
        try:
            pyarrow.Array.from_pandas(data.iloc[:, place])
        except _refused(pyarrow) as own:
            said = str(own).splitlines()[0]
            return DataError(f"column {str(name)!r}: its fields have no type in common ({said}); convert them", str(name))
    return DataError(f"the frame cannot be read: {error}")


def _arrow_of_mapping(data: Mapping[str, Any]) -> Any:
    """A dict of columns: by pyarrow or polars, whichever is there."""
    lengths = {}
    for name, column in data.items():
        if isinstance(column, (str, bytes)) or not hasattr(column, "__len__"):
            raise DataError(f"column {str(name)!r} of the dict is no list of fields: {column!r}", str(name))
        lengths[str(name)] = len(column)
    if len({*lengths.values()}) > 1:
        told = ", ".join(f"{name!r} {length}" for name, length in lengths.items())
        raise DataError(f"the columns of the dict differ in length: {told}")
    try:
        import pyarrow
    except ImportError:
        pass
    else:
        try:
            return pyarrow.table(dict(data))
        except _refused(pyarrow) as error:
            raise DataError(f"the dict cannot be read: {str(error).splitlines()[0]}") from error
    try:
        import polars

        return polars.DataFrame(dict(data))
    except ImportError as error:
        raise ImportError("a dict of columns goes by way of pyarrow or polars; install one of them") from error


def texts_of(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Known values as texts: the library reads them as the columns write theirs. None and NaN are not known.

    >>> texts_of({"age": slice(30, 40), "hour": range(8, 18), "city": ["Rome", "Oslo"], "zip": None})
    [('age', '30..40'), ('hour', '8..17'), ('city', 'Rome|Oslo')]
    """
    texts = [(str(name), _condition(str(name), value)) for name, value in given.items()]
    return [(name, text) for name, text in texts if text is not None]


def _condition(name: str, value: Any) -> str | None:
    """A value, a range or some values as a text."""
    if isinstance(value, range):
        if value.step != 1 or not len(value):
            raise ValueError(f"given {name!r}: {value} is no range of numbers one after the other")
        return f"{value[0]}..{value[-1]}"
    if isinstance(value, slice):
        if value.step is not None:
            raise ValueError(f"given {name!r}: {value} has a step; leave it out")
        low, high = text_of(value.start), text_of(value.stop)
        return None if low is None and high is None else f"{low or ''}..{high or ''}"
    if isinstance(value, np.ndarray) and value.ndim != 1:
        raise ValueError(f"given {name!r}: an array of shape {value.shape} is no list of values")
    if isinstance(value, (list, tuple, set, frozenset, np.ndarray)):
        texts = [text_of(one) for one in value]
        if not texts or None in texts:
            raise ValueError(f"given {name!r}: {value!r} holds no values, or one that is missing")
        known = [text for text in texts if text is not None]
        strange = [text for text in known if "|" in text or ".." in text]
        if strange and len(known) > 1:
            raise ValueError(f"given {name!r}: {strange[0]!r} cannot be one of several, for its '|' or '..'")
        return "|".join(sorted(known) if isinstance(value, (set, frozenset)) else known)
    return text_of(value)


def text_of(value: Any) -> str | None:
    """A value as the library reads it from a table of texts.

    >>> text_of(True), text_of(np.int8(3)), text_of(2.0), text_of(float("nan"))
    ('True', '3', '2.0', None)
    """
    if isinstance(value, np.datetime64):
        value = value.astype("datetime64[us]")
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or type(value).__name__ in ("NAType", "NaTType") or value != value:
        return None
    if hasattr(value, "isoformat"):
        text = str(value.isoformat(sep=" ") if hasattr(value, "hour") and hasattr(value, "year") else value.isoformat())
        return text.removesuffix(" 00:00:00")
    return repr(value) if isinstance(value, float) else str(value)


def from_library(rows: _segre.Rows, kind: str, like: object = None) -> Any:
    """Rows as the kind that is asked for: pictures and arrays are NumPy's, tables frames.

    ``like`` is the frame that came in, whose index a pandas frame of as many rows is given.
    """
    if not rows.is_table() or kind == "numpy":
        return labels_of(rows)
    for own in (kind, "pandas", "polars", "pyarrow"):
        try:
            if own == "pandas":
                return _to_pandas(rows, like)
            if own == "polars":
                import polars

                return polars.DataFrame(rows)
            if own == "pyarrow":
                import pyarrow

                return pyarrow.table(rows)
        except ImportError:
            if own == kind:
                raise
    return rows


def labels_of(rows: _segre.Rows) -> np.ndarray:
    """Labels ``[rows, ...]``."""
    contents, shape = rows.labels()
    return np.frombuffer(contents, dtype=np.uint16).reshape(shape).astype(np.int64)


def selected(frame: Any, column: str) -> Any:
    """A frame of one of a frame's columns."""
    return frame.select([column]) if kind_of(frame) in ("polars", "pyarrow") else frame[[column]]


def joined(frame: Any, columns: Mapping[str, Any]) -> Any:
    """A frame of pandas, polars or pyarrow with further columns of its kind."""
    kind = kind_of(frame)
    if kind == "pandas":
        return frame.assign(**columns)
    if kind == "polars":
        import polars

        return frame.with_columns(
            column.alias(name) if isinstance(column, polars.Series) else polars.Series(name, column)
            for name, column in columns.items()
        )
    for name, column in columns.items():
        frame = frame.append_column(name, [column] if isinstance(column, np.ndarray) else column)
    return frame


def _to_pandas(rows: _segre.Rows, like: Any) -> Any:
    import pandas

    pyarrow = _pyarrow("a pandas frame")
    frame = pyarrow.table(rows).to_pandas()
    if isinstance(like, pandas.DataFrame) and len(like) == len(frame):
        frame.index = like.index
        # Types that the fit's data had may be others than those of this frame.
        for name, dtype in like.dtypes.items():
            if name in frame.columns and frame[name].dtype != dtype:
                try:
                    frame[name] = frame[name].astype(dtype)
                except (TypeError, ValueError):
                    # What was filled in is no value of that type, such as a new category.
                    continue
    return frame
