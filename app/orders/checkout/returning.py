"""A buyer who came back from Stripe's page without paying, and buys again. Knows the database and the gateway, not
HTTP.

What they hold themselves must not be sold out to them: where there is not enough, their own open sessions of the same
things end first. Only Stripe can end a session, so that one which is paid at this very moment stays paid.
"""

from collections.abc import Collection

from sqlalchemy import select

from app.kernel.runtime import Runtime
from app.merchants.directory import Shop
from app.orders.checkout import asked, ending
from app.orders.models import UNSETTLED, Checkout
from app.orders.stripe.gateway import Gateway

_MOST = 10
"""Sessions of one buyer that are ended at once: each is a question to Stripe."""


def let_go(here: Runtime, gateway: Gateway, shop: Shop, visitor_id: str, variants: Collection[str]) -> bool:
    """End the visitor's open sessions that hold any of the variants; whether anything was given back.

    Waits for Stripe. Raises `CheckoutUnavailable`.
    """
    mine = (Checkout.merchant_id == shop.merchant_id, Checkout.visitor_id == visitor_id, Checkout.status == "open")
    query = select(Checkout).where(UNSETTLED, *mine).order_by(Checkout.checkout_id.desc()).limit(_MOST)
    with here.database.reading() as session:
        found = session.scalars(query).all()
    holding = [checkout for checkout in found if not asked.wishes_of(checkout).keys().isdisjoint(variants)]
    ended = [_end(here, gateway, shop, checkout) for checkout in holding]
    return any(ended)


def _end(here: Runtime, gateway: Gateway, shop: Shop, checkout: Checkout) -> bool:
    account, session_id = asked.account_of(checkout, shop.stripe_account), checkout.session_id or ""
    gateway.expire_session(session_id, account)
    said = gateway.session(session_id, account)
    if said is None or said.get("status") != "expired":
        return False
    with here.database.transaction() as session:
        place = (checkout.merchant_id, checkout.checkout_id)
        row = session.get_one(Checkout, place, with_for_update=True)
        ending.go_on(session, row, "expired", here.clock.now())
    return True
