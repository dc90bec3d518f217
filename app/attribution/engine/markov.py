"""The Markov model: how much less often journeys would convert if a channel were not there.

Pure. Counts the steps of journeys, as many as there are different ones; `elimination` solves where they are few, and
else `removal`, or whoever does it for the caller. numpy and scipy are needed there only, not for importing this.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Final, NamedTuple

from app.attribution.engine import elimination
from app.attribution.engine.aggregate import Path, times
from app.attribution.engine.elimination import Steps

ORDERS: Final = (1, 2, 3)
MOST_CHANNELS: Final = 2_000
MOST_STATES: Final = 6_000
"""Where everything follows everything, the factorisation fills up: so many take 300 MB and, with 500 channels, half a
minute. Twice as many would take over 1 GB and many minutes."""

FEW: Final = 128
"""States that are solved by elimination: in a tenth of a second, and twice as many in eight times as long."""

Solver = Callable[[Steps, int], list[float]]
"""Removal effects of so many channels, as `removal.removal_effects` finds them."""
State = tuple[str | None, ...]
"""The last channels of a journey, as many as the order says, latest last; None stands where it had not begun yet."""


class TooManyStates(ValueError):
    """More channels, or sequences of them, than can be solved in a reasonable time. Fewer channels, or a lower
    order, can be."""


class Markov(NamedTuple):
    """What the model found. Channels come by name; also those that no journey would miss."""

    conversion: float  # the probability that a journey converts
    removal_effects: Mapping[str, float]  # 1 - P(convert without it) / P(convert), from 0 to 1
    shares: Mapping[str, float]  # parts of the removal effects; they add up to 1, or are all 0


class Transitions:
    """Counts the steps of journeys. Its memory grows with the different steps, not with the journeys."""

    def __init__(self, order: int = 1) -> None:
        """A chain that remembers the last `order` channels. ValueError for an order that is not 1, 2 or 3."""
        if order not in ORDERS:
            raise ValueError("a Markov chain is of order 1, 2 or 3 here")
        self._order = order
        self._begin: State = (None,) * order
        self._steps: Counter[State] = Counter()  # a state and the channel that came next: how often
        self._ends: dict[State, tuple[int, int]] = {}  # conversions, nulls

    def add(self, path: Path) -> None:
        """Count the journeys of `path`. ValueError for a number below zero."""
        often = times(path)
        if not often:
            return
        visited = self._begin + path.channels
        steps = zip(*(islice(visited, skipped, None) for skipped in range(self._order + 1)), strict=False)
        if often == 1:
            self._steps.update(steps)
        else:
            for step in steps:
                self._steps[step] += often
        end = visited[-self._order :]
        conversions, nulls = self._ends.get(end, (0, 0))
        self._ends[end] = conversions + path.conversions, nulls + path.nulls

    def solve(self, many: Solver | None = None) -> Markov:
        """The model's answer to what was counted. TooManyStates for more than can be solved.

        `many` solves for more than a `FEW` states; without it that is done here, and numpy and scipy stay loaded.
        """
        channels = sorted({step[-1] for step in self._steps if step[-1] is not None})
        conversions = sum(conversions for conversions, _ in self._ends.values())
        nulls = sum(nulls for _, nulls in self._ends.values())
        effects = self._effects(channels, many or _here) if channels and conversions else [0.0] * len(channels)
        whole = sum(effects) or 1.0
        return Markov(
            conversion=conversions / (conversions + nulls) if conversions else 0.0,
            removal_effects=dict(zip(channels, effects, strict=True)),
            shares={channel: effect / whole for channel, effect in zip(channels, effects, strict=True)},
        )

    def _effects(self, channels: list[str], many: Solver) -> list[float]:
        if len(channels) > MOST_CHANNELS:
            raise TooManyStates(f"{len(channels)} channels are more than {MOST_CHANNELS}")
        number: dict[str | None, int] = {channel: index for index, channel in enumerate(channels)}
        number[None] = -1
        # Sorted, so that the answer is the same in whatever order the journeys were counted.
        steps = sorted((tuple(number[channel] for channel in step), often) for step, often in self._steps.items())
        states = {(-1,) * self._order: 0}
        for step, _ in steps:
            states.setdefault(step[1:], len(states))
        if len(states) > MOST_STATES:
            raise TooManyStates(f"{len(states)} sequences of channels are more than {MOST_STATES}")
        converted, ended = [0] * len(states), [0] * len(states)
        for end, (conversions, nulls) in self._ends.items():
            state = states[tuple(number[channel] for channel in end)]
            converted[state], ended[state] = conversions, conversions + nulls
        moves = [(states[step[:-1]], states[step[1:]], often) for step, often in steps]
        chain = Steps([state[-1] for state in states], moves, converted, ended)
        return (many if len(states) > FEW else elimination.removal_effects)(chain, len(channels))


def markov(paths: Iterable[Path], order: int = 1) -> Markov:
    """Removal effects of every channel, and their shares (attribution.md, aggregate models).

    A state is the last `order` channels of a journey, fewer where it has only begun; a channel that follows
    itself is a step like any other. Removing a channel sends every step to it to null. Solved exactly as far as
    double precision goes (to about 1e-12), never simulated. Without any conversion all is 0. ValueError for a
    number below zero and for an order that is not 1, 2 or 3; TooManyStates for more than can be solved.
    """
    transitions = Transitions(order)
    for path in paths:
        transitions.add(path)
    return transitions.solve()


def _here(steps: Steps, channels: int) -> list[float]:
    # Imported here: numpy and scipy take longer to load than all the rest, and few processes ever need them.
    from app.attribution.engine.removal import removal_effects

    return removal_effects(steps, channels)
