"""What public calls know of a merchant is read once for all who ask at the same moment."""

import asyncio
import threading

import pytest
from sqlalchemy import event

from app.kernel.database import Database
from app.kernel.errors import NotFound
from app.merchants.directory import Directory
from tests.db.referring import Shop


def test_a_thousand_who_ask_at_once_read_once(database: Database) -> None:
    shop, directory, statements = Shop(database), Directory(database), list[str]()

    async def ask() -> set[int]:
        return {
            each.merchant_id for each in await asyncio.gather(*(directory.find(shop.merchant) for _ in range(1000)))
        }

    @event.listens_for(database.engine, "before_cursor_execute")
    def count(*about: object) -> None:
        statements.append(str(about[2]))

    before = threading.active_count()
    assert {shop.merchant} == asyncio.run(ask())
    assert 1 == len([each for each in statements if "FROM merchants" in each])
    assert threading.active_count() <= before + 1


def test_who_is_not_there_is_not_found_by_any_of_them(database: Database) -> None:
    directory = Directory(database)

    async def ask() -> list[object]:
        return await asyncio.gather(*(directory.find(987_654) for _ in range(5)), return_exceptions=True)

    found = asyncio.run(ask())
    assert [NotFound] * 5 == [type(each) for each in found]
    assert 5 == len({id(each) for each in found})


def test_who_hangs_up_leaves_the_others_what_they_wait_for(database: Database) -> None:
    shop, directory = Shop(database), Directory(database)

    async def ask() -> int:
        impatient, patient = (asyncio.ensure_future(directory.find(shop.merchant)) for _ in range(2))
        await asyncio.sleep(0)
        impatient.cancel()
        found = await patient
        with pytest.raises(asyncio.CancelledError):
            await impatient
        return found.merchant_id

    assert shop.merchant == asyncio.run(ask())
