"""A backup is put back whole or not at all, and never over what somebody still needs."""

import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

from app import migrate
from app.backup.seal import Refused
from app.kernel.database import Database
from tests.conftest import BACKENDS
from tests.db.backups import NOTHING, Broken, NewPlace, back_up, contents, filled, restore

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("kind", BACKENDS)
def test_what_stands_is_replaced_only_when_that_is_said(kind: str, place: NewPlace, file: Path) -> None:
    back_up(filled(place("sqlite"), rows=2), file)
    target = filled(place(kind), rows=3)
    before = contents(target)

    with pytest.raises(Refused, match="not empty"):
        restore(file, target)
    assert before == contents(target)

    restore(file, target, replace=True)
    assert {name: rows[:2] for name, rows in before.items()} == contents(target)


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("kind", BACKENDS)
def test_a_restore_that_breaks_off_leaves_what_was_there(kind: str, replace: bool, place: NewPlace, file: Path) -> None:
    back_up(filled(place("sqlite"), rows=2), file)
    target = filled(place(kind), rows=3 if replace else 0)
    before = contents(target)

    def breaks(_: str, done: int, total: int) -> None:
        if done == total:
            raise Broken

    with pytest.raises(Broken):
        restore(file, target, told=breaks, replace=replace)
    assert before == contents(target)
    restore(file, target, replace=replace)


RESTORE_AND_DIE = """
import os, sys
from pathlib import Path
from tests.db.backups import NOTHING, Broken, NewPlace, back_up, contents, filled, restore
die = lambda _, done, total: os._exit(9) if done == total else None
restore(Path(sys.argv[1]), sys.argv[2], replace=True, told=die)
"""


@pytest.mark.parametrize("kind", BACKENDS)
def test_a_restore_that_is_killed_after_its_last_row_leaves_what_was_there(
    kind: str, place: NewPlace, file: Path
) -> None:
    back_up(filled(place("sqlite"), rows=2), file)
    target = filled(place(kind))
    before = contents(target)

    killed = subprocess.run([sys.executable, "-c", RESTORE_AND_DIE, file, target], cwd=ROOT)

    assert (9, before) == (killed.returncode, contents(target))


def test_a_row_that_has_no_place_in_postgresql_is_told_and_nothing_is_restored(place: NewPlace, file: Path) -> None:
    source, target = filled(place("sqlite")), filled(place("postgresql"), rows=0)
    database = Database(source)
    with database.transaction() as session:
        session.execute(text("UPDATE orders SET currency = 'doubloons' WHERE merchant_id = 3"))
    database.close()
    back_up(source, file)

    with pytest.raises(Refused, match="orders: value too long"):
        restore(file, target)
    assert NOTHING == contents(target)


@pytest.mark.parametrize("kind", BACKENDS)
def test_a_database_that_others_have_open_is_not_restored_into(kind: str, place: NewPlace, file: Path) -> None:
    back_up(filled(place("sqlite")), file)
    target = filled(place(kind))
    server = Database(target)
    with server.reading() as session:
        migrate.applied(session)

    with pytest.raises(Refused, match="stop every server"):
        restore(file, target, replace=True)

    server.close()
    restore(file, target, replace=True)


@pytest.mark.parametrize("into", BACKENDS)
@pytest.mark.parametrize("kind", BACKENDS)
def test_an_older_backup_is_brought_up_to_date_on_its_way(kind: str, into: str, place: NewPlace, file: Path) -> None:
    old = Database(source := place(kind))
    command.upgrade(migrate.config(old), "0002")
    with old.transaction() as session:
        session.execute(
            text(
                "INSERT INTO merchants (merchant_id, public_id, name, currency, timezone, allowed_origins, return_urls,"
                " privacy, landing, created_at)"
                " VALUES (7, 'mer_7', 'Old', 'eur', 'UTC', '[]', '[]', 'counts', 'page', 0)"
            )
        )
    old.close()
    about = back_up(source, file)
    before = file.read_bytes()

    restore(file, target := place(into))

    assert ("0002", 1) == (about.revision, about.rows["merchants"])
    assert before == file.read_bytes()
    assert [(7, "mer_7")] == [row[:2] for row in contents(target)["merchants"]]
    old = Database(source)
    with old.reading() as session:
        assert {"0002"} == migrate.applied(session)
    old.close()


@pytest.mark.parametrize("kind", BACKENDS)
def test_what_a_newer_grapevine_has_in_use_is_left_alone(kind: str, place: NewPlace, file: Path) -> None:
    back_up(filled(place("sqlite")), file)
    newer = Database(source := filled(place(kind), rows=0))
    with newer.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    newer.close()

    with pytest.raises(Refused, match="newer Grapevine"):
        back_up(source, file, force=True)
    with pytest.raises(Refused, match="newer Grapevine"):
        restore(file, source)
