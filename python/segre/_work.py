"""Long work: how far it is, its threads, and processes that were forked."""

from __future__ import annotations

import json
import operator
import os
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any, Optional, Union

from segre import _segre
from segre._errors import SegreWarning

Progress = Union[bool, None, Callable[[dict[str, Any]], object]]
"""What is told of long work: a bar, nothing, a bar where somebody looks (None), or a function of a dictionary."""

#: A larger number of threads is a mistake that would take all memory.
_MOST_THREADS = 1024

_forked = False


def _after_fork() -> None:
    global _forked
    _forked = _segre.has_threads()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def require_threads() -> None:
    """Refuses work in a process that was forked after Segre had started its threads: they are not there, and it would wait
    for them for ever."""
    if _forked:
        raise RuntimeError(
            "this process was forked after Segre had started its threads, which a forked process does not have; start "
            "processes with multiprocessing.get_context('spawn') (or 'forkserver'), or fork before the first use of Segre"
        )


def set_threads(count: int | None = None) -> None:
    """Sets the number of threads of all work from now on; it changes no result.

    Parameters
    ----------
    count : int, optional
        Threads; one for each processor if it is None.
    """
    most = max(_MOST_THREADS, os.cpu_count() or 1)
    if count is not None and not 1 <= operator.index(count) <= most:
        raise ValueError(f"{count} threads cannot work; give 1 to {most}, or None for one a processor")
    require_threads()
    _segre.set_threads(count or 0)


def warn(text: str) -> None:
    """Warns whoever has called the package."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "segre":
        level, frame = level + 1, frame.f_back
    warnings.warn(text, SegreWarning, stacklevel=level)


def tell(notes: list[str]) -> None:
    """Warns of what was done with rows when they were read."""
    for note in notes:
        warn(note)


class Watcher:
    """Shows what it is told by the library, and turns notices into warnings.

    ``history`` has the validations and rounds of a fit.
    """

    def __init__(self, progress: Progress, task: str) -> None:
        self.history: list[dict[str, Any]] = []
        if not (progress is None or isinstance(progress, bool) or callable(progress)):
            raise TypeError(f"progress={progress!r}: give True, False, None or a function")
        self._own = progress if callable(progress) else None
        shown = progress if isinstance(progress, bool) else _somebody_looks()
        self._bar = _bar(task) if shown and self._own is None else None

    def __call__(self, text: str) -> None:
        told = json.loads(text)
        event = told["event"]
        if event["kind"] == "notice":
            warn(event["text"])
        elif event["kind"] in ("validation", "round"):
            self.history.append(event)
        if self._own is not None:
            self._own(told)
        elif self._bar is not None:
            self._bar.tell(told)

    def __enter__(self) -> Watcher:
        require_threads()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()


def _somebody_looks() -> bool:
    return sys.stderr is not None and sys.stderr.isatty() or "ipykernel" in sys.modules


class _Plain:
    """A line on standard error that is written over."""

    def __init__(self, task: str) -> None:
        self._task, self._last, self._wrote = task, time.monotonic(), False

    def tell(self, told: dict[str, Any]) -> None:
        if time.monotonic() - self._last < 0.5:
            return
        self._last, self._wrote = time.monotonic(), True
        text = f"\r{self._task} {told['fraction']:6.1%} {_suffix(told['event'])}"
        print(f"{text:<70}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._wrote:
            print(file=sys.stderr)


class _Tqdm:
    """The bar of tqdm, which draws itself in notebooks too."""

    def __init__(self, task: str, tqdm: Any) -> None:
        form = "{l_bar}{bar}| {elapsed}{postfix}"
        self._bar = tqdm(total=1.0, desc=task, bar_format=form, leave=False)

    def tell(self, told: dict[str, Any]) -> None:
        self._bar.n = min(told["fraction"], 1.0)
        suffix = _suffix(told["event"])
        if suffix:
            self._bar.set_postfix_str(suffix, refresh=False)
        self._bar.refresh()

    def close(self) -> None:
        self._bar.close()


def _suffix(event: dict[str, Any]) -> str:
    if event["kind"] == "validation":
        return f"step {event['step']}: {event['bits_per_dim']:.4f} bits/dim"
    return ""


def _bar(task: str) -> Optional[Union[_Plain, _Tqdm]]:
    with warnings.catch_warnings():
        # tqdm would like widgets in notebooks that have none.
        warnings.simplefilter("ignore")
        try:
            from tqdm.auto import tqdm
        except ImportError:
            return _Plain(task)
        return _Tqdm(task, tqdm)
