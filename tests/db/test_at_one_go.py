"""Rows of several tables written at one go: all or none, and as they were."""

import itertools
from collections.abc import Iterator, Sequence

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from app.kernel.at_one_go import AtOneGo
from app.kernel.bulk import Bulk, Rows, insert_all
from app.kernel.database import Database, table_of
from app.kernel.ids import new_id
from app.referrals.models import Claim, Visit
from tests.clock import START

_CLAIMS = Bulk(table_of(Claim), ("merchant_id", "visit_id", "claimed_id", "visitor_id", "at", "received_at"))
_VISITS = Bulk(table_of(Visit), ("merchant_id", "visit_id", "referral_id", "type", "at", "received_at"))
_merchants = itertools.count(80_000)
ODD = ("a\tb", "a\\nb\n", "\\.", "{,}\"'", "NULL", "", "ä€🍇", "%s ? :x", '"', "\\", " a ")


@pytest.fixture
def line(database: Database) -> Iterator[AtOneGo]:
    opened = AtOneGo(database)
    yield opened
    opened.close()


def rows_of(merchant: int, words: Sequence[str | None]) -> Rows:
    claims = [
        (merchant, f"v{number:03}", f"c{number}", word, -number, 2**62 + number) for number, word in enumerate(words)
    ]
    seen = [(merchant, new_id("clk", merchant, START), referral, "click", 0, 0) for referral in (None, "ref_1", None)]
    return [(_CLAIMS, claims), (_VISITS, seen)]


def claimed(database: Database, merchant: int) -> list[str]:
    with database.reading() as session:
        asked = select(Claim.visitor_id).where(Claim.merchant_id == merchant).order_by(Claim.visit_id)
        return list(session.scalars(asked))


def came(database: Database, merchant: int) -> int:
    """Visits, which all came through the same referral or through none."""
    with database.reading() as session:
        known = session.query(Visit).filter_by(merchant_id=merchant)
        return known.filter_by(referral_id=None).count() + known.filter_by(referral_id="ref_1").count()


@pytest.mark.parametrize("count", [1, 2, len(ODD), 300])
def test_rows_of_several_tables_arrive_as_they_were(database: Database, line: AtOneGo, count: int) -> None:
    merchant = next(_merchants)
    words = [ODD[number % len(ODD)] for number in range(count)]
    line.append(rows_of(merchant, words))
    assert (words, 3) == (claimed(database, merchant), came(database, merchant))
    columns = table_of(Claim).c
    with database.reading() as session:
        asked = select(columns.visit_id, text("at"), text("received_at")).where(columns.merchant_id == merchant)
        numbers = [tuple(row) for row in session.execute(asked.order_by(columns.visit_id))]
    assert [(f"v{number:03}", -number, 2**62 + number) for number in range(count)] == numbers


def test_nothing_is_written_where_there_is_nothing(database: Database, line: AtOneGo) -> None:
    merchant = next(_merchants)
    line.append([])
    line.append([(_CLAIMS, []), (_VISITS, [])])
    line.append([(_CLAIMS, []), rows_of(merchant, [])[1]])
    assert ([], 3) == (claimed(database, merchant), came(database, merchant))


def test_between_two_batches_others_write(database: Database, line: AtOneGo) -> None:
    merchants = [next(_merchants) for _ in range(3)]
    line.append(rows_of(merchants[0], ["a"]))
    with database.transaction() as session:
        insert_all(session, rows_of(merchants[1], ["b"]))
    line.append(rows_of(merchants[2], ["c"]))
    assert [["a"], ["b"], ["c"]] == [claimed(database, merchant) for merchant in merchants]


@pytest.mark.parametrize("bad", [[None], ["a", None]])
def test_a_row_that_cannot_stand_takes_those_of_the_other_table_with_it(
    database: Database, line: AtOneGo, bad: list[str | None]
) -> None:
    merchant = next(_merchants)
    for order in (1, -1):
        with pytest.raises(IntegrityError):
            line.append(rows_of(merchant, bad)[::order])
    assert ([], 0) == (claimed(database, merchant), came(database, merchant))
    line.append(rows_of(merchant, ["good"]))
    with pytest.raises(IntegrityError):  # whose key stands
        line.append(rows_of(merchant, ["again"]))
    assert (["good"], 3) == (claimed(database, merchant), came(database, merchant))
