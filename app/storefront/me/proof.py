"""Whose page is asking: what a visitor's token proves, for all calls under `/v1/me`."""

from typing import Final

from sqlalchemy.orm import Session

from app.kernel.errors import Unauthorized
from app.kernel.http.work import Work
from app.kernel.ids import Malformed, merchant_of
from app.kernel.runtime import Runtime
from app.privacy import leaving, tokens

_UNKNOWN: Final = "This token proves no visitor: send the one that a like, share or claim answered with."


def proved(work: Work, token: str | None) -> tuple[int, str]:
    """The merchant and the visitor whom the token proves. Raises `Unauthorized`, for who was erased too."""
    claimed, _, _ = (token or "").removeprefix("vt_").partition(".")
    try:
        merchant_id = merchant_of(claimed, "vis")
    except Malformed:
        raise Unauthorized(_UNKNOWN) from None
    here = work.here
    visitor = tokens.visitor_of(here.signer, token, merchant_id)
    if visitor is None:
        raise Unauthorized(_UNKNOWN)
    with here.database.reading() as session:
        must_stand(session, here, merchant_id, visitor)
    return merchant_id, visitor


def must_stand(session: Session, here: Runtime, merchant_id: int, visitor: str) -> None:
    """Raises `Unauthorized` for who was erased; in the transaction that writes of them, also for who was just then."""
    if leaving.is_erased(session, here.signer, merchant_id, visitor):
        raise Unauthorized(_UNKNOWN)
