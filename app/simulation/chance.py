"""Chance that is the same each time: vectors drawn for a path of names, such as (seed, merchant, day). Pure.

Knows nothing of what is drawn for. Everything comes from the raw bits of PCG64, which numpy promises never to change,
and neither from the machine nor from the order in which others draw.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]
Words: TypeAlias = NDArray[Any]
"""Of objects: text, or None."""


class Chance:
    """Draws. Of equal paths, the draws are equal."""

    def __init__(self, *path: int | str) -> None:
        digest = hashlib.sha256("/".join(map(str, path)).encode()).digest()
        self._bits = np.random.PCG64(int.from_bytes(digest[:16]))

    def raw(self, count: int) -> NDArray[np.uint64]:
        """`count` times 64 bits."""
        return np.asarray(self._bits.random_raw(count), dtype=np.uint64)

    def uniform(self, count: int) -> Floats:
        """From 0 up to, and not, 1."""
        return (self.raw(count) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def below(self, limit: int, count: int) -> Ints:
        """Whole numbers from 0 to `limit` - 1."""
        return (self.uniform(count) * limit).astype(np.int64)

    def happens(self, probability: float, count: int) -> Flags:
        """Whether something of this probability happens, each time."""
        return self.uniform(count) < probability

    def choose(self, weights: Floats | Sequence[float], count: int) -> Ints:
        """Places in `weights`, each as likely as its weight says. There is one that is not 0."""
        sums = np.cumsum(np.asarray(weights, dtype=np.float64))
        places: Ints = np.searchsorted(sums, self.uniform(count) * sums[-1], side="right").astype(np.int64)
        return np.minimum(places, len(sums) - 1)

    def waits(self, mean: float, count: int) -> Floats:
        """How long until something comes that comes on average after `mean`."""
        return -np.log1p(-self.uniform(count)) * mean

    def heavy(self, tail: float, count: int) -> Floats:
        """Sizes from 1 up of which a few are enormous (Pareto): the smaller the `tail`, the heavier."""
        return (1.0 - self.uniform(count)) ** (-1.0 / tail)

    def some(self, most: int, of: int) -> Ints:
        """Up to `most` different places of `of`, in any order."""
        return np.argsort(self.raw(of), kind="stable")[:most].astype(np.int64)
