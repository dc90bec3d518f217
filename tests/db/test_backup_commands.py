"""`grapevine backup` and `grapevine restore`: what an operator is told, and what is left when it ends too soon."""

import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from tests.conftest import SECRET
from tests.db.backups import contents, fill
from tests.db.conftest import Run

ROOT = Path(__file__).parents[2]
ONE_LINE = re.compile(r"grapevine: [^\n]+\n")


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The address of a database in use."""
    fill(url := f"sqlite:///{tmp_path / 'grapevine.db'}")
    return url


@pytest.fixture
def command(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in this process."""
    monkeypatch.setenv("GRAPEVINE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("GRAPEVINE_DATABASE_URL", url)
    monkeypatch.setenv("GRAPEVINE_SECRET", SECRET)
    return lambda *words: CliRunner().invoke(cli, [str(word) for word in words])


def test_what_was_backed_up_is_told_by_table_and_restored(
    command: Run, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "backup.db"
    told = command("backup", file)
    assert 0 == told.exit_code
    assert re.search(r"^orders +3$", told.output, re.MULTILINE)
    assert re.search(rf"^\d+ rows of \d+ tables, [\d.]+ kB, [\d.]+ s: {re.escape(str(file))}$", told.output, re.M)

    monkeypatch.setenv("GRAPEVINE_DATABASE_URL", new := f"sqlite:///{tmp_path / 'new.db'}")
    told = command("restore", file)
    assert (0, "") == (told.exit_code, told.stderr)
    assert re.search(r"^\d+ rows of \d+ tables, restored in [\d.]+ s as it was at 20\S+Z$", told.output, re.MULTILINE)
    assert contents(url) == contents(new)


def test_a_backup_can_be_looked_at_without_restoring_it(command: Run, url: str, tmp_path: Path) -> None:
    command("backup", file := tmp_path / "backup.db")
    before = contents(url)

    told = command("restore", "--check", file)

    assert 0 == told.exit_code
    assert re.search(r": whole, as it was made at 20\S+Z of sqlite$", told.output, re.MULTILINE)
    assert before == contents(url)


def test_a_restore_under_another_secret_warns(command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command("backup", file := tmp_path / "backup.db")
    monkeypatch.setenv("GRAPEVINE_SECRET", "another-secret-of-the-tests")
    monkeypatch.setenv("GRAPEVINE_DATABASE_URL", f"sqlite:///{tmp_path / 'new.db'}")

    for words in (("restore", "--check"), ("restore",)):
        told = command(*words, file)
        assert (0, True) == (told.exit_code, bool(ONE_LINE.fullmatch(told.stderr)))
        assert "another GRAPEVINE_SECRET" in told.stderr


def test_neither_the_secret_nor_its_hash_is_in_the_backup(command: Run, tmp_path: Path) -> None:
    command("backup", file := tmp_path / "backup.db")

    assert SECRET.encode() not in file.read_bytes()


def test_each_refusal_is_one_line(command: Run, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command("backup", file := tmp_path / "backup.db")
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(file.read_bytes()[:-200])
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear Grapevine, " * 1000)

    for words in (
        ("backup", file),
        ("backup", tmp_path / "no-folder" / "backup.db"),
        ("restore", file),
        ("restore", damaged),
        ("restore", "--check", tmp_path / "grapevine.db"),
    ):
        told = command(*words)
        assert (2, True) == (told.exit_code, bool(ONE_LINE.fullmatch(told.output))), told.output

    monkeypatch.setenv("GRAPEVINE_DATABASE_URL", "postgresql://grapevine@127.0.0.1:1/none")
    told = command("backup", tmp_path / "another.db")
    assert (2, True) == (told.exit_code, bool(ONE_LINE.fullmatch(told.output))), told.output
    assert not (tmp_path / "another.db").exists()
    told = command("restore", file)
    assert (2, True) == (told.exit_code, bool(ONE_LINE.fullmatch(told.output))), told.output
    monkeypatch.setenv("GRAPEVINE_DATABASE_URL", f"sqlite:///{letter}")
    told = command("restore", file)
    assert (2, True) == (told.exit_code, bool(ONE_LINE.fullmatch(told.output))), told.output


def started(words: list[str], url: str, folder: Path, most: int | None = None) -> subprocess.Popen[str]:
    """A command in a process of its own, in which no file may grow beyond `most` bytes."""
    environment = {**os.environ, "GRAPEVINE_DATABASE_URL": url, "GRAPEVINE_DATA_DIR": str(folder)}
    environment["TMPDIR"] = str(folder)

    def ready() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # whoever runs the tests in the background ignores it
        if most is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    return subprocess.Popen(
        [sys.executable, "-m", "app.cli", *words],
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=ready,
    )


def test_where_there_is_no_room_for_the_backup_nothing_is_left(url: str, tmp_path: Path) -> None:
    (folder := tmp_path / "small").mkdir()
    full = started(["backup", str(folder / "backup.db")], url, tmp_path, most=300_000)
    _, said = full.communicate(timeout=60)

    assert (2, True) == (full.returncode, bool(ONE_LINE.fullmatch(said))), said
    assert [] == list(folder.iterdir())


def test_where_there_is_no_room_for_what_is_restored_nothing_is_changed(url: str, tmp_path: Path, command: Run) -> None:
    command("backup", file := tmp_path / "backup.db")
    with sqlite3.connect(tmp_path / "small.db") as connection:
        connection.execute("PRAGMA page_size = 65536")  # the copy has room, what is written from it has not
        connection.execute("CREATE TABLE first (first)")
        connection.execute("DROP TABLE first")
    connection.close()
    fill(small := f"sqlite:///{tmp_path / 'small.db'}", rows=2)
    before = contents(small)
    limit = file.stat().st_size + 10_000

    full = started(["restore", "--replace", str(file)], small, tmp_path, most=limit)
    _, said = full.communicate(timeout=60)

    assert (2, True) == (full.returncode, bool(ONE_LINE.fullmatch(said))), said
    assert before == contents(small)
    assert [] == list(tmp_path.glob("grapevine-restore-*"))


def test_where_there_is_no_room_for_the_copy_it_is_said_where(url: str, tmp_path: Path, command: Run) -> None:
    command("backup", file := tmp_path / "backup.db")
    fill(new := f"sqlite:///{tmp_path / 'new.db'}", rows=0)

    full = started(["restore", str(file)], new, tmp_path, most=100_000)
    _, said = full.communicate(timeout=60)

    assert (2, True) == (full.returncode, bool(ONE_LINE.fullmatch(said))), said
    assert "TMPDIR" in said
    assert [] == list(tmp_path.glob("grapevine-restore-*"))


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_a_backup_that_is_told_to_end_tidies_up(url: str, tmp_path: Path, by: signal.Signals) -> None:
    (folder := tmp_path / "kept").mkdir()
    for _ in range(5):  # one that was through before it was told is begun anew
        for kept in folder.iterdir():
            kept.unlink()
        backup = started(["backup", str(folder / "backup.db")], url, tmp_path)
        deadline = time.monotonic() + 30
        while not any(folder.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.002)
        backup.send_signal(by)
        backup.communicate(timeout=30)
        if backup.returncode != 0:
            break

    assert backup.returncode not in (0, 2)
    assert [] == list(folder.iterdir())
