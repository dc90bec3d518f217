"""The timeline of one customer by HTTP. Decides nothing."""

from typing import Annotated, Self

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field
from sqlalchemy.orm import Session

from app.delivery import timeline
from app.delivery.timeline import Kind, Moment, Place
from app.kernel.errors import NotFound
from app.kernel.http.wire import Body, Text, Timestamp, Wire
from app.kernel.http.work import UnitOfWork
from app.kernel.ids import is_of
from app.merchants.access import SecretKey
from app.reports.cursor import Cursor, Paging

router = APIRouter(prefix="/v1/customers", tags=["events"])

Person = Annotated[
    Text,
    Path(
        max_length=200,
        description="Your own id of a customer, as `PUT /v1/identities/{visitor}` said it; or a visitor, `vis_…`. May "
        "contain slashes.",
    ),
]


class TimelineQuery(Body):
    limit: Annotated[int, Field(ge=1, le=100, description="How many at most.")] = 20
    cursor: Cursor = None


class MomentOut(Wire):
    """Something that a customer did, or that came of their word. `like`, `share`: theirs (`referral`: through whose
    word they had come). `visit`: they followed a link (`referral`). `order`: they bought. `visit_brought`: somebody
    followed a link of theirs (`referral`). `sale_brought`: an order through a link of theirs. `id` is that of the like,
    share, visit or order. `net`, in minor units: what refunds leave of an order, or of the part of it that came
    through their links."""

    type: Kind
    id: str
    at: Timestamp
    referral: str | None
    network: str | None
    product: str | None
    wall: str | None
    currency: str | None
    net: int | None
    test: bool | None

    @classmethod
    def of(cls, moment: Moment) -> Self:
        _, kind, *told = moment
        return cls(type=kind, **dict(zip(list(cls.model_fields)[1:], told, strict=True)))


class TimelineOut(Wire):
    """What a customer did and brought, newest first. `visitors`: the browsers that were joined to them."""

    person: str
    visitors: list[str]
    data: Annotated[
        list[MomentOut],
        Field(
            examples=[
                [
                    {
                        "type": "sale_brought",
                        "id": "ord_01k9xkq2v900000001abcdefghjkmn",
                        "at": "2026-11-22T09:30:00Z",
                        "referral": "ref_01k9xkq2v900000001mnpqrstvwxyz",
                        "network": "whatsapp",
                        "product": None,
                        "wall": None,
                        "currency": "eur",
                        "net": 1999,
                        "test": False,
                    }
                ]
            ]
        ),
    ]
    next_cursor: str | None


@router.get("/{person:path}/timeline", response_model=TimelineOut)
def customer_timeline(
    person: Person, query: Annotated[TimelineQuery, Query()], caller: SecretKey, work: UnitOfWork, request: Request
) -> Response:
    """Everything about one customer, joined on your own id of them: likes, shares, the visits and sales that these
    brought, their own visits and orders. For a CRM, or whoever answers them on the telephone. 404 for somebody of
    whom nothing is known."""
    paging = Paging.of(request, query, query.cursor, Place, work.here.clock.now())

    def look(session: Session) -> TimelineOut:
        who = timeline.visitors(session, caller.merchant_id, person)
        found = timeline.page(session, caller.merchant_id, who, paging.after, query.limit + 1)
        if not found and who <= {person}:
            raise NotFound
        return TimelineOut(
            person=person,
            visitors=sorted(each for each in who if each != person or is_of(each, caller.merchant_id, "vis")),
            data=[MomentOut.of(moment) for moment in found[: query.limit]],
            next_cursor=paging.next_cursor([moment.place for moment in found], query.limit),
        )

    return work.read(look)
