"""Moving in by itself: a file of past facts of every kind, shuffled, brought into a new database in this process."""

import json
from datetime import UTC, datetime, timedelta
from random import Random
from time import perf_counter

from app.history.batches import Batches
from app.history.service import Moving
from app.kernel.clock import SystemClock
from app.kernel.database import Database
from app.kernel.outbox import Outbox
from app.merchants import service as merchants

LINES = 100_000
_BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
_PIECE = 64 * 1024
_SPAN = 300 * 86_400
_NETWORKS = ("whatsapp", "x", "facebook", "mastodon", "email", "copy")


def lines_in_a_second(database: Database, lines: int = LINES) -> float:
    """Lines taken in a second, of a history that is sent once; the credit of its orders is computed within the time.

    `database` is migrated; it gets a new merchant.
    """
    with database.transaction() as session:
        new = merchants.NewMerchant("Vine & Thread", "eur", "Europe/Paris", [], [])
        merchant_id = merchants.create(session, new, _BEGIN).merchant_id
    content = b"".join(history(lines))
    clock = SystemClock()
    begin = perf_counter()
    moving, batches = Moving(database, clock, Outbox(clock), merchant_id, livemode=True), Batches()
    for place in range(0, len(content), _PIECE):
        for batch in batches.feed(content[place : place + _PIECE]):
            moving.take(batch)
    for batch in batches.end():
        moving.take(batch)
    tally = moving.finish()
    took = perf_counter() - begin
    assert tally.accepted == lines, "every line is new, and none is wrong"
    return lines / took


def history(lines: int, seed: int = 1) -> list[bytes]:
    """So many lines of a history, shuffled; the same for the same seed.

    Of twenty lines four are shares, some of them shared on, ten touches, four orders, one joins two devices, and one is
    a refund or, seldom, a coupon.
    """
    random = Random(seed)
    found = [_line(number, lines, random) for number in range(lines)]
    random.shuffle(found)
    return found


def _line(number: int, lines: int, random: Random) -> bytes:
    shares, people, orders = (max(1, lines * part // 20) for part in (4, 5, 4))
    share, person, order = (
        f"{name}{random.randrange(of)}" for name, of in (("s", shares), ("v", people), ("o", orders))
    )
    block, place = divmod(number, 20)
    facts: dict[str, object]
    if place < 4:
        facts = {"kind": "referral", "id": f"s{block * 4 + place}", "type": "share", "visitor": person}
        facts |= {"network": random.choice(_NETWORKS), "parent": share if number % 3 else None}
    elif place < 14:
        facts = {"kind": "touch", "id": f"t{number}", "visitor": person, "type": "click", "referral": share}
    elif place < 18:
        facts = {"kind": "order", "id": f"o{block * 4 + place - 14}", "visitor": person, "currency": "eur"}
        facts |= {"net": random.randrange(100, 100_000), "coupon": f"CODE{block % 50}" if place == 17 else None}
    elif place == 18:
        facts = {"kind": "identity", "visitor": person, "person": f"p{number}"}
    elif block % 50:
        facts = {"kind": "refund", "id": f"r{number}", "order": order, "amount": 100, "reason": "refund"}
    else:
        facts = {"kind": "coupon", "code": f"CODE{block // 50}", "referral": share}
    at = _BEGIN + timedelta(seconds=random.randrange(_SPAN))
    return json.dumps({**facts, "at": at.isoformat()}).encode() + b"\n"
