"""What is wanted, held against what is on offer: the lines of a checkout. Knows the session and other domains'
services, not HTTP, not Stripe."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.catalog import service as catalog
from app.catalog.models import Product, Variant
from app.kernel.errors import Invalid, NotFound
from app.kernel.ids import Malformed, merchant_of

_LONGEST_TITLE = 300


class OutOfStock(Invalid):
    code, title = "out_of_stock", "There is not enough of it in stock"


@dataclass(frozen=True)
class Wish:
    """A variant by its id, and how many of it."""

    variant: str
    quantity: int


@dataclass(frozen=True)
class Line:
    """A line as it is charged and kept: `price` of one, in minor units, as it was at that moment."""

    variant: str
    product: str
    title: str
    quantity: int
    price: int
    image: str | None

    @property
    def amount(self) -> int:
        return self.price * self.quantity


@dataclass(frozen=True)
class Basket:
    """Lines of one merchant in one currency."""

    lines: tuple[Line, ...]
    currency: str

    @property
    def amount(self) -> int:
        return sum(line.amount for line in self.lines)


def seller(wishes: Sequence[Wish]) -> int:
    """The number of the one merchant of all that is wanted. Raises `Invalid` naming the item that is another's."""
    numbers = [_number(position, wish) for position, wish in enumerate(wishes)]
    for position, number in enumerate(numbers):
        if number != numbers[0]:
            raise Invalid.field(_pointer(position, "variant"), "is of another merchant than the first item")
    return numbers[0]


def fill(session: Session, merchant_id: int, wishes: Sequence[Wish]) -> Basket:
    """The basket at today's prices; a variant that is wanted twice is one line of the sum. Raises `Invalid` naming what
    is not on offer, or not in that quantity.

    Nothing is reserved yet.
    """
    found = [_on_offer(session, merchant_id, position, wish) for position, wish in enumerate(wishes)]
    currency = found[0][0].currency
    for position, (variant, _) in enumerate(found):
        if variant.currency != currency:
            raise Invalid.field(_pointer(position, "variant"), f"is not priced in {currency}, as the first item is")
    wanted = Counter[str]()
    for wish in wishes:
        wanted[wish.variant] += wish.quantity
    offered = {variant.variant_id: (variant, product) for variant, product in found}
    for variant, _ in offered.values():
        if variant.left is not None and wanted[variant.variant_id] > variant.left:
            raise too_many(wishes, variant.variant_id, variant.left)
    return Basket(tuple(_line(*offered[each], quantity) for each, quantity in wanted.items()), currency)


def too_many(wishes: Sequence[Wish], variant_id: str, left: int) -> OutOfStock:
    """The answer where only so many pieces of the variant are left, naming the item with which it is too many."""
    position = _too_much_at(wishes, variant_id, left)
    if left == 0:
        return OutOfStock.field(_pointer(position, "variant"), "is sold out")
    return OutOfStock.field(_pointer(position, "quantity"), f"is more than the {left} in stock")


def _too_much_at(wishes: Sequence[Wish], variant_id: str, left: int) -> int:
    """The position of the wish with which more of the variant is wanted than is left."""
    so_far = 0
    for position, wish in enumerate(wishes):
        so_far += wish.quantity if wish.variant == variant_id else 0
        if so_far > left:
            return position
    raise ValueError("so many are left")


def _number(position: int, wish: Wish) -> int:
    try:
        return merchant_of(wish.variant, "var")
    except Malformed:
        raise not_on_offer(position) from None


def _on_offer(session: Session, merchant_id: int, position: int, wish: Wish) -> tuple[Variant, Product]:
    try:
        variant, product = catalog.variant(session, merchant_id, wish.variant)
    except (NotFound, Malformed):
        raise not_on_offer(position) from None
    if variant.price is None:
        raise Invalid.field(_pointer(position, "variant"), "is shown but not for sale: it has no price")
    return variant, product


def not_on_offer(position: int = 0) -> Invalid:
    """The answer for a variant that is not there, or whose merchant is not."""
    return Invalid.field(_pointer(position, "variant"), "is not a variant on offer")


def _pointer(position: int, name: str) -> str:
    return f"/items/{position}/{name}"


def _line(variant: Variant, product: Product, quantity: int) -> Line:
    assert variant.price is not None
    title = f"{product.title} – {variant.title}" if variant.title else product.title
    return Line(
        variant=variant.variant_id,
        product=product.product_id,
        title=title[:_LONGEST_TITLE],
        quantity=quantity,
        price=variant.price,
        image=product.images[0] if product.images else None,
    )
