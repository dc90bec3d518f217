"""The parts about what is asked most: walls and links, likes and shares and orders, beacons."""

from tests.bench import asked
from tests.bench.ground import Ground
from tests.bench.rounds import measured, standing

EVENTS_WANTED = {True: 30_000, False: 60_000}
"""Beacons in a second: on SQLite, and not."""


def links(ground: Ground) -> str:
    """Walls and links, and the usual way."""
    with standing(ground, "links") as stands:
        tables = [(f"On {each.kind.name}", asked.links(each.ours, each.usual, each.world)) for each in stands]
        return measured(ground, "links", tables)


def likes(ground: Ground) -> str:
    """Likes, shares and orders, and the usual way."""
    with standing(ground, "likes") as stands:
        tables = [(f"On {each.kind.name}", asked.likes(each.ours, each.usual, each.world)) for each in stands]
        return measured(ground, "likes", tables)


def beacons(ground: Ground) -> str:
    """What widgets report."""
    with standing(ground, "beacons", compared=False) as stands:
        tables = [
            (f"On {each.kind.name}", [asked.beacons(each.ours, each.world, EVENTS_WANTED[each.kind.is_sqlite])])
            for each in stands
        ]
        return measured(ground, "beacons", tables)
