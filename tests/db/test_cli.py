"""The operator's command line."""

import re
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.catalog.models import Product
from app.kernel.database import Database
from tests.db.conftest import Run

DATA = Path(__file__).parents[1] / "data"


def products(url: str) -> int:
    database = Database(url)
    with database.reading() as session:
        count = session.scalar(select(func.count()).select_from(Product)) or 0
    database.close()
    return count


def test_a_merchant_is_made_and_its_keys_are_shown(grapevine: Run) -> None:
    made = grapevine("merchant", "Vine & Thread", "--origin", "https://blog.example")

    assert 0 == made.exit_code
    assert re.fullmatch(r"merchant +mer_\w{30}\nsecret key +sk_\w{38}\nreport key +rk_\w{38}\n", made.output)


@pytest.mark.parametrize(
    ("option", "value", "named"), [("--currency", "xyz", "currency"), ("--origin", "blog", "origin")]
)
def test_a_merchant_that_cannot_be_is_refused_in_one_line(grapevine: Run, option: str, value: str, named: str) -> None:
    refused = grapevine("merchant", "Vine & Thread", option, value)

    assert 2 == refused.exit_code
    assert refused.output.startswith("grapevine: ")
    assert named in refused.output
    assert 1 == refused.output.count("\n")


def test_a_catalogue_is_brought_in_and_the_same_file_twice_changes_nothing(
    grapevine: Run, merchant: str, database_url: str
) -> None:
    before = products(database_url)
    first = grapevine("import", DATA / "shopify_old.csv", "--merchant", merchant)
    created = int(re.search(r"(\d+) created", first.output)[1])  # type: ignore[index]
    assert before + created == products(database_url)

    again = grapevine("import", DATA / "shopify_old.csv", "--merchant", merchant)
    assert "0 created, 0 updated, " in again.output
    assert before + created == products(database_url)


def test_what_is_lost_is_told_by_its_line(grapevine: Run, merchant: str) -> None:
    told = grapevine("import", DATA / "shopify_nasty.csv", "--merchant", merchant)

    assert 1 == told.exit_code
    assert re.search(r"^line \d+, .+: ", told.output, re.MULTILINE)
    assert re.search(r"[1-9]\d* created, .* [1-9]\d* failed", told.output)


def test_where_there_are_several_merchants_one_must_be_named(grapevine: Run, merchant: str) -> None:
    grapevine("merchant", "Another shop")

    refused = grapevine("import", DATA / "shopify_old.csv")

    assert (2, True) == (refused.exit_code, "--merchant" in refused.output)


def test_an_unknown_merchant_or_format_is_refused(grapevine: Run, merchant: str) -> None:
    assert 2 == grapevine("import", DATA / "shopify_old.csv", "--merchant", "mer_nobody").exit_code
    assert 2 == grapevine("import", DATA / "shopify_old.csv", "--merchant", merchant, "--format", "xls").exit_code
    assert 2 == grapevine("import", DATA / "no-such-file.csv", "--merchant", merchant).exit_code


def test_a_database_is_brought_up_to_date(grapevine: Run) -> None:
    assert "The database is up to date.\n" == grapevine("migrate").output


@pytest.mark.parametrize("command", ["serve", "worker", "migrate"])
def test_a_wrong_setting_stops_the_start_with_one_line(
    grapevine: Run, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("GRAPEVINE_PUBLIC_URL", "shop.example")

    stopped = grapevine(command)

    assert 2 == stopped.exit_code
    assert re.fullmatch(r"grapevine: GRAPEVINE_PUBLIC_URL: [^\n]+\n", stopped.output)


def test_several_processes_need_postgresql(grapevine: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GRAPEVINE_DATABASE_URL", f"sqlite:///{tmp_path}/x.db")

    stopped = grapevine("serve", "--workers", 2)

    assert (2, True) == (stopped.exit_code, "PostgreSQL" in stopped.output)
