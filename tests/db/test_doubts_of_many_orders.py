"""Orders that are told together are judged in about as many steps as there are of them: they hold the shop up."""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest
from sqlalchemy import event

from app.kernel.database import Database
from app.trust.found import About
from app.trust.rules import Do
from tests.clock import TestClock
from tests.db.shady import Shady, shady

MANY = 60


@pytest.fixture
def shop(database: Database, still_clock: TestClock, tmp_path: Path) -> Iterator[Shady]:
    with shady(database, tmp_path, still_clock) as opened:
        yield opened


def test_who_is_alike_is_looked_for_once_for_each_order(shop: Shady) -> None:
    shop.rules(own_mail=Do.FLAG)
    sales = [shop.sale(shop.somebody(), mail_hash="same") for _ in range(MANY)]
    called: Counter[str] = Counter()

    def count(frame: FrameType, what: str, _: object) -> None:
        called[frame.f_code.co_qualname if hasattr(frame.f_code, "co_qualname") else frame.f_code.co_name] += (
            what == "call"
        )

    sys.setprofile(count)
    try:
        shop.sell_all(*sales)
    finally:
        sys.setprofile(None)
    assert 0 < called["Gathering._visitor"] < 5 * MANY * MANY


def test_a_code_more_is_a_statement_more(shop: Shady) -> None:
    word = shop.word(shop.somebody())
    for number in range(MANY):
        shop.coupon(f"C{number}", word)
    sales = [shop.sale(shop.somebody(), coupon=f"c{number}") for number in range(MANY)]
    asked = 0

    def count(*_: object) -> None:
        nonlocal asked
        asked += 1

    event.listen(shop.here.database.engine, "before_cursor_execute", count)
    shop.sell_all(*sales)
    assert MANY < asked < 2 * MANY


def test_each_code_is_judged_by_its_own_uses(shop: Shady) -> None:
    word = shop.word(shop.somebody())
    for code in ("SITE", "FRIENDS"):
        shop.coupon(code, word)
    shop.sell_all(*(shop.sale(shop.somebody(), coupon="site") for _ in range(9)))
    told = shop.sell_all(shop.sale(shop.somebody(), coupon="friends"), shop.sale(shop.somebody(), coupon="site"))
    assert {(About.ORDER, told[1], "coupon_site")} == shop.doubted()
