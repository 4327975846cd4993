"""Large data in batches of rows: Arrow streams, frames, arrays, and whatever yields them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from segre._frames import Frame, kind_of

ROWS = 65_536
"""Rows of a batch."""


def batches_of(data: Frame, rows: int) -> Iterator[Any]:
    """Data in batches of at most ``rows`` rows, each of the kind that came in; a stream is read as it is asked for."""
    if rows < 1:
        raise ValueError(f"rows={rows}: give 1 or more")
    if isinstance(data, (str, os.PathLike)):
        raise TypeError(
            f"{os.fspath(data)!r} is a path, which is read as a whole; give a stream, such as "
            "pyarrow.parquet.ParquetFile(path).iter_batches() or pandas.read_csv(path, chunksize=100_000)"
        )
    return _batches(data, rows)


def _batches(data: Frame, rows: int) -> Iterator[Any]:
    if isinstance(data, np.ndarray):
        yield from (data[start : start + rows] for start in range(0, len(data), rows))
    elif kind_of(data) == "pandas" and hasattr(data, "iloc"):
        yield from (data.iloc[start : start + rows] for start in range(0, len(data), rows))
    elif kind_of(data) == "polars" and hasattr(data, "iter_slices"):
        yield from data.iter_slices(rows)
    elif isinstance(data, Mapping):
        raise TypeError("a dict of columns is in memory; give a frame: pyarrow.table(columns)")
    elif hasattr(data, "__arrow_c_stream__"):
        yield from _of_stream(data, rows)
    elif isinstance(data, Iterable):
        for batch in data:
            yield from _batches(batch, rows)
    elif hasattr(data, "__arrow_c_array__"):
        import pyarrow

        yield from _slices(pyarrow.Table.from_batches([pyarrow.record_batch(data)]), rows)
    else:
        raise TypeError(f"{type(data).__qualname__} is no frame and no stream of frames")


def _of_stream(data: Any, rows: int) -> Iterator[Any]:
    try:
        import pyarrow
    except ImportError as error:
        raise ImportError("a stream of Arrow is divided by pyarrow; install it: pip install pyarrow") from error
    for batch in pyarrow.RecordBatchReader.from_stream(data):
        yield from _slices(pyarrow.Table.from_batches([batch]), rows)


def _slices(table: Any, rows: int) -> Iterator[Any]:
    yield from (table.slice(start, rows) for start in range(0, table.num_rows, rows))
