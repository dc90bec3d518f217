"""Beacons by HTTP: what a widget saw and what was opened in it, many at once, from any page, while it is being left."""

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from itertools import compress
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Request
from pydantic import Field, ValidationError
from starlette.concurrency import run_in_threadpool

from app.kernel.errors import Invalid, NotFound
from app.kernel.http.problems import TooLarge
from app.kernel.http.wire import Body, PublicId, Text, Timestamp, Wire
from app.kernel.http.work import Here
from app.kernel.ids import Malformed, merchant_of
from app.kernel.runtime import Runtime
from app.merchants.access import Shops
from app.merchants.directory import Directory, Shop
from app.merchants.origins import allows_origin
from app.privacy import signals, tokens
from app.referrals import beacons, bots
from app.referrals.beacons import Report, Shown

LARGEST_BODY: Final = 64 * 1024
"""Bytes: what browsers send for a page that is gone."""
MOST: Final = 100
"""Reports to one request."""

ShortText = Annotated[Text, Field(max_length=200)]


class BeaconIn(Body):
    """One thing that was seen or opened."""

    type: Literal["wall_view", "card_view", "card_open", "share_open", "checkout_open"]
    wall: PublicId | None = None
    product: PublicId | None = None
    code: Annotated[ShortText, Field(description="Whose word it was: the card of this referral was shown.")] | None = (
        None
    )
    click: Annotated[PublicId, Field(description="The visit by which the page was reached.")] | None = None
    visitor: Annotated[ShortText, Field(description="The visitor's token, `vt_…`.")] | None = None
    at: Annotated[Timestamp, Field(description="When; believed between a day ago and now. Default: now.")] | None = None


class BeaconsOut(Wire):
    """How many were kept, and how many could not be: of an unknown type, of things that are not there."""

    kept: int
    refused: int


_EXAMPLE = [
    {"type": "wall_view", "wall": "wall_01jq2y"},
    {"type": "card_view", "wall": "wall_01jq2y", "product": "prod_01jq2z", "at": "2026-11-22T09:30:00Z"},
]
_LIST: dict[str, Any] = {
    "schema": {"type": "array", "maxItems": MOST, "items": BeaconIn.model_json_schema()},
    "example": _EXAMPLE,
}
_BODY = {"requestBody": {"required": True, "content": {"application/json": _LIST, "text/plain": _LIST}}}

router = APIRouter(tags=["shopper"])


@router.post("/v1/beacons", status_code=202, response_model=BeaconsOut, openapi_extra=_BODY)
async def report_beacons(request: Request, here: Here, shops: Shops) -> BeaconsOut:
    """Report what was seen and opened: a JSON array of up to 100, as `application/json` or `text/plain` (which a page
    may send to another origin without asking first). One that is impossible is counted as refused, and does not lose
    the others.

    Under Global Privacy Control or Do Not Track, and where the merchant keeps no visitors, it is counted without
    visitor and click. Machines count for nothing. A `card_view` with a `code` and a proven visitor is a touch of type
    `view`, once an hour.
    """
    entries = _entries(await _body(request))
    if bots.is_machine("GET", request.headers.get("user-agent"), request.headers):
        return BeaconsOut(kept=0, refused=len(entries))
    codes = {entry.code for entry in entries if entry is not None and entry.code is not None}
    shown = await run_in_threadpool(_shown, here, codes) if codes else {}
    reading = _Reading(request, here, await _shops(shops, entries, shown), shown)
    found = [
        (entry, report) for entry in entries if entry is not None and (report := reading.report(entry)) is not None
    ]
    reports = tuple(report for _, report in found)
    stands: list[bool] = await here.recorder.record(beacons.NewBeacons(reports)) if reports else []
    kept = list(compress(found, stands))
    seen = [(shown[entry.code], report) for entry, report in kept if entry.type == "card_view" and entry.code]
    if views := _views(seen):
        await run_in_threadpool(_touch, here, views)
    return BeaconsOut(kept=len(kept), refused=len(entries) - len(kept))


