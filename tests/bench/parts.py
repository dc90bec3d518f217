"""The parts of the benchmark in the order of the page: each makes its section, and knows nothing of the others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.bench import hot, processes, profiles, reports, sizes, sizes_of_embeds, speeds
from tests.bench.ground import Ground
from tests.bench.peers import section as peers


@dataclass(frozen=True)
class Part:
    """A section: its title, and what writes it."""

    title: str
    section: Callable[[Ground], str]


PARTS: Mapping[str, Part] = {
    "links": Part("Walls and links", hot.links),
    "likes": Part("Likes, shares and orders", hot.likes),
    "beacons": Part("Beacons", hot.beacons),
    "reports": Part("Reports at size", reports.section),
    "start": Part("Start", processes.start),
    "memory": Part("Memory", processes.memory),
    "streams": Part("Live streams", processes.streams),
    "profiles": Part("Where the time goes", profiles.section),
    "peers": Part("Others at the same job", peers.section),
    "engine": Part("The attribution engine", speeds.section),
    "sizes": Part("Attribution at size", sizes.section),
    "embeds": Part(sizes_of_embeds.TITLE, lambda _: sizes_of_embeds.section(sizes_of_embeds.everything())),
}
TITLES = [part.title for part in PARTS.values()]
