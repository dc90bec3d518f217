"""The end of a backup tells whether all of it is there, and as it was written."""

import json
from pathlib import Path

import pytest

from app.backup.seal import About, Refused, placed, seal, unseal

ABOUT = About("0003", "sqlite", "2026-03-02T10:00:00Z", "fingerprint", {"orders": 3, "réfunds": 0})
PAGES = bytes(range(256)) * 5000


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    file = tmp_path / "backup.db"
    file.write_bytes(PAGES)
    seal(file, ABOUT)
    return file


def test_what_was_sealed_is_known_again(sealed: Path, tmp_path: Path) -> None:
    assert ABOUT == unseal(sealed, tmp_path / "copy")
    assert PAGES == (tmp_path / "copy").read_bytes()


def test_an_empty_database_can_be_sealed(tmp_path: Path) -> None:
    (tmp_path / "backup.db").touch()
    seal(tmp_path / "backup.db", ABOUT)

    assert ABOUT == unseal(tmp_path / "backup.db", tmp_path / "copy")


@pytest.mark.parametrize("left", [0, 1, 100, 4096, 1_000_000, 1_279_999, 1_280_000, 1_280_001, -100, -2, -1])
def test_a_backup_that_was_cut_short_is_refused(sealed: Path, tmp_path: Path, left: int) -> None:
    sealed.write_bytes(sealed.read_bytes()[:left])

    with pytest.raises(Refused, match="cut short"):
        unseal(sealed, tmp_path / "copy")


@pytest.mark.parametrize("lost", [slice(0, 1), slice(5000, 9096), slice(1_279_990, 1_280_010)])
def test_a_backup_that_lost_something_in_its_middle_is_refused(sealed: Path, tmp_path: Path, lost: slice) -> None:
    whole = bytearray(sealed.read_bytes())
    del whole[lost]
    sealed.write_bytes(whole)

    with pytest.raises(Refused, match="damaged"):
        unseal(sealed, tmp_path / "copy")


@pytest.mark.parametrize("at", [*range(0, 1_280_000, 99_991), *range(-170, -66, 7), -60, -2])
def test_a_backup_in_which_one_bit_turned_is_refused(sealed: Path, tmp_path: Path, at: int) -> None:
    whole = bytearray(sealed.read_bytes())
    whole[at] ^= 1
    sealed.write_bytes(whole)

    with pytest.raises(Refused):
        unseal(sealed, tmp_path / "copy")


def test_more_behind_the_seal_is_refused(sealed: Path, tmp_path: Path) -> None:
    with sealed.open("ab") as file:
        file.write(b"\n")

    with pytest.raises(Refused):
        unseal(sealed, tmp_path / "copy")


def test_a_seal_that_claims_more_than_there_is_is_refused(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"{}\ngrapevine-backup 0001 99999999 " + b"0" * 64 + b"\n")

    with pytest.raises(Refused, match="damaged"):
        unseal(tmp_path / "short", tmp_path / "copy")


def test_a_backup_of_a_later_form_is_refused_with_advice(sealed: Path, tmp_path: Path) -> None:
    sealed.write_bytes(sealed.read_bytes().replace(b"grapevine-backup 0001", b"grapevine-backup 0002"))

    with pytest.raises(Refused, match="newer Grapevine"):
        unseal(sealed, tmp_path / "copy")


def test_what_it_says_of_itself_can_be_read_at_its_end_by_anybody(sealed: Path) -> None:
    told, seal_line = sealed.read_bytes()[len(PAGES) :].decode().splitlines()

    assert {"revision": "0003", "source": "sqlite"}.items() <= json.loads(told).items()
    assert seal_line.startswith("grapevine-backup 0001 ")


def test_who_comes_first_keeps_the_name(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="exists"), placed(tmp_path / "backup.db", force=False) as draft:  # noqa: PT012  # the end of the block raises
        draft.write_text("second")
        (tmp_path / "backup.db").write_text("first")

    assert {"backup.db": "first"} == {path.name: path.read_text() for path in tmp_path.iterdir()}


def test_where_there_is_no_folder_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), placed(tmp_path / "no" / "backup.db", force=False):
        pass
    assert [] == list(tmp_path.iterdir())
