"""What is on a card, and the digest by which it is known. Pure."""

import hashlib
import json
from dataclasses import asdict, dataclass

VERSION = 1
"""Of the drawing. Whoever changes how cards look counts on, so that nobody goes on showing the old ones."""
MOST_PICTURES = 4


@dataclass(frozen=True)
class CardFacts:
    """Everything that is drawn, ready to be read: prices are written, words are of the card's language."""

    title: str
    shop: str
    pictures: tuple[str, ...] = ()
    """Addresses; one of a product, up to four of a wall."""
    price: str | None = None
    before: str | None = None
    """The former price, where the present one is lower."""
    sold_out: str | None = None
    """The word for it, where it is so."""
    accent: str = "#5b2a86"
    """`#rrggbb`."""
    dark: bool = False

    @property
    def digest(self) -> str:
        """16 bytes in hexadecimal: other ones as soon as the card would look different."""
        said = json.dumps([VERSION, asdict(self)], sort_keys=True).encode()
        return hashlib.blake2b(said, digest_size=16).hexdigest()

    @property
    def size(self) -> int:
        """Bytes in memory, roughly, with what it is known by."""
        return 1_000 + 4 * (len(self.title) + len(self.shop) + sum(map(len, self.pictures)))
