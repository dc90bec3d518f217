"""Checkouts by HTTP: a public call from pages, as JSON or as a plain form that works without JavaScript."""

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from app.kernel.errors import AppError, NotFound
from app.kernel.http.idempotency import Owner
from app.kernel.http.openapi import problem
from app.kernel.http.problems import UnsupportedMediaType
from app.kernel.http.work import UnitOfWork
from app.merchants.access import Shops, admit
from app.merchants.directory import Directory, Shop
from app.orders import told
from app.orders.checkout import basket
from app.orders.checkout.desk import Attempt, Desk, Wanted
from app.orders.checkout.wire import FORM, CheckoutIn, CheckoutOut, FormRefused, from_form, from_json, request_body
from app.orders.stripe.gateway import Gateway, StripeGateway
from app.orders.stripe.languages import locale_for
from app.privacy import modes, signals, standing, tokens
from app.privacy.modes import Touchpoint
from app.privacy.sightings import seen_by
from app.referrals.quick import VisitorHeader

router = APIRouter(tags=["shopper"])

LARGEST_BODY = 64 * 1024

_REFUSED: dict[str, Any] = problem("Refused: who sent a form is told by a page.")
_REFUSED["content"]["text/html"] = {"schema": {"type": "string"}}


@router.post(
    "/v1/checkouts",
    status_code=201,
    response_model=CheckoutOut,
    responses={303: {"description": "A form was sent: on to the page where it is paid."}, "default": _REFUSED},
    openapi_extra={"requestBody": request_body()},
    max_body_size=LARGEST_BODY,
)
async def check_out(
    request: Request, work: UnitOfWork, shops: Shops, gateway: StripeGateway, visitor_token: VisitorHeader = None
) -> Response:
    """Begin to buy: the answer's `url` is Stripe's page. A form is led there at once (303).

    The click id and its referral go with the payment, so that the sale is credited. An unknown click never
    refuses a sale. What is in stock is reserved until it is paid, or the time to pay is over.

    While Stripe cannot be asked the answer is 503 with `Retry-After`: ask again under the same `Idempotency-Key`, and
    it is never a second session.
    """
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    call = _Call(request, work, shops, gateway)
    if kind == FORM:
        return await call.by_form()
    if kind != "application/json":
        raise UnsupportedMediaType("Send JSON, or a form as application/x-www-form-urlencoded.")
    return await call.answer(from_json(await request.body()), visitor_token)


@dataclass(frozen=True)
class _Call:
    request: Request
    work: UnitOfWork
    shops: Directory
    gateway: Gateway

    async def by_form(self) -> Response:
        """Lead the browser on. What is refused is a page's to tell, since a person reads it."""
        came_from = self.request.headers.get("referer", "")
        back = came_from if came_from.startswith(("http://", "https://")) else None
        try:
            answer = await self.answer(from_form(await self.request.body()), None)
        except AppError as refusal:
            raise FormRefused(refusal, back) from refusal
        shown = json.loads(bytes(answer.body))
        if answer.status_code >= 400:  # a refusal that was kept under an Idempotency-Key
            kept = AppError(shown["detail"])
            kept.status, kept.code, kept.title = answer.status_code, shown["code"], shown["title"]
            raise FormRefused(kept, back)
        return RedirectResponse(shown["url"], 303)

    async def answer(self, body: CheckoutIn, token: str | None) -> Response:
        wishes = tuple(basket.Wish(item.variant, item.quantity) for item in body.items)
        try:
            shop = await self.shops.find(basket.seller(wishes))
        except NotFound:
            raise basket.not_on_offer() from None
        admit(self.request, shop)
        self.gateway.require()
        click, coupon = told.through(body.click, body.coupon)
        wanted = Wanted(
            items=wishes,
            wall_id=body.wall,
            click_id=click,
            coupon=coupon,
            success_url=body.success_url or None,
            cancel_url=body.cancel_url or None,
            locale=locale_for(self.request.headers.get("accept-language")),
        )
        async with self.gateway.shoppers.inside():
            return await run_in_threadpool(self._open, shop, wanted, token)

    def _open(self, shop: Shop, wanted: Wanted, token: str | None) -> Response:
        said = tokens.visitor_of(self.work.here.signer, token, shop.merchant_id)
        visitor = self._remembered(shop, said)
        device = self._device(shop) if visitor == said else None  # nothing of who left, or did not consent
        unknown = visitor != said or signals.says_no(self.request.headers)
        wanted = replace(wanted, visitor_id=visitor, device=device, unknown=unknown)
        desk = Desk(self.work.here, self.gateway, shop)
        buyer = wanted.visitor_id or ""
        attempt = Attempt(_attempt_key(buyer, self.work.key), self.work.fingerprint)

        def open_checkout() -> CheckoutOut:
            checkout = desk.open(wanted, attempt)
            assert checkout.session_url is not None
            return CheckoutOut(id=checkout.checkout_id, url=checkout.session_url, expires_at=checkout.expires_at)

        return self.work.outside(open_checkout, status=201, owner=Owner(shop.merchant_id, buyer))

    def _device(self, shop: Shop) -> str | None:
        seen = seen_by(self.request, shop.privacy, shop.merchant_id, self.work.here.clock.now())
        return None if seen is None else seen.device

    def _remembered(self, shop: Shop, visitor: str | None) -> str | None:
        """Who buys, where that may be remembered; the click id travels in any case (api.md)."""
        here, said_no = self.work.here, signals.says_no(self.request.headers)
        if visitor is None or not modes.might_remember(Touchpoint.CHECKOUT, shop.privacy, said_no):
            return None
        about = (Touchpoint.CHECKOUT, shop.privacy, shop.merchant_id, visitor)
        with here.database.reading() as session:
            return visitor if standing.is_remembered(session, here.signer, *about) else None


def _attempt_key(buyer: str, key: str | None) -> str | None:
    """The client's Idempotency-Key in its scope, as one name of fixed length."""
    return None if key is None else hashlib.sha256(f"{buyer}\n{key}".encode()).hexdigest()
