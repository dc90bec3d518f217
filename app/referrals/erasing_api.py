"""People who are to be forgotten, by HTTP: the merchant passes on what somebody asked of them."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import StringConstraints
from sqlalchemy.orm import Session

from app.kernel.http.wire import Text
from app.kernel.http.work import UnitOfWork, Work
from app.merchants.access import SecretKey
from app.merchants.audit import By, note
from app.privacy import leaving
from app.privacy.erasure import Erasure
from app.referrals import erasing
from app.referrals.erasing import Person
from app.referrals.identities_api import VisitorPath

CustomerPath = Annotated[
    Text,
    StringConstraints(strip_whitespace=True, max_length=200),
    Path(description="Your own id of the customer, as in `PUT /v1/identities`, or `customer` of an order."),
]

router = APIRouter(tags=["privacy"])


async def _erasure(request: Request) -> Erasure:
    found = request.app.state.erasure
    assert isinstance(found, Erasure)
    return found


Erases = Annotated[Erasure, Depends(_erasure)]


def erase(
    work: Work, erasure: Erasure, merchant_id: int, behind: Callable[[Session], Person], by: By | None = None
) -> Response:
    """Answer 204 when whoever it is was forgotten. Where somebody else asked it (`by`), the audit trail says so, with
    the hashes alone by which those who left are known."""

    def forget(session: Session) -> None:
        person = behind(session)
        erasure.erase(session, merchant_id, *person)
        if by is not None:
            for name in sorted(person.visitors | person.persons):
                note(session, by, "person.erased", leaving.visitor_hash(work.here.signer, merchant_id, name))

    answer = work.write(forget)
    work.here.wakeups.ring("named", {merchant_id})
    return answer


@router.delete("/v1/visitors/{visitor:path}", status_code=204)
def erase_visitor(visitor: VisitorPath, caller: SecretKey, work: UnitOfWork, erasure: Erases) -> Response:
    """Forget a visitor, and all visitors who are the same person: whoever they were is replaced everywhere by an id
    that nobody holds. Their links close, their names and words go; sums, credit and trees stay as they are. Again is
    no error. Cannot be undone. `visitor.erased` tells of each visitor in `/v1/events` and by webhook."""
    merchant_id = caller.merchant_id
    return erase(
        work, erasure, merchant_id, lambda session: erasing.person_behind(session, merchant_id, visitor), caller
    )


@router.delete("/v1/customers/{person:path}", status_code=204)
def erase_customer(person: CustomerPath, caller: SecretKey, work: UnitOfWork, erasure: Erases) -> Response:
    """Forget a customer, by your own id of them: all visitors who were joined to it, and by what their orders knew
    them again. As `DELETE /v1/visitors/{visitor}`."""
    merchant_id = caller.merchant_id
    return erase(
        work, erasure, merchant_id, lambda session: erasing.customer_behind(session, merchant_id, person), caller
    )
