"""Sessions, refunds and disputes as they stand at Stripe, put as the messages that would have told of them. Pure.

For the day when the message itself never came, and Stripe lists it no more.
"""

from collections.abc import Mapping
from typing import Final

from app.kernel.json_objects import JsonObject

_NOT_TO_BE_PAID: Final = frozenset({"requires_payment_method", "canceled"})
_UNPAID: Final = "unpaid"


def of_session(session: JsonObject, account: str | None) -> dict[str, object] | None:
    """The event, under an id that is the same whenever the session stands so, and dated as the session, since nobody
    knows when it happened; None where the session is still open.

    A payment that settles later has failed where the session's payment intent (which must be there whole to be told)
    waits for another one.
    """
    kind = _kind(session)
    if kind is None:
        return None
    return _event(kind, f"{kind.rpartition('.')[2]}_{session.get('payment_status')}", session, account)


def of_refund(refund: JsonObject, account: str | None) -> dict[str, object]:
    """The event that tells of the refund as it is now."""
    return _event("refund.updated", str(refund.get("status")), refund, account)


def of_dispute(dispute: JsonObject, account: str | None) -> dict[str, object]:
    """The event that tells of the dispute as it is now."""
    return _event("charge.dispute.updated", str(dispute.get("status")), dispute, account)


def _event(kind: str, state: str, subject: JsonObject, account: str | None) -> dict[str, object]:
    return {
        "id": f"standing_{state}_{subject.get('id')}",
        "object": "event",
        "type": kind,
        "created": subject.get("created"),
        "livemode": subject.get("livemode"),
        "account": account,
        "data": {"object": subject},
    }


def _kind(session: JsonObject) -> str | None:
    if session.get("status") == "expired":
        return "checkout.session.expired"
    if session.get("status") != "complete":
        return None
    intent = session.get("payment_intent")
    waits = isinstance(intent, Mapping) and intent.get("status") in _NOT_TO_BE_PAID
    if waits and session.get("payment_status") == _UNPAID:
        return "checkout.session.async_payment_failed"
    return "checkout.session.completed"
