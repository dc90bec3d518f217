"""Coupon codes that speak for a referral, by HTTP."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import ConfigDict, Field, StringConstraints
from sqlalchemy.orm import Session

from app.kernel.as_of import writing_now
from app.kernel.errors import Invalid
from app.kernel.events import Events
from app.kernel.http.pages import Page, PageQuery, newest_first
from app.kernel.http.wire import Body, Name, Text, Timestamp, Wire
from app.kernel.http.work import UnitOfWork
from app.merchants.access import SecretKey
from app.merchants.audit import note
from app.referrals import coupons
from app.referrals.models import Coupon

CodePath = Annotated[
    Text,
    StringConstraints(strip_whitespace=True, max_length=200),
    Path(description="The code, in any case; spaces around it do not count.", examples=["ANA10"]),
]


_REFERRAL = "ref_01k9xkq2v900000001abcdefghjkmn"


class CouponQuery(PageQuery):
    """The parameters of the list."""

    referral: Annotated[Text | None, Field(max_length=200, description="Only codes that speak for this one.")] = None


class CouponIn(Body):
    """For whom the code speaks: for one `referral`, or for one `sharer`."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"referral": _REFERRAL}, {"sharer": "customer-1042"}]})

    referral: (
        Annotated[Name, Field(description="A like or share: `ref_…`, or its id in the system you came from.")] | None
    ) = None
    sharer: (
        Annotated[
            Name,
            Field(
                description="A person or visitor, as `GET /v1/sharers` names them: their newest like or share that "
                "stands now."
            ),
        ]
        | None
    ) = None

    def must_name_one(self) -> None:
        """Raises `Invalid` unless it is said for whom, and only once."""
        if (self.referral is None) == (self.sharer is None):
            raise Invalid.field("/referral", "give either a referral or a sharer")

    def let_speak(self, session: Session, events: Events, merchant_id: int, code: str, now: datetime) -> Coupon:
        """Let the code speak for the one who is named, from now on. Raises `Invalid` for who cannot be."""
        if self.referral is not None:
            return coupons.put(session, events, merchant_id, code, self.referral, now)
        return coupons.put_for_sharer(session, events, merchant_id, code, self.sharer or "", now)


class CouponOut(Wire):
    """A code, the referral that it speaks for, whose that is (null if unknown), and since when."""

    code: str
    referral: str
    sharer: str | None
    since: Timestamp


router = APIRouter(prefix="/v1/coupons", tags=["orders"])


@router.get("", response_model=Page[CouponOut])
def list_coupons(caller: SecretKey, query: Annotated[CouponQuery, Query()], work: UnitOfWork) -> Response:
    """The codes that speak for somebody now, newest first."""

    def read(session: Session) -> Page[CouponOut]:
        speaking = coupons.speaking(caller.merchant_id, work.here.clock.now(), query.referral)
        return newest_first(
            session, speaking, Coupon.coupon_id, query, lambda found: _shown(session, caller.merchant_id, found)
        )

    return work.read(read)


@router.get("/{code:path}", response_model=CouponOut)
def get_coupon(code: CodePath, caller: SecretKey, work: UnitOfWork) -> Response:
    """For whom a code speaks now. 404 if for nobody."""

    def read(session: Session) -> CouponOut:
        found = coupons.get(session, caller.merchant_id, code, work.here.clock.now())
        return _shown(session, caller.merchant_id, [found])[0]

    return work.read(read)


@router.put("/{code:path}", response_model=CouponOut)
def put_coupon(code: CodePath, body: CouponIn, caller: SecretKey, work: UnitOfWork) -> Response:
    """Let a code speak for a referral from now on, or for the newest one of a sharer: orders with it are credited to
    that referral alone. The latest call wins; orders made before it keep their credit. Saying it again changes nothing.
    """
    body.must_name_one()

    def put(session: Session) -> CouponOut:
        now = writing_now(session, caller.merchant_id, work.here.clock)
        said = body.let_speak(session, work.here.events, caller.merchant_id, code, now)
        note(session, caller, "coupon.changed", said.said, {"referral": said.referral_id} if said.at == now else {})
        return _shown(session, caller.merchant_id, [said])[0]

    return work.write(put)


@router.delete("/{code:path}", status_code=204)
def withdraw_coupon(code: CodePath, caller: SecretKey, work: UnitOfWork) -> Response:
    """Let a code speak for nobody from now on; orders made before it keep their credit."""

    def withdraw(session: Session) -> None:
        now = writing_now(session, caller.merchant_id, work.here.clock)
        coupons.withdraw(session, work.here.events, caller.merchant_id, code, now)
        note(session, caller, "coupon.withdrawn", code)

    return work.write(withdraw)


def _shown(session: Session, merchant_id: int, found: Sequence[Coupon]) -> list[CouponOut]:
    sharers = coupons.sharers(session, merchant_id, (coupon.referral_id for coupon in found))
    return [
        CouponOut(
            code=coupon.said, referral=coupon.referral_id, sharer=sharers.get(coupon.referral_id), since=coupon.at
        )
        for coupon in found
        if coupon.referral_id is not None
    ]
