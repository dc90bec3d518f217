"""Whose page is asking: what a visitor's token proves, for all calls under `/v1/me`."""

from typing import Final

from app.kernel.errors import Unauthorized
from app.kernel.http.work import Work
from app.kernel.ids import Malformed, merchant_of
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
        if leaving.is_erased(session, here.signer, merchant_id, visitor):
            raise Unauthorized(_UNKNOWN)
    return merchant_id, visitor
