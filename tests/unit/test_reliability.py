"""The page about what happens when something breaks names tests that exist, and leaves out none of those that break
things."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text("utf-8")
NAMED = re.findall(r"`(tests/\w+/\w+\.py)::(\w+)`", PAGE)
BREAKING = ("kill", "killed", "answer_lost", "stripe_down", "disk_full", "in_trouble", "stalled")


@cache
def defined_in(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("file", "name"), sorted(set(NAMED)))
def test_each_test_that_is_named_exists(file: str, name: str) -> None:
    assert (ROOT / file).is_file()
    assert name in defined_in(file)


def test_each_fault_names_a_test() -> None:
    faults = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| What breaks")]
    assert len(faults) >= 20
    assert [] == [line for line in faults if "`tests/" not in line.rsplit("|", 2)[-2]]


@pytest.mark.parametrize("file", sorted(path.name for path in (ROOT / "tests" / "db").glob("test_*.py")))
def test_what_breaks_things_stands_on_the_page(file: str) -> None:
    if Path(file).stem.endswith(BREAKING):
        assert f"tests/db/{file}" in {named for named, _ in NAMED}
