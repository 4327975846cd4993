"""Seeds: numbers, and NumPy's generators that one is drawn from."""

from __future__ import annotations

import operator
from typing import Optional, Union

import numpy as np

Seed = Union[int, np.random.Generator, np.random.RandomState, None]
"""A seed from 0 on, or a generator of NumPy's that one is drawn from."""

_SEEDS = 2**63


def seed_of(seed: Seed) -> Optional[int]:
    """The number that the library is given.

    >>> seed_of(np.int8(3)), seed_of(None)
    (3, None)
    """
    if seed is None:
        return None
    if isinstance(seed, np.random.Generator):
        return int(seed.integers(_SEEDS))
    if isinstance(seed, np.random.RandomState):
        return int(seed.randint(_SEEDS, dtype=np.int64))
    try:
        number = operator.index(seed)
    except TypeError:
        raise TypeError(f"seed={seed!r}: give a whole number, or a generator of numpy.random") from None
    if not 0 <= number < 2 * _SEEDS:
        where = "negative" if number < 0 else "too large"
        raise ValueError(f"seed {number} is {where}; give a number from 0 on and below 2**64")
    return number
