"""What docs/security.md says is shown by a test is shown by one."""

import re
from pathlib import Path
from typing import get_args

from app.merchants.keys import SCOPES, Scope

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "security.md").read_text("utf-8")


def rows() -> list[list[str]]:
    """The cells of each row of the tables that say by what a control is shown."""
    tables = re.findall(r"\| \w+ \| what is done \| shown by \|\n\|[-|]+\|\n((?:\|.*\n)+)", DOCUMENT)
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for table in tables for line in table.splitlines()]


def test_every_test_that_the_page_names_is_there() -> None:
    there = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text("utf-8"), re.MULTILINE)
    }
    named = set(re.findall(r"\b(test_\w+)", DOCUMENT))
    assert len(named) >= 60
    assert set() == named - there


def test_every_threat_has_a_control_and_every_control_a_test() -> None:
    assert {f"API{number}" for number in range(1, 11)} <= {row[0].split()[0] for row in rows()}
    assert len(rows()) >= 24
    assert [] == [row[0] for row in rows() if len(row) != 3 or not row[1] or "`test_" not in row[2]]


def test_every_scope_is_named_and_none_that_there_is_not() -> None:
    said = re.search(r"lists the calls: ((?:`\w+`(?:, |\.))+)", DOCUMENT)
    assert said is not None
    assert list(get_args(Scope)) == re.findall(r"`(\w+)`", said[1])
    assert len(SCOPES) == len(get_args(Scope))
