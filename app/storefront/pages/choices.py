"""What a person chose in the form of a product page, so that a refusal loses none of it. Pure.

The friendly page leads back to where they were, with what they chose in the address; the page offers it again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from app.kernel.ids import Malformed, merchant_of

MOST = 99
"""Pieces that a form offers to buy at once; what is left of them is the server's word."""
_LONGEST_COUPON = 200
_MOST_FIELDS = 300
_NAMES = ("variant", "quantity", "coupon")
_PAGES = ("/p/", "/r/")


@dataclass(frozen=True)
class Chosen:
    """A variant, how many of it, and a code; what was not chosen, or cannot be, is as the page offers it."""

    variant: str | None = None
    quantity: int = 1
    coupon: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str], merchant_id: int) -> "Chosen":
        """What the address of a page of this merchant says was chosen."""
        coupon = query.get("coupon", "").strip()
        printable = coupon.isprintable() and len(coupon) <= _LONGEST_COUPON
        return cls(
            _variant(query.get("variant"), merchant_id), _quantity(query.get("quantity")), coupon if printable else ""
        )


NOTHING = Chosen()


def way_back(came_from: str | None, own: str, form: bytes) -> str | None:
    """`came_from` with what the refused `form` held, where that is a product's page of ours (at `own`); any other
    page knows nothing of it and stays as it is."""
    if came_from is None or not came_from.startswith(f"{own}/"):
        return came_from
    url = urlsplit(came_from)
    if not url.path.startswith(_PAGES):
        return came_from
    kept = [(name, value) for name, value in _pairs(url.query) if name not in _NAMES]
    chosen = {name: value for name, value in _pairs(form.decode("utf-8", "replace")) if name in _NAMES and value}
    if chosen.get("quantity") == "1":
        del chosen["quantity"]
    return urlunsplit(url._replace(query=urlencode([*kept, *chosen.items()]), fragment=""))


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return []


def _variant(text: str | None, merchant_id: int) -> str | None:
    try:
        return text if text is not None and merchant_of(text, "var") == merchant_id else None
    except Malformed:
        return None


def _quantity(text: str | None) -> int:
    possible = text is not None and text.isascii() and text.isdecimal() and len(text) <= 2
    return max(1, int(text)) if possible and text is not None else 1
