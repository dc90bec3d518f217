"""Drawn pictures are kept within bounds, and nothing that happens to their folder matters."""

import logging
import os
import time
from pathlib import Path

import pytest

from app.storefront.pictures.store import LIVES, UNFINISHED_LIVES, Drawn, Folder, Memory
from tests.clock import START, TestClock
from tests.threads import together

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 1000 + b"IEND\xaeB`\x82"
LATER = time.monotonic() + 3600


def digest(number: int) -> str:
    return f"{number:032x}"[::-1]


def test_memory_lets_the_least_used_go() -> None:
    memory = Memory(room=2_500)
    for number in (1, 2):
        memory.put(digest(number), Drawn(b"x" * 1000, True, LATER))
    assert memory.get(digest(1)) is not None
    memory.put(digest(3), Drawn(b"x" * 1000, True, LATER))
    assert [True, False, True] == [memory.get(digest(number)) is not None for number in (1, 2, 3)]
    memory.put(digest(3), Drawn(b"y" * 1400, True, LATER))
    assert [True, True] == [memory.get(digest(number)) is not None for number in (1, 3)]
    memory.put(digest(4), Drawn(b"x" * 5000, True, LATER))
    assert memory.get(digest(4)) is not None


def test_memory_forgets_what_is_too_old() -> None:
    memory = Memory()
    memory.put(digest(1), Drawn(PNG, False, time.monotonic() - 1))
    assert memory.get(digest(1)) is None
    assert memory.get(digest(2)) is None


def test_the_folder_gives_back_what_another_process_wrote(tmp_path: Path) -> None:
    Folder(tmp_path / "cards", TestClock()).put(digest(1), PNG)
    found = Folder(tmp_path / "cards", TestClock()).get(digest(1))
    assert found is not None
    assert (PNG, True) == (found.png, found.whole)
    assert found.until > time.monotonic() + LIVES - 60
    assert Folder(tmp_path / "cards", TestClock()).get(digest(2)) is None


@pytest.mark.parametrize("content", [b"", PNG[:-3], PNG[3:], PNG + b"\0"])
def test_half_a_file_is_none(tmp_path: Path, content: bytes) -> None:
    folder = Folder(tmp_path, TestClock())
    folder.put(digest(1), PNG)
    (tmp_path / digest(1)[:2] / f"{digest(1)}.png").write_bytes(content)
    assert folder.get(digest(1)) is None


def test_a_file_is_believed_for_a_week(tmp_path: Path) -> None:
    folder = Folder(tmp_path, TestClock())
    folder.put(digest(1), PNG)
    old = START.timestamp() - LIVES - 1
    os.utime(tmp_path / digest(1)[:2] / f"{digest(1)}.png", (old, old))
    assert folder.get(digest(1)) is None
    Folder(tmp_path, TestClock()).put(digest(2), PNG)
    assert [f"{digest(2)}.png"] == [path.name for path in tmp_path.glob("*/*")]


def test_the_oldest_go_when_there_is_no_more_room(tmp_path: Path) -> None:
    folder = Folder(tmp_path, TestClock(), room=16 * len(PNG))
    for number in range(40):
        folder.put(digest(number), PNG)
        path = tmp_path / digest(number)[:2] / f"{digest(number)}.png"
        os.utime(path, (START.timestamp() - 1000 + number,) * 2)
    kept = {path.name for path in tmp_path.glob("*/*")}
    assert 16 <= len(kept) <= 18
    assert f"{digest(39)}.png" in kept
    assert f"{digest(0)}.png" not in kept


def test_what_a_crash_left_behind_is_taken_away(tmp_path: Path) -> None:
    (tmp_path / "00").mkdir()
    left, fresh = tmp_path / "00" / "new-1", tmp_path / "00" / "new-2"
    for path in (left, fresh):
        path.write_bytes(b"x")
    os.utime(left, (START.timestamp() - UNFINISHED_LIVES - 1,) * 2)
    Folder(tmp_path, TestClock()).put(digest(1), PNG)
    assert [False, True] == [left.exists(), fresh.exists()]


@pytest.mark.parametrize("blocked", ["file", "folder"])
def test_a_folder_that_cannot_be_written_is_named_once(
    tmp_path: Path, blocked: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A file where the folder should be, or a folder where the file should be: root may write everywhere else."""
    place = tmp_path / "cards"
    if blocked == "file":
        place.write_bytes(b"")
    else:
        (place / digest(1)[:2] / f"{digest(1)}.png").mkdir(parents=True)
    folder = Folder(place, TestClock())
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            folder.put(digest(1), PNG)
            assert folder.get(digest(1)) is None
    assert 1 == len(caplog.records)
    assert [] == list(tmp_path.glob("cards/*/new-*"))


def test_many_write_at_once(tmp_path: Path) -> None:
    folder = Folder(tmp_path, TestClock(), room=4 * len(PNG))

    def write() -> None:
        for number in range(30):
            folder.put(digest(number), PNG)
            found = folder.get(digest(number))
            assert found is None or found.png == PNG

    together(*[write] * 4)
    assert len(list(tmp_path.glob("*/*"))) <= 6
