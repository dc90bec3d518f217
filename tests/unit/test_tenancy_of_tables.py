"""Every table belongs to merchants, and no row can even point to another merchant's (architecture.md, Tenancy)."""

from collections.abc import Iterator

import pytest
from sqlalchemy import ForeignKeyConstraint, PrimaryKeyConstraint, Table, UniqueConstraint

from app.tables import METADATA

TENANT = "merchants"
TABLES = sorted(METADATA.tables.values(), key=lambda table: table.name)
OWNED = [table for table in TABLES if table.name != TENANT and "shared" not in table.info]
SHARED = [table for table in TABLES if "shared" in table.info]


def names(tables: list[Table]) -> list[str]:
    return [table.name for table in tables]


def unique_keys(table: Table) -> Iterator[list[str]]:
    """The columns of each unique constraint and index, other than the primary key."""
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint) and not isinstance(constraint, PrimaryKeyConstraint):
            yield [column.name for column in constraint.columns]
    for index in table.indexes:
        if index.unique:
            yield [column.name for column in index.columns]


def test_there_are_tables() -> None:
    assert {TENANT, "products", "walls", "referrals", "orders", "credit_lines", "outbox"} <= set(names(TABLES))


@pytest.mark.parametrize("table", OWNED, ids=names(OWNED))
def test_the_merchant_comes_first_in_the_primary_key(table: Table) -> None:
    first = next(iter(table.primary_key.columns))
    assert first.name == "merchant_id", f"{table.name}: begin its key with merchant_id, or say why not in its info"
    assert not first.nullable
    assert first.autoincrement is False or len(table.primary_key.columns) > 1


@pytest.mark.parametrize("table", OWNED, ids=names(OWNED))
def test_what_is_unique_is_unique_within_a_merchant(table: Table) -> None:
    for columns in unique_keys(table):
        assert "merchant_id" in columns, f"{table.name}: {columns}"


@pytest.mark.parametrize("table", TABLES, ids=names(TABLES))
def test_a_row_cannot_point_to_another_merchants(table: Table) -> None:
    for key in table.foreign_keys:
        assert isinstance(key.constraint, ForeignKeyConstraint)
    for constraint in table.foreign_key_constraints:
        pairs = {(element.parent.name, element.column.name) for element in constraint.elements}
        assert ("merchant_id", "merchant_id") in pairs, f"{table.name}: {sorted(pairs)} must carry merchant_id"
        assert constraint.referred_table.name == TENANT or "shared" not in constraint.referred_table.info


@pytest.mark.parametrize("table", SHARED, ids=names(SHARED))
def test_a_table_that_merchants_share_says_why(table: Table) -> None:
    assert len(table.info["shared"].split()) >= 4
    assert "merchant_id" not in table.primary_key.columns
