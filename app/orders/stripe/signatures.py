"""Stripe's signatures on webhooks, checked with Stripe's own code. Knows no clock: whoever asks judges the age.

Only `gateway` imports this, and only when there is something to check: the library costs 200 ms to load.
"""

import re
from datetime import UTC, datetime

import stripe

from app.orders.stripe.problems import BadSignature

_STAMP = re.compile(r"\d{1,11}", re.ASCII)


def signed_at(payload: bytes, signature: str, secrets: tuple[str, ...]) -> datetime:
    """When one of `secrets` signed the payload, by the signer's clock. Raises `BadSignature` where none did."""
    stamp = _stamp(signature)
    if not signature.isascii() or stamp is None:
        raise BadSignature("The signature is missing or malformed.")
    if not any(_is_signed(payload, signature, secret) for secret in secrets):
        raise BadSignature("The signature is missing or was not made with this endpoint's secret.")
    return datetime.fromtimestamp(stamp, UTC)


def _stamp(signature: str) -> int | None:
    """The stamp that is signed: the first one, as Stripe's library takes it. A header with another one beside it, or
    with one that only `int` understands, must not pass off an old message as a new one."""
    stamps = [value for name, _, value in (part.partition("=") for part in signature.split(",")) if name == "t"]
    return int(stamps[0]) if stamps and _STAMP.fullmatch(stamps[0]) else None


def _is_signed(payload: bytes, signature: str, secret: str) -> bool:
    try:
        return bool(stripe.WebhookSignature.verify_header(payload, signature, secret, None))
    except (stripe.SignatureVerificationError, ValueError):  # ValueError: the payload is not UTF-8
        return False
