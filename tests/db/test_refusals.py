"""What the operator's command line refuses, in one line: a database that is away, a name that is no setting, and to
delete anybody's shop."""

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner, Result

from app.cli import cli
from app.kernel.database import Database
from app.merchants.models import Merchant
from tests.net import free_port

DATA = Path(__file__).parents[1] / "data"
Run = Callable[..., Result]


@pytest.fixture
def grapevine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in a folder of the test's own, with the embedded database unless the test says otherwise."""
    monkeypatch.setenv("GRAPEVINE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("GRAPEVINE_PUBLIC_URL", "http://localhost:8000")  # `serve` would set it, and leave it set
    return lambda *words: CliRunner().invoke(cli, [str(word) for word in words])


def merchants(folder: Path) -> int:
    database = Database(f"sqlite:///{folder}/grapevine.db")
    with database.reading() as session:
        count = session.scalar(select(func.count()).select_from(Merchant)) or 0
    database.close()
    return count


@pytest.mark.parametrize("command", [["serve"], ["worker"], ["migrate"], ["merchant", "A shop"], ["import", "CSV"]])
@pytest.mark.parametrize(
    "address", ["postgresql://grapevine:secret@127.0.0.1:{port}/shop", "sqlite:///{folder}/no/x.db"]
)
def test_a_database_that_is_away_is_told_in_one_line(
    grapevine: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: list[str], address: str
) -> None:
    monkeypatch.setenv("GRAPEVINE_DATABASE_URL", address.format(port=free_port(), folder=tmp_path))

    stopped = grapevine(*[DATA / "shopify_old.csv" if word == "CSV" else word for word in command])

    assert 2 == stopped.exit_code
    assert re.fullmatch(r"grapevine: the database cannot be used: [^\n]+\n", stopped.output)
    assert "secret" not in stopped.output


def test_a_database_that_cannot_be_brought_up_to_date_is_told_in_one_line(grapevine: Run, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "grapevine.db")) as somebody_elses:
        somebody_elses.execute("CREATE TABLE merchants (name TEXT)")

    stopped = grapevine("serve")

    assert 2 == stopped.exit_code
    assert "grapevine: the database cannot be used: table merchants already exists\n" == stopped.output


def test_an_address_that_cannot_be_read_is_told_without_its_password(
    grapevine: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRAPEVINE_DATABASE_URL", "postgresql://grapevine:secret@db:port/shop")

    stopped = grapevine("migrate")

    assert 2 == stopped.exit_code
    assert re.fullmatch(r"grapevine: GRAPEVINE_DATABASE_URL: [^\n]+\n", stopped.output)
    assert "secret" not in stopped.output


def test_a_slip_of_the_pen_in_a_settings_name_stops_the_start(grapevine: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPEVINE_PUBLC_URL", "https://shop.example")

    stopped = grapevine("serve")

    assert 2 == stopped.exit_code
    assert "grapevine: GRAPEVINE_PUBLC_URL is not a setting; did you mean GRAPEVINE_PUBLIC_URL?\n" == stopped.output


# Beginning the demonstration anew


@pytest.fixture
def shop_folder(grapevine: Run, tmp_path: Path) -> Path:
    """A folder in which `grapevine serve` keeps a real shop in the embedded database."""
    assert 0 == grapevine("merchant", "A real shop").exit_code
    return tmp_path


def left_by_a_demonstration(folder: Path, merchant: str) -> None:
    (folder / "demo.json").write_text(
        json.dumps({"merchant": merchant, "secret_key": "sk_", "report_key": "rk_", "wall": "wall_"})
    )


@pytest.mark.parametrize("left", [None, "mer_another"])
def test_a_real_shop_is_not_deleted_with_the_demonstration(grapevine: Run, shop_folder: Path, left: str | None) -> None:
    if left is not None:
        left_by_a_demonstration(shop_folder, left)

    refused = grapevine("demo", "--reset", "--port", free_port())

    assert 2 == refused.exit_code
    assert re.fullmatch(r"grapevine: --reset would delete [^\n]+grapevine\.db, which [^\n]+\n", refused.output)
    assert 1 == merchants(shop_folder)


def test_a_real_shop_beside_the_demonstrations_is_not_deleted_either(grapevine: Run, shop_folder: Path) -> None:
    made = re.search(r"mer_\w+", grapevine("merchant", "The demonstration's").output)
    assert made is not None
    left_by_a_demonstration(shop_folder, made[0])

    refused = grapevine("demo", "--reset", "--port", free_port())

    assert (2, True) == (refused.exit_code, "--reset would delete" in refused.output)
    assert 2 == merchants(shop_folder)


def test_what_is_no_database_of_ours_is_not_deleted(grapevine: Run, tmp_path: Path) -> None:
    (tmp_path / "grapevine.db").write_bytes(b"letters to grandmother" * 100)
    left_by_a_demonstration(tmp_path, "mer_1")

    refused = grapevine("demo", "--reset", "--port", free_port())

    assert (2, True) == (refused.exit_code, "--reset would delete" in refused.output)
    assert (tmp_path / "grapevine.db").exists()


def test_a_database_in_postgresql_is_not_begun_anew(grapevine: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPEVINE_DATABASE_URL", "postgresql://grapevine@127.0.0.1/shop")

    refused = grapevine("demo", "--reset", "--port", free_port())

    assert 2 == refused.exit_code
    assert re.fullmatch(r"grapevine: --reset works for the embedded database only[^\n]*\n", refused.output)
