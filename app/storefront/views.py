"""What there is to see: walls, products and what referrals lead to, read in few queries. Knows tables, not HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from app.catalog import service as catalog
from app.catalog.models import Product
from app.kernel.errors import Gone, NotFound
from app.kernel.ids import Malformed, merchant_of
from app.merchants import service as merchants
from app.merchants.models import Merchant
from app.merchants.origins import allows_page
from app.referrals import names
from app.referrals import service as referrals
from app.referrals.models import Referral
from app.storefront import cards
from app.storefront.cards import Beside, Card
from app.walls import service as walls
from app.walls.models import Wall

MOST_BESIDE = 8
"""Other products of a wall that are named below one of them."""


_GONE = "What this link led to is no longer there."


@dataclass(frozen=True)
class WallView:
    """A wall with what is on it: all of its `total` cards, unless no more than some were wanted."""

    merchant: Merchant
    wall: Wall
    cards: list[Card]
    total: int


@dataclass(frozen=True)
class ProductView:
    """A product, and the wall on which it was met, with what is `beside` it there."""

    merchant: Merchant
    product: Product
    card: Card
    wall: Wall | None
    beside: Sequence[Beside] = ()


@dataclass(frozen=True)
class PageView:
    """A page of the merchant's own that somebody passed on; `said_by` is their name, where it is asked for."""

    referral: Referral
    merchant: Merchant
    address: str
    said_by: str | None = None


@dataclass(frozen=True)
class Led:
    """Where a link leads: to a product, as it was met on `wall`, or to that whole wall."""

    referral: Referral
    merchant: Merchant
    product: Product | None
    wall: Wall | None

    @property
    def lands_on(self) -> str:
        """`page` or `merchant`: the wall's own choice, else the merchant's (api.md, `landing`)."""
        return (self.wall.landing if self.wall is not None else None) or self.merchant.landing


@dataclass(frozen=True)
class ReferralView:
    """What somebody passed on: a product, or a whole wall; `said_by` is their name, where they want it shown."""

    referral: Referral
    seen: ProductView | WallView
    said_by: str | None


class Viewer:
    """Reads views. `own` is the address of this server."""

    def __init__(self, own: str) -> None:
        self.own = own

    def wall(self, session: Session, wall_id: str, most: int | None = None) -> WallView:
        """A standing wall, with its first `most` cards at most. Raises `NotFound`, `Malformed`."""
        merchant = merchants.get(session, merchant_of(wall_id, "wall"))
        return self._wall(session, merchant, walls.get(session, merchant.merchant_id, wall_id), most)

    def product(self, session: Session, product_id: str, wall_id: str | None = None) -> ProductView:
        """A standing product; `wall_id` says where it was met, and counts for nothing if there is no such wall.

        Raises `NotFound`, `Malformed`.
        """
        merchant = merchants.get(session, merchant_of(product_id, "prod"))
        product = catalog.get(session, merchant.merchant_id, product_id)
        return self._product(session, merchant, product, _standing_wall(session, merchant.merchant_id, wall_id))

    def page(self, session: Session, code: str) -> PageView | None:
        """The merchant's own page to which the link of `code` leads; None where it leads to a product or wall.

        Raises `NotFound`; `Gone` when it was withdrawn, or the page is no longer one of theirs: whoever owns its
        address by now would be given their visitors.
        """
        referral = referrals.by_code(session, code)
        if referral.address is None:
            return None
        page = self._page(session, referral, referral.address)
        return replace(page, said_by=names.shown_name(session, referral))

    def referral(self, session: Session, code: str, most: int | None = None) -> ReferralView:
        """What the link of `code` leads to; of a wall the first `most` cards at most.

        Raises `NotFound`; `Gone` when it, or what it led to, was withdrawn.
        """
        return self.seen(session, self._led(session, referrals.by_code(session, code)), most)

    def led(self, session: Session, code: str) -> PageView | Led:
        """Where the link of `code` leads, without what there is to see: half the work of `referral`.

        Raises what `page` and `referral` raise.
        """
        referral = referrals.by_code(session, code)
        if referral.address is not None:
            return self._page(session, referral, referral.address)
        return self._led(session, referral)

    def seen(self, session: Session, led: Led, most: int | None = None) -> ReferralView:
        """What is to be seen there; of a wall the first `most` cards at most."""
        said_by = names.shown_name(session, led.referral)
        if led.product is not None:
            return ReferralView(led.referral, self._product(session, led.merchant, led.product, led.wall), said_by)
        assert led.wall is not None
        return ReferralView(led.referral, self._wall(session, led.merchant, led.wall, most), said_by)

    def wall_url(self, wall_id: str) -> str:
        """The hosted page of a wall."""
        return f"{self.own}/w/{wall_id}"

    def product_url(self, product_id: str, wall: Wall | None = None) -> str:
        """The hosted page of a product, as it is met on `wall`."""
        return f"{self.own}/p/{product_id}" + (f"?wall={wall.wall_id}" if wall is not None else "")

    def _page(self, session: Session, referral: Referral, address: str) -> PageView:
        try:
            merchant = merchants.get(session, referral.merchant_id)
        except NotFound:
            raise Gone(_GONE) from None
        if not allows_page(merchant.allowed_origins, merchant.return_urls, address):
            raise Gone(_GONE)
        return PageView(referral, merchant, address)

    def _led(self, session: Session, referral: Referral) -> Led:
        try:
            merchant = merchants.get(session, referral.merchant_id)
            if referral.product_id is None:
                return Led(referral, merchant, None, walls.get(session, merchant.merchant_id, referral.wall_id or ""))
            product = catalog.get(session, merchant.merchant_id, referral.product_id)
        except NotFound:
            raise Gone(_GONE) from None
        return Led(referral, merchant, product, _standing_wall(session, merchant.merchant_id, referral.wall_id))

    def _wall(self, session: Session, merchant: Merchant, wall: Wall, most: int | None) -> WallView:
        products = walls.products(session, wall, most)
        total = len(products) if most is None or len(products) < most else walls.count(session, wall)
        likes = referrals.count_likes(session, merchant.merchant_id, [each.product_id for each in products])
        shown = [cards.card(each, likes[each.product_id], self.product_url(each.product_id, wall)) for each in products]
        return WallView(merchant, wall, shown, total)

    def _product(self, session: Session, merchant: Merchant, product: Product, wall: Wall | None) -> ProductView:
        likes = referrals.count_likes(session, merchant.merchant_id, [product.product_id])[product.product_id]
        shown = cards.card(product, likes, self.product_url(product.product_id, wall), cards.WHOLE)
        others = () if wall is None else walls.beside(session, wall, product.product_id, MOST_BESIDE)
        beside = [cards.beside(other, self.product_url(other.product_id, wall)) for other in others]
        return ProductView(merchant, product, shown, wall, beside)


def _standing_wall(session: Session, merchant_id: int, wall_id: str | None) -> Wall | None:
    try:
        return walls.get(session, merchant_id, wall_id) if wall_id is not None else None
    except (NotFound, Malformed):
        return None
