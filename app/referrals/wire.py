"""The shapes of likes, shares and claims over HTTP. Decides nothing."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.kernel.http.wire import Body, PublicId, Text, Wire
from app.networks.catalogue import SHAREABLE

LONGEST_PAGE = 2048
"""Characters of the address of a shared page."""

Via = Annotated[Text, Field(max_length=64, description="The click id or code by which the page was reached.")]
PersonName = Annotated[Text, Field(max_length=80, description="Shown with the share; only if the person wrote it.")]


def _shareable(network: str) -> str:
    if network not in SHAREABLE:
        raise PydanticCustomError("unknown_network", f"must be one of {', '.join(SHAREABLE)}")
    return network


class LikeIn(Body):
    """A like of a product, on a wall or by itself."""

    product: PublicId
    wall: PublicId | None = None
    via: Via | None = None


class ShareIn(Body):
    """A share of a product, a wall, a product on a wall; or of any page of the merchant's own site, by its `url`."""

    product: PublicId | None = None
    wall: PublicId | None = None
    merchant: Annotated[PublicId, Field(examples=["mer_..."], description="With `url`: whose page it is.")] | None = (
        None
    )
    url: (
        Annotated[
            Text,
            Field(
                max_length=LONGEST_PAGE,
                examples=["https://shop.example/journal/slow-mornings"],
                description="The address of a page: on one of the merchant's `allowed_origins`, or below one of their "
                "`return_urls`. Instead of `product` and `wall`.",
            ),
        ]
        | None
    ) = None
    title: (
        Annotated[Text, Field(max_length=300, description="With `url`: what the page is called. It is not kept.")]
        | None
    ) = None
    network: Annotated[str, Field(max_length=32, examples=["whatsapp"]), AfterValidator(_shareable)]
    via: Via | None = None
    caption: Annotated[Text, Field(max_length=500, description="The person's own words.")] | None = None
    name: PersonName | None = None


class LikeOut(Wire):
    """The like that stands. `visitor` is a new token, where none was sent."""

    id: str
    liked: bool
    likes: int
    code: str
    url: str
    visitor: str | None


class ShareOut(Wire):
    """The share that stands, its link, and the network's own address to pass it on (null where there is none)."""

    id: str
    code: str
    url: str
    intent_url: str | None
    network: str
    parent: str | None
    visitor: str | None


class ClaimOut(Wire):
    """The click id that belongs to this visitor. `visitor` is a new token, where none was sent. Where nothing may be
    remembered of them, the visit is not `bound` to anybody, and `visitor` is null."""

    click: str
    visitor: str | None
    bound: Annotated[bool, Field(examples=[True])]
