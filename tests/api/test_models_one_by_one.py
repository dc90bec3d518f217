"""The models side by side, found many at a time, against settling every order by itself under every model."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.attribution.models import KeptPolicy
from app.kernel.ids import merchant_of
from app.reports import buyers, models_report
from app.reports.models_report import Question
from tests import one_by_one, simulated
from tests.barring import bar_some
from tests.conftest import AppServer
from tests.moving import BEGAN, bring, lines, sendable_history, written
from tests.policies import put
from tests.shop import TestMerchant, ok
from tests.soak import SOAK
from tests.unit.attribution.histories import NETWORKS, NOON, VISITORS, random_policy

NewMerchant = Callable[..., TestMerchant]
WORLDS = 400 if SOAK else 25
QUESTIONS = 200 if SOAK else 8
_MICROS = 1_000_000


@pytest.mark.parametrize("seed", range(4))
def test_random_worlds_are_divided_as_order_by_order(merchant: TestMerchant, app_server: AppServer, seed: int) -> None:
    random = Random(seed)
    for since in ([], [0], [0, NOON], [0, NOON // 2, NOON])[seed]:
        put(merchant, random_policy(random), since=written(since * _MICROS))
    bring_worlds(merchant, random)
    correct_some_orders(merchant, random)
    number = merchant_of(merchant.id, "mer")
    assert number is not None
    bar_some(app_server, number, random, WORLDS * seed)
    with app_server.database.transaction() as session:  # as if the policies had been there from the beginning
        session.execute(update(KeptPolicy).where(KeptPolicy.merchant_id == number).values(made_at=BEGAN))
    with app_server.database.reading() as session:
        told = [compare(session, a_question(random, number, app_server.clock.now())) for _ in range(QUESTIONS)]
    assert any(told)


def test_so_are_those_of_people_who_did_more_than_is_looked_at_beside_others(
    merchant: TestMerchant, app_server: AppServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = Random(7)
    bring_worlds(merchant, random)
    number = merchant_of(merchant.id, "mer")
    assert number is not None
    bar_some(app_server, number, random, WORLDS)
    monkeypatch.setattr(buyers, "MOST", 2)
    monkeypatch.setattr(buyers, "_AT_ONCE", 3)
    with app_server.database.reading() as session:
        told = [compare(session, a_question(random, number, app_server.clock.now())) for _ in range(QUESTIONS // 2)]
    assert any(told)


def test_a_world_with_visits_of_its_own_is_divided_alike(shared_server: AppServer) -> None:
    world = simulated.world(shared_server, simulated.TINY)
    number = merchant_of(world.merchants[0][0].public_id, "mer")
    assert number is not None
    begins, ends = (datetime.combine(each, datetime.min.time(), ZoneInfo("UTC")) for each in _days(world))
    question = Question(
        merchant_id=number,
        since=begins,
        until=ends,
        zone=ZoneInfo("UTC"),
        livemode=True,
        as_of=world.server.clock.now(),
    )
    middle = begins + (ends - begins) / 2
    with world.server.database.reading() as session:
        for asked in (question, replace(question, since=middle, group_by="product"), replace(question, until=middle)):
            compare(session, asked)
            compare(session, replace(asked, as_of=middle, only={"kind": ["like"]}))


def _days(world: simulated.World) -> tuple[date, date]:
    return world.made.options.first_day, world.made.options.until


def bring_worlds(merchant: TestMerchant, random: Random) -> None:
    told = b"".join(lines(sendable_history(random, f"{number}-")) for number in range(WORLDS))
    assert bring(merchant, told)["accepted"]


def correct_some_orders(merchant: TestMerchant, random: Random) -> None:
    listed = ok(merchant.http.get("/v1/orders", params={"limit": 100}))["data"]
    for order in random.sample(listed, len(listed) // 8):
        clicks = [f"{random.randrange(WORLDS)}-t{random.randrange(6)}" for _ in range(3)]
        change = random.choice([*({"click_id": each, "visitor": None} for each in clicks), {"coupon": "0-bo"}])
        ok(merchant.http.patch(f"/v1/orders/{order['id']}", json=change))


def a_question(random: Random, merchant: int, now: datetime) -> Question:
    since, until = sorted(random.choice([0, 2 * NOON * _MICROS, random.randrange(2 * NOON * _MICROS)]) for _ in "ab")
    filters = {
        "network": [str(random.choice(NETWORKS)), "(direct)"],
        "sharer": [f"{random.randrange(WORLDS)}-{each}" for each in VISITORS],
        "kind": [random.choice(["like", "share", "(none)"])],
        "shared_to": [str(random.choice(NETWORKS)), "(none)"],
        "seen_from": ["x", "(none)"],
    }
    name = random.choice(sorted(filters))
    only, without = random.choice([({}, {}), ({name: filters[name]}, {}), ({}, {name: filters[name]})])
    return Question(
        merchant_id=merchant,
        since=BEGAN + timedelta(microseconds=since),
        until=BEGAN + timedelta(microseconds=until + 1),
        zone=ZoneInfo("UTC"),
        livemode=True,
        as_of=random.choice([now, BEGAN + timedelta(seconds=random.randrange(3 * NOON))]),
        currency=random.choice([None, None, "jpy"]),
        group_by=random.choice(["network", "product", "wall"]),
        order=random.choice([1, 1, 2, 3]),
        only=only,
        without=without,
    )


def compare(session: Session, question: Question) -> int:
    """Both ways say the same; in how many rows."""
    rows, converted, unconverted = one_by_one.answer(session, question)
    report = models_report.answer(session, question)
    told = {(row.value, row.currency): {name: net for name, net in row.net.items() if net} for row in report.rows}
    assert (rows, converted, unconverted) == (told, report.paths.converted, report.paths.not_converted), question
    return len(told)
