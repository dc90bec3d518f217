"""Citus would refuse nothing: every table can be laid out by merchant, or whole on each machine (docs/scaling.md)."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, MetaData, Table
from sqlalchemy.schema import CheckConstraint, PrimaryKeyConstraint, UniqueConstraint

from app.tables import METADATA
from tests.distribution import DISTRIBUTED, KEY, REFERENCE, TABLES, TENANTS, is_reference, statements

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"
_LISTED = re.compile(r"^SELECT create_\w+_table\(.*\);$", re.MULTILINE)


def refusals(table: Table) -> Iterator[str]:
    """What Citus would refuse about a table, in its words as far as they matter."""
    yield from (refused_foreign_key(key) for key in table.foreign_key_constraints if refused_foreign_key(key))
    if is_reference(table):
        return
    if KEY not in table.c or not isinstance(table.c[KEY].type, BigInteger):
        yield f"{table.name}: no {KEY} of the type by which all are laid out"
    elif table.c[KEY].nullable or table.c[KEY].server_default is not None or table.c[KEY].identity is not None:
        yield f"{table.name}: its {KEY} must be given, and always"
    for columns in unique_keys(table):
        if KEY not in columns:
            yield f"{table.name}: unique over {columns}, which lie on different machines"


def refused_foreign_key(key: ForeignKeyConstraint) -> str:
    here, there = key.table, key.referred_table
    pairs = {(element.parent.name, element.column.name) for element in key.elements}
    if is_reference(there):
        return ""
    if is_reference(here):
        return f"{here.name}: whole on every machine, it cannot point to parts of {there.name}"
    if (KEY, KEY) not in pairs:
        return f"{here.name}: it points to {there.name} on other machines"
    if {key.ondelete, key.onupdate} & {"SET NULL", "SET DEFAULT", "CASCADE"} and key.onupdate:
        return f"{here.name}: changes of {there.name} would move its rows"
    return ""


def unique_keys(table: Table) -> Iterator[list[str]]:
    for constraint in table.constraints:
        if isinstance(constraint, PrimaryKeyConstraint | UniqueConstraint):
            yield [column.name for column in constraint.columns]
        else:  # one over ranges would need a check of its own
            assert isinstance(constraint, CheckConstraint | ForeignKeyConstraint)
    yield from ([column.name for column in index.columns] for index in table.indexes if index.unique)


@pytest.mark.parametrize("table", TABLES, ids=[table.name for table in TABLES])
def test_a_table_can_be_laid_out_over_machines(table: Table) -> None:
    assert [] == list(refusals(table))


def test_each_table_is_laid_out_by_merchant_or_whole() -> None:
    assert {*METADATA.tables.values()} == {*REFERENCE, *DISTRIBUTED}
    assert TENANTS in REFERENCE
    assert len(REFERENCE) < len(DISTRIBUTED) / 3
    by_time = [table for table in TABLES if table.dialect_options["postgresql"]["partition_by"]]
    assert ["beacons", "visits"] == sorted(table.name for table in by_time)
    assert set(by_time) <= set(DISTRIBUTED)


@pytest.mark.parametrize("table", DISTRIBUTED, ids=[table.name for table in DISTRIBUTED])
def test_a_table_in_months_has_its_months_in_its_key(table: Table) -> None:
    by = table.dialect_options["postgresql"]["partition_by"]
    if by is not None:
        assert [KEY, by.removeprefix("RANGE (").removesuffix(")")] == [each.name for each in table.primary_key]


def test_what_is_pointed_to_is_laid_out_before_what_points() -> None:
    order = [re.findall(r"'(\w+)'", statement)[0] for statement in statements()]
    for table in TABLES:
        for key in table.foreign_key_constraints:
            assert order.index(key.referred_table.name) < order.index(table.name)


def test_the_page_has_just_these_statements() -> None:
    """Where this fails: `python -m tests.distribution` prints them."""
    assert statements() == _LISTED.findall(PAGE.read_text())


def spoilt(name: str, change: str) -> Table:
    """A copy of a table about which something would be refused."""
    copies = MetaData()
    for table in TABLES:
        table.to_metadata(copies)
    table = copies.tables[name]
    if change == "unique":
        Index("uq_spoilt", table.c.title, unique=True)
    elif change == "key":
        table.append_constraint(ForeignKeyConstraint([table.c.title], ["variants.variant_id"]))
    else:
        table.append_constraint(ForeignKeyConstraint([table.c.merchant_id], ["policies.merchant_id"]))
    return table


@pytest.mark.parametrize(("name", "change"), [("products", "unique"), ("order_lines", "key"), ("links", "part")])
def test_what_would_be_refused_is_seen(name: str, change: str) -> None:
    assert [name] == [said.partition(":")[0] for said in refusals(spoilt(name, change))]
