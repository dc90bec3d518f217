"""What merchants and their pages tell of sales, in the domain's words. Knows neither HTTP nor the tables."""

import hashlib
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from app.kernel.errors import FieldError, Invalid
from app.kernel.ids import Malformed, merchant_of
from app.kernel.runtime import Runtime
from app.kernel.signing import Signer
from app.orders.buyer_hashes import mail_hash
from app.orders.corrections import Amendment
from app.orders.sales import Sale, SaleLine
from app.orders.wire import LineIn, OrderIn, OrderPatch
from app.privacy import tokens
from app.referrals.clicks import click_in

_SKEW: Final = timedelta(days=1)
"""How far ahead of our clock a shop's may be."""

_LONGEST_CLICK: Final = 200
"""Characters of a click id that are kept."""

_NEVER_NULL: Final = ("cancelled", "net", "gross", "lines")


def fingerprint(body: OrderIn, mail: str = "") -> str:
    """What tells a repetition. A `mail` is in it as a keyed hash, so that nobody can try out whose it was; where none
    is said, it is what it was before there were mails."""
    return hashlib.sha256((body.model_dump_json(exclude={"mail"}) + mail).encode()).hexdigest()


def sale(body: OrderIn, merchant_id: int, here: Runtime) -> Sale:
    """The sale that is told of. Raises `Invalid` for what cannot be; who bought through which click always can."""
    gross = body.net if body.gross is None else body.gross
    if gross < body.net:
        raise Invalid.field("/gross", "must not be less than net")
    if body.placed_at > here.clock.now() + _SKEW:
        raise Invalid.field("/placed_at", "lies in the future")
    click, coupon = through(body.click_id, body.coupon)
    signer = here.signer
    return Sale(
        external_id=body.external_id,
        source="api",
        fingerprint=fingerprint(body, signer.hash(f"told mail:{merchant_id}", body.mail) if body.mail else ""),
        livemode=not (body.test or here.settings.test_mode),
        currency=body.currency,
        gross=gross,
        net=body.net,
        at=body.placed_at,
        click_id=click,
        visitor_id=_visitor(body.visitor, merchant_id, signer),
        coupon=coupon,
        customer_hash=signer.customer_hash(merchant_id, body.customer) if body.customer else None,
        mail_hash=mail_hash(signer, merchant_id, body.mail or body.customer),
        lines=_lines(body.lines),
    )


def through(click: str | None, coupon: str | None) -> tuple[str | None, str | None]:
    """The click and the coupon that are meant: a click id may be told as a landing address; and a shop that has no
    other place for one hands it on as a coupon."""
    meant, coupon = _click(click), coupon or None
    if meant is None and coupon is not None and (meant := click_in(coupon)) is not None:
        coupon = None
    return meant, coupon


def amendment(body: OrderPatch, merchant_id: int, signer: Signer) -> Amendment:
    """What is to be otherwise. What is left out stays; null clears the click, the visitor or the coupon. Raises
    `Invalid`."""
    given = body.model_fields_set
    nothing = [FieldError(f"/{name}", "must not be null") for name in _NEVER_NULL if getattr(body, name) is None]
    if impossible := [error for error in nothing if error.pointer[1:] in given]:
        raise Invalid(*impossible)
    visitor = _visitor(body.visitor, merchant_id, signer)
    if body.visitor and visitor is None:
        raise Invalid.field("/visitor", "is no visitor of this merchant")
    said: dict[str, object] = {
        "net": body.net,
        "gross": body.gross,
        "lines": _lines(body.lines or ()),
        "click_id": _click(body.click_id),
        "visitor": visitor,
        "coupon": body.coupon or None,
    }
    changes = {"visitor_id" if name == "visitor" else name: value for name, value in said.items() if name in given}
    return Amendment(changes, body.cancelled, body.note or None)


def _lines(lines: Iterable[LineIn]) -> tuple[SaleLine, ...]:
    return tuple(SaleLine(**line.model_dump()) for line in lines)


def _click(said: str | None) -> str | None:
    """The click that is meant by an id, or by the landing address that holds it; as it came, where it is neither. None
    for an address without one: who landed there came through nobody's link."""
    if not said:
        return None
    found, is_address = click_in(said), "gv_click" in said.lower()
    if found is not None and (is_address or found == said.lower()):
        return found
    if "://" in said and not is_address:
        return None
    return said if len(said) <= _LONGEST_CLICK else f"{said[: _LONGEST_CLICK - 1]}…"


def _visitor(said: str | None, merchant_id: int, signer: Signer) -> str | None:
    """Who bought, by id or token. One who is not the merchant's is nobody: that must not refuse a sale."""
    if said is None or said.startswith("vt_"):
        return tokens.visitor_of(signer, said, merchant_id)
    try:
        return said if merchant_of(said, "vis") == merchant_id else None
    except Malformed:
        return None
