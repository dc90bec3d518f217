"""The aggregate models by themselves: a million journeys through up to fifty channels, solved in this process."""

from collections.abc import Iterator
from random import Random
from time import perf_counter

from app.attribution.engine import Path, markov

PATHS = 1_000_000
LONGEST = 50  # touches of a journey
CHANNELS = tuple(f"network{number}" for number in range(50))
_CONVERTED = 0.03
_BATCH = 20_000


def seconds_for_markov(paths: int = PATHS, order: int = 1) -> float:
    """Seconds to count `paths` journeys of 1 to 50 touches on 50 channels, and to solve their chain.

    The journeys are handed over one by one and not kept. Making them is not in the time.
    """
    made = _Made(paths)
    begin = perf_counter()
    found = markov(made, order)
    took = perf_counter() - begin - made.took
    assert len(found.shares) == len(CHANNELS), "every channel has a share"
    return took


class _Made:
    """Journeys, and how long it took to make them."""

    def __init__(self, paths: int) -> None:
        self._paths = paths
        self.took = 0.0

    def __iter__(self) -> Iterator[Path]:
        random = Random(1)
        favoured = [1 / (place + 1) for place in range(len(CHANNELS))]
        left = self._paths
        while left:
            begin = perf_counter()
            batch = [
                Path(
                    tuple(random.choices(CHANNELS, favoured, k=random.randint(1, LONGEST))),
                    converted := int(random.random() < _CONVERTED),
                    1 - converted,
                )
                for _ in range(min(left, _BATCH))
            ]
            left -= len(batch)
            self.took += perf_counter() - begin
            yield from batch
