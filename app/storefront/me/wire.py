"""What a sharer is told of their word, as JSON."""

from typing import Annotated, Literal, Self

from pydantic import Field

from app.kernel.http.wire import Body, Timestamp, Wire
from app.referrals.wire import PersonName
from app.reports.word import Count, Passed, Word

_OR_FEW = "null: a few, fewer than the merchant tells of by number."


class CountOut(Wire):
    """How many, where they are enough to be told of."""

    count: Annotated[int | None, Field(description=_OR_FEW, examples=[12])]
    and_few: Annotated[bool, Field(description="Whether there are some, or some more, that are not in `count`.")]

    @classmethod
    def of(cls, told: Count) -> Self:
        return cls(count=told.count, and_few=told.and_few)


class SoldOut(Wire):
    """What was bought in one currency; `net` in minor units, less what was given back."""

    currency: Annotated[str, Field(examples=["eur"])]
    orders: Annotated[int, Field(examples=[10])]
    net: Annotated[int, Field(examples=[48_200])]


class SalesOut(Wire):
    """What was bought through one's links. Orders are told of in whole groups, so that a sum never tells what one
    person paid: as many as are told of are in `net`."""

    orders: CountOut
    net: list[SoldOut]


class NamedOut(Wire):
    """A product or wall; `title` is null where it is no longer there."""

    id: str
    title: str | None


class PassedOn(Wire):
    """A like or share that stands, its link, and how often others came through it."""

    id: Annotated[str, Field(examples=["ref_..."])]
    kind: Literal["like", "share"]
    network: Annotated[str, Field(examples=["whatsapp"])]
    url: Annotated[str, Field(description="Its link.", examples=["https://vine.example/r/8Kq3Zt7wB"])]
    product: NamedOut | None
    wall: NamedOut | None
    page: Annotated[str | None, Field(description="The merchant's own page, where one was shared.")]
    caption: str | None
    name: Annotated[str | None, Field(description="Under which it is shown.")]
    at: Timestamp
    visits: CountOut

    @classmethod
    def of(cls, told: Passed, own: str) -> Self:
        referral = told.referral
        product, wall = referral.product_id, referral.wall_id
        return cls(
            id=referral.referral_id,
            kind="like" if referral.kind == "like" else "share",
            network=referral.network or "",
            url=f"{own}/r/{referral.code}",
            product=None if product is None else NamedOut(id=product, title=told.product),
            wall=None if wall is None else NamedOut(id=wall, title=told.wall),
            page=referral.address,
            caption=referral.caption,
            name=told.name,
            at=referral.at,
            visits=CountOut.of(told.visits),
        )


class ShopOut(Wire):
    """The merchant whose things were passed on."""

    id: Annotated[str, Field(examples=["mer_..."])]
    name: Annotated[str, Field(examples=["The Vine"])]


class RewardsOut(Wire):
    """Whether a share may be rewarded, and where it says how."""

    rewarded: bool
    terms: str | None


class MeOut(Wire):
    """What one browser's likes and shares did. Nobody who came or bought is named."""

    visitor: Annotated[str, Field(examples=["vis_..."])]
    merchant: ShopOut
    name: Annotated[str | None, Field(description="What they are called wherever their word is shown; null: nothing.")]
    small_group: Annotated[int, Field(description="Of fewer people no number is told.", examples=[5])]
    visits: CountOut
    sales: SalesOut
    thanks: RewardsOut
    referrals: Annotated[list[PassedOn], Field(description="The newest, 200 at most.")]
    more: Annotated[int, Field(description="Likes and shares that stand and are not listed.")]

    @classmethod
    def of(cls, word: Word, own: str, visitor: str, merchant: ShopOut, thanks: RewardsOut, fewest: int) -> Self:
        return cls(
            visitor=visitor,
            merchant=merchant,
            name=word.name,
            small_group=fewest,
            visits=CountOut.of(word.visits),
            sales=SalesOut(
                orders=CountOut.of(word.orders),
                net=[SoldOut(currency=each.currency, orders=each.orders, net=each.net) for each in word.sold],
            ),
            thanks=thanks,
            referrals=[PassedOn.of(each, own) for each in word.passed],
            more=word.more,
        )


class MeIn(Body):
    """What somebody wants to be called from now on."""

    name: Annotated[
        PersonName | None,
        Field(description="Shown with all that they liked or shared; null (or nothing but spaces): no name anywhere."),
    ]


class NameOut(Wire):
    """What they are called from now on."""

    name: str | None