async def _body(request: Request) -> bytes:
    """Raises `TooLarge` as soon as it is."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_BODY:
            raise TooLarge(f"A beacon's body is {LARGEST_BODY} bytes at most.")
    return bytes(body)


def _entries(body: bytes) -> list[BeaconIn | None]:
    """What was reported; None for each that cannot be understood. Raises `Invalid` where it is no list of them."""
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        raise Invalid.field("", "must be JSON") from None
    if not isinstance(raw, list) or len(raw) > MOST:
        raise Invalid.field("", f"must be an array of at most {MOST}")
    return [_entry(each) for each in raw]


def _entry(raw: object) -> BeaconIn | None:
    try:
        return BeaconIn.model_validate(raw)
    except ValidationError:
        return None


def _merchant_of(entry: BeaconIn, shown: dict[str, Shown]) -> int | None:
    """Whose things are named, where they are all one merchant's and there is anything."""
    if entry.code is not None and entry.code not in shown:
        return None
    if entry.wall is None and (entry.type == "wall_view" or (entry.product or entry.code) is None):
        return None
    try:
        named = {
            merchant_of(each, prefix)
            for each, prefix in ((entry.wall, "wall"), (entry.product, "prod"), (entry.click, "clk"))
            if each is not None
        }
    except Malformed:
        return None
    if entry.code is not None:
        named.add(shown[entry.code].merchant_id)
    return named.pop() if len(named) == 1 else None


async def _shops(shops: Directory, entries: Iterable[BeaconIn | None], shown: dict[str, Shown]) -> dict[int, Shop]:
    """The merchants of whom something is reported, as far as they are there."""
    found: dict[int, Shop] = {}
    for merchant in {_merchant_of(entry, shown) for entry in entries if entry is not None}:
        try:
            if merchant is not None:
                found[merchant] = await shops.find(merchant)
        except NotFound:
            pass
    return found


class _Reading:
    """What of a request's reports may be written."""

    def __init__(self, request: Request, here: Runtime, shops: dict[int, Shop], shown: dict[str, Shown]) -> None:
        self._here = here
        self._shops = shops
        self._shown = shown
        self._origin = request.headers.get("origin")
        self._says_no = signals.says_no(request.headers)
        self._now = here.clock.now()

    def report(self, entry: BeaconIn) -> Report | None:
        """The fact; None where it names what cannot be, or comes from a page that may not call."""
        shop = self._shops.get(_merchant_of(entry, self._shown) or 0)
        if shop is None or not self._may_call(shop):
            return None
        unknown = self._says_no or shop.privacy == "none"
        return Report(
            merchant_id=shop.merchant_id,
            type=entry.type,
            wall_id=entry.wall,
            product_id=entry.product,
            referral_id=None if entry.code is None else self._shown[entry.code].referral_id,
            click_id=None if unknown else entry.click,
            visitor_id=None if unknown else tokens.visitor_of(self._here.signer, entry.visitor, shop.merchant_id),
            at=beacons.believed(entry.at, self._now),
            received_at=self._now,
        )

    def _may_call(self, shop: Shop) -> bool:
        return self._origin is None or allows_origin(shop.allowed_origins, self._origin, self._here.settings.public_url)


Views = dict[str, list[tuple[Shown, datetime]]]
"""What each visitor saw. A visitor is one merchant's."""


def _views(seen: Iterable[tuple[Shown, Report]]) -> Views:
    views: Views = defaultdict(list)
    for referral, report in seen:
        if report.visitor_id is not None and not referral.is_withdrawn:
            views[report.visitor_id].append((referral, report.at))
    return views


def _shown(here: Runtime, codes: Iterable[str]) -> dict[str, Shown]:
    with here.database.reading() as session:
        return beacons.shown(session, codes)


def _touch(here: Runtime, views: Views) -> None:
    for visitor, seen in views.items():
        with here.database.transaction() as session:
            beacons.touch(session, here.events, visitor, seen, here.clock.now())
