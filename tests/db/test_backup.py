"""A backup holds all that one moment knew, and comes back as it was into either kind of database."""

import stat
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import insert, text

from app.backup import tables
from app.backup.seal import Refused
from app.kernel.database import Database
from app.merchants.models import Merchant
from app.privacy.models import Salt
from app.referrals.models import Claim
from app.tables import METADATA
from tests.clock import START
from tests.conftest import BACKENDS
from tests.db.backups import CARRIED, NOTHING, Broken, NewPlace, back_up, contents, filled, restore

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("into", BACKENDS)
@pytest.mark.parametrize("kind", BACKENDS)
def test_every_table_comes_back_as_it_was(kind: str, into: str, place: NewPlace, file: Path) -> None:
    source, target = filled(place(kind)), place(into)
    before = contents(source)
    assert CARRIED == {name for name, rows in before.items() if len(rows) == 3}

    about = back_up(source, file)
    told = restore(file, target)

    assert before == contents(target) == contents(source)
    assert about == told
    assert (kind, dict.fromkeys(CARRIED, 3)) == (about.source, about.rows)


@pytest.mark.parametrize("kind", BACKENDS)
def test_a_salt_of_the_day_is_in_no_backup(kind: str, place: NewPlace, file: Path) -> None:
    database = Database(source := filled(place(kind)))
    with database.transaction() as session:
        session.add(Salt(day=START, salt="5a17" * 16))
    database.close()
    back_up(source, file)
    restore(file, target := place(kind))
    assert [] == contents(target)["salts"]
    assert b"5a17" * 4 not in file.read_bytes()


@pytest.mark.parametrize("kind", BACKENDS)
def test_a_restored_database_counts_on_where_the_backup_ended(kind: str, place: NewPlace, file: Path) -> None:
    back_up(filled(place(kind)), file)
    restore(file, target := place(kind))

    database = Database(target)
    with database.transaction() as session:
        known = session.get_one(Merchant, 3)
        columns = {column.name for column in METADATA.tables["merchants"].columns} - {"merchant_id", "public_id"}
        session.add(new := Merchant(public_id="mer_new", **{name: getattr(known, name) for name in columns}))
        session.flush()
        assert 4 == new.merchant_id
    database.close()


@pytest.mark.parametrize("kind", BACKENDS)
def test_a_database_in_which_nothing_happened_yet_can_be_backed_up_too(kind: str, place: NewPlace, file: Path) -> None:
    source, target = filled(place(kind), rows=0), place(kind)

    back_up(source, file)
    restore(file, target)

    assert NOTHING == contents(target)


def test_a_backup_is_one_file_that_its_owner_alone_can_read(place: NewPlace, file: Path) -> None:
    back_up(filled(place("sqlite")), file)

    assert [file] == list(file.parent.iterdir())
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)


def test_restoring_leaves_the_backup_as_it_is(place: NewPlace, file: Path) -> None:
    back_up(filled(place("sqlite")), file)
    before = file.read_bytes()
    file.chmod(0o400)

    restore(file, place("sqlite"))

    assert (before, [file]) == (file.read_bytes(), list(file.parent.iterdir()))


@pytest.mark.parametrize("kind", BACKENDS)
def test_what_happens_meanwhile_waits_for_nobody_and_is_not_in_the_backup(
    kind: str, place: NewPlace, file: Path
) -> None:
    source = filled(place(kind))
    before = contents(source)
    meanwhile = Database(source)

    def write(*_: object) -> None:
        with meanwhile.transaction() as session:
            session.execute(text("UPDATE merchants SET name = name || '!'"))
            session.execute(text("DELETE FROM stale_orders"))

    back_up(source, file, told=write)
    meanwhile.close()
    restore(file, target := place(kind))

    assert before == contents(target)
    assert [] == contents(source)["stale_orders"]


def test_a_file_that_is_there_stays_unless_it_is_to_be_replaced(place: NewPlace, file: Path) -> None:
    source = filled(place("sqlite"))
    file.write_text("my diary")

    with pytest.raises(Refused, match="exists"):
        back_up(source, file)
    assert (b"my diary", [file]) == (file.read_bytes(), list(file.parent.iterdir()))

    back_up(source, file, force=True)
    restore(file, target := place("sqlite"))
    assert contents(source) == contents(target)


def test_the_database_itself_is_never_replaced_by_its_backup(place: NewPlace, tmp_path: Path) -> None:
    source = filled(place("sqlite"))
    before = contents(source)
    own = Path(source.removeprefix("sqlite:///"))
    (tmp_path / "another-name").symlink_to(own)

    for name in (own, tmp_path / "another-name"):
        with pytest.raises(Refused, match="the database itself"):
            back_up(source, name, force=True)
    assert before == contents(source)


def test_a_folder_or_a_device_is_never_replaced(place: NewPlace, tmp_path: Path) -> None:
    for name in (tmp_path, Path("/dev/null")):
        with pytest.raises(Refused, match="is no file"):
            back_up(filled(place("sqlite")), name, force=True)


def test_a_database_that_is_not_there_is_not_made_in_order_to_back_it_up(tmp_path: Path, file: Path) -> None:
    with pytest.raises(Refused, match="nothing to back up"):
        back_up(f"sqlite:///{tmp_path / 'no-such.db'}", file)
    assert [file.parent] == list(tmp_path.iterdir())
    assert not file.exists()


@pytest.mark.parametrize("kind", BACKENDS)
def test_a_database_without_our_tables_is_no_backup(kind: str, place: NewPlace, file: Path, tmp_path: Path) -> None:
    url = place(kind)
    Database(url).close()
    if kind == "sqlite":
        Path(url.removeprefix("sqlite:///")).touch()
    with pytest.raises(Refused, match="no tables of Grapevine's"):
        back_up(url, file)
    assert [] == list(file.parent.iterdir())


@pytest.mark.parametrize("kind", BACKENDS)
def test_it_is_told_how_far_it_is(kind: str, place: NewPlace, file: Path) -> None:
    database = Database(source := filled(place(kind), rows=0))
    claims = [
        {"merchant_id": 1, "visit_id": f"clk_{number}", "claimed_id": f"clk_{number}", "visitor_id": "", "at": START}
        for number in range(2500)
    ]
    with database.transaction() as session:
        session.execute(insert(Claim), [{**claim, "received_at": START} for claim in claims])
    database.close()
    told: list[tuple[str, int, int]] = []

    back_up(source, file, told=lambda *how_far: told.append(how_far))
    restore(file, place(kind), told=lambda *how_far: told.append(how_far))

    steps = [("visit_claims", done, 2500) for done in (1000, 2000, 2500)]
    assert steps + steps == [step for step in told if step[0] == "visit_claims"]
    assert len(CARRIED) + len(METADATA.tables) + 4 == len(told)


def test_a_database_that_is_brought_up_to_date_meanwhile_is_noticed(place: NewPlace) -> None:
    database = Database(filled(place("sqlite"), rows=0))
    with database.reading() as session:
        current = tables.revision(session)
    assert current is not None
    assert (True, False) == (tables.still(database, current), tables.still(database, "0001"))
    database.close()


@pytest.mark.parametrize("kind", BACKENDS)
def test_a_backup_that_breaks_off_leaves_nothing(kind: str, place: NewPlace, file: Path) -> None:
    def breaks(*_: object) -> NoReturn:
        raise Broken

    source = filled(place(kind))
    with pytest.raises(Broken):
        back_up(source, file, told=breaks)
    assert [] == list(file.parent.iterdir())
    assert 3 == len(contents(source)["orders"])
