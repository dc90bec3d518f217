"""Removal effects of a chain of many states: the linear algebra of the Markov model.

Pure. Loads numpy and scipy, so it is imported only where an answer is wanted.

Since the chain was counted from whole journeys, as many steps lead into a state as out of it: a journey comes to
each state as often, and converts as often, as was counted. So what has to be solved for is only how many of the
conversions came through a channel's states. Let `v` be the visits to these states, `h` the probability of
converting from each, and `N` how often a journey that is in one of them comes to another: those conversions are
`v N^-1 h`. One factorisation of all equations gives `h`, and multiplies with `N`.
"""

from itertools import pairwise
from typing import Final

import numpy as np
from scipy.sparse import csc_array
from scipy.sparse.linalg import LinearOperator, gmres, splu

from app.attribution.engine.elimination import Steps

_Numbers = np.ndarray[tuple[int], np.dtype[np.float64]]
_States = np.ndarray[tuple[int], np.dtype[np.intp]]

_EXACT: Final = 1e-13
"""Largest part of all conversions by which what is found may differ from the solution of the equations."""
_TRIES: Final = 60
"""Multiplications with the one factorisation that are tried for a channel, before one of its own is worth its cost."""


def removal_effects(steps: Steps, channels: int) -> list[float]:
    """1 - P(convert without it) / P(convert) of each of the `channels`, from 0 to 1. Something must convert."""
    chain = _Chain(steps)
    last = np.array(steps.last)
    by_channel = np.argsort(last, kind="stable")
    bounds = np.searchsorted(last[by_channel], np.arange(channels + 1))
    return [chain.removal_effect(by_channel[begin:end]) for begin, end in pairwise(bounds)]


class _Chain:
    """The equations of the chain, factorised once.

    Each state's equation is multiplied by its visits, so that all coefficients are whole numbers and nothing is
    rounded before the factorisation. No diagonal is outweighed by its row: no pivoting is needed.
    """

    def __init__(self, steps: Steps) -> None:
        size = len(steps.last)
        origins, targets, times = np.array(steps.moves).T
        every = np.arange(size)
        self._converted = np.array(steps.converted, dtype=np.float64)
        self._visits = np.bincount(origins, times, size) + np.array(steps.ended)
        coefficients = np.concatenate([-times, self._visits])
        where = np.concatenate([origins, every]), np.concatenate([targets, every])
        self._equations = csc_array((coefficients, where), shape=(size, size))
        self._solution = splu(self._equations, diag_pivot_thresh=0.0)
        self._chances = self._solution.solve(self._converted)
        self._conversions = float(self._converted.sum())

    def removal_effect(self, states: _States) -> float:
        """The part of the conversions that goes when every step into `states` leads to null."""
        visits = self._visits[states]
        wanted = visits * self._chances[states]
        if not wanted.any():
            return 0.0

        def come_again(parts: _Numbers) -> _Numbers:
            """`N`, transformed so that the parts of the solution are conversions and what is left over is too."""
            everywhere = np.zeros(len(self._visits))
            everywhere[states] = parts.ravel()
            again: _Numbers = visits * self._solution.solve(everywhere)[states]
            return again

        size, exact = len(states), _EXACT * self._conversions
        matrix = LinearOperator((size, size), matvec=come_again, dtype=np.float64)
        found, _ = gmres(matrix, wanted, rtol=0.0, atol=exact / size, restart=min(size, _TRIES), maxiter=1)
        if np.abs(wanted - come_again(found)).sum() > exact:
            return self._without(states)
        return min(1.0, max(0.0, float(found.sum()) / self._conversions))

    def _without(self, states: _States) -> float:
        """The same by a factorisation of its own, of the equations of all other states."""
        others = np.setdiff1d(np.arange(len(self._visits)), states)
        equations = self._equations[others][:, others].tocsc()
        chances = splu(equations, diag_pivot_thresh=0.0).solve(self._converted[others])
        return min(1.0, max(0.0, 1.0 - float(chances[0] * self._visits[0]) / self._conversions))
