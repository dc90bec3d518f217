"""Who is whom, by HTTP: the merchant's own server says which visitors are one person."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import Field, StringConstraints
from sqlalchemy.orm import Session

from app.kernel.as_of import writing_now
from app.kernel.errors import Invalid
from app.kernel.http.wire import Body, Name, Text, Timestamp, Wire
from app.kernel.http.work import UnitOfWork
from app.kernel.ids import is_of
from app.kernel.runtime import Runtime
from app.merchants import service as merchants
from app.merchants.access import SecretKey
from app.privacy import standing
from app.privacy.modes import Touchpoint
from app.referrals import identities
from app.referrals.models import Identity

VisitorPath = Annotated[
    Text,
    StringConstraints(strip_whitespace=True, max_length=200),
    Path(description="`vis_…`, or a visitor of the system that you came from."),
]


class IdentityIn(Body):
    """Who the visitor is: your own customer id, or another visitor."""

    person: Annotated[Name, Field(examples=["customer-1042"])]


class IdentityOut(Wire):
    """Who the visitor is, and since when that is known."""

    visitor: str
    person: str
    at: Timestamp

    @classmethod
    def of(cls, identity: Identity) -> "IdentityOut":
        return cls(visitor=identity.visitor_id, person=identity.person, at=identity.at)


router = APIRouter(prefix="/v1/identities", tags=["orders"])


@router.put("/{visitor:path}", response_model=IdentityOut)
def join_identity(visitor: VisitorPath, body: IdentityIn, caller: SecretKey, work: UnitOfWork) -> Response:
    """Say that a visitor is a person you know: all visitors of one person share one journey, as if they had been
    one all along. Earlier sales are credited anew at once. What is said last counts; saying it again changes nothing.
    422 for a visitor of whom nothing may be remembered: they left, did not consent, or no visitors are kept.
    """

    def join(session: Session) -> IdentityOut:
        here = work.here
        now = writing_now(session, caller.merchant_id, here.clock)
        _must_be_remembered(session, here, caller.merchant_id, visitor)
        said = identities.join(session, here.events, caller.merchant_id, visitor, body.person, now)
        return IdentityOut.of(said)

    return work.write(join)


def _must_be_remembered(session: Session, here: Runtime, merchant_id: int, visitor: str) -> None:
    """Raises `Invalid` for a visitor of ours of whom that may not be kept. Another system's people are its own."""
    about = (Touchpoint.IDENTITY, merchants.privacy_of(session, merchant_id), merchant_id, visitor)
    if is_of(visitor, merchant_id, "vis") and not standing.is_remembered(session, here.signer, *about):
        raise Invalid.field("/visitor", "may not be remembered: they left, did not consent, or no visitors are kept")


@router.get("/{visitor:path}", response_model=IdentityOut)
def get_identity(visitor: VisitorPath, caller: SecretKey, work: UnitOfWork) -> Response:
    """Who a visitor stands for. 404 for one who was joined to nobody."""
    return work.read(lambda session: IdentityOut.of(identities.get(session, caller.merchant_id, visitor)))
