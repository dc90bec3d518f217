"""What Stripe is asked for a kept checkout. Everything comes from what was kept, since under one key Stripe wants the
same words: asks nobody, writes nothing."""

from collections.abc import Mapping
from typing import Any, Final

from app.merchants.directory import Shop
from app.merchants.selling import Selling
from app.orders.checkout import basket
from app.orders.models import Checkout
from app.orders.stripe.session import Item, NewSession, Terms
from app.orders.stripe.tags import Tags

_UNKNOWN: Final = "unknown_buyer"


def kept_terms(shop: Shop, terms: Terms, *, unknown_buyer: bool = False) -> dict[str, Any]:
    """The terms as a checkout keeps them, with the account that sells: it may be another one tomorrow. An
    `unknown_buyer` wants nothing remembered of them; that, and nothing of theirs, is kept."""
    return {
        **({_UNKNOWN: True} if unknown_buyer else {}),
        "account": shop.stripe_account,
        "locale": terms.locale,
        "promotion": terms.promotion,
        "selling": terms.selling.to_json(),
    }


def terms_of(checkout: Checkout) -> Terms | None:
    """How it is paid; None for a checkout of before there were terms."""
    kept = checkout.terms
    return None if kept is None else Terms(kept["locale"], Selling.from_json(kept["selling"]), kept["promotion"])


def may_not_be_known(checkout: Checkout | None) -> bool:
    """Whether whoever went to the till there wants nothing remembered of them, neither by mail nor by card."""
    return checkout is not None and checkout.terms is not None and _UNKNOWN in checkout.terms


def account_of(checkout: Checkout, otherwise: str | None) -> str | None:
    """The account at Stripe where the checkout's session is; `otherwise` for a checkout of before it was kept."""
    return otherwise if checkout.terms is None else checkout.terms["account"]


def wishes_of(checkout: Checkout) -> Mapping[str, int]:
    """How many of which variant."""
    return {item["variant"]: item["quantity"] for item in checkout.items}


def new_session(checkout: Checkout, shop: Shop) -> NewSession:
    """The session to ask for."""
    lines = [basket.Line(**item) for item in checkout.items]
    return NewSession(
        key=checkout.stripe_key,
        account=account_of(checkout, shop.stripe_account),
        currency=checkout.currency,
        items=[Item(line.title, line.price, line.quantity, line.image) for line in lines],
        tags=Tags(
            merchant=shop.public_id,
            checkout=checkout.checkout_id,
            click=checkout.click_id,
            referral=checkout.referral_id,
            wall=checkout.wall_id,
            visitor=checkout.visitor_id,
            coupon=checkout.coupon,
        ),
        success_url=checkout.success_url,
        cancel_url=checkout.cancel_url,
        expires_at=checkout.expires_at,
        terms=terms_of(checkout),
    )
