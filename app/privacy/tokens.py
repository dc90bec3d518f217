"""The visitor's token: proof that a browser is the visitor it says. Pure.

`vt_` + the visitor's id + `.` + a signature. The page keeps it in its own storage; we keep nothing.
"""

from app.kernel.ids import Malformed, merchant_of
from app.kernel.signing import Signer

_PURPOSE = "visitor"


def issue(signer: Signer, visitor: str) -> str:
    """The token that proves `visitor` (`vis_…`)."""
    return f"vt_{visitor}.{signer.sign(_PURPOSE, visitor)}"


def visitor_of(signer: Signer, token: str | None, merchant: int) -> str | None:
    """The visitor of `merchant` that `token` proves, or None.

    A token that is forged, of another merchant or of an older secret proves nothing: its bearer is new here.
    """
    if not token or not token.startswith("vt_"):
        return None
    visitor, _, signature = token[3:].partition(".")
    try:
        belongs = merchant_of(visitor, "vis") == merchant
    except Malformed:
        return None
    return visitor if belongs and signer.verify(_PURPOSE, visitor, signature) else None
