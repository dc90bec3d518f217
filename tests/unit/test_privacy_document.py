"""What docs/privacy.md says is kept of people, held against the database: nothing may be kept that is not there."""

import re
from pathlib import Path

from sqlalchemy import Column, Table

from app.tables import METADATA

DOCUMENT = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text("utf-8")
LINE = re.compile(r"^\| ([a-z_]+) \| ([a-z_, ]+) \| [^|]+ \| [^|]+ \| [^|]+ \|$", re.MULTILINE)
KEPT = {(table, name) for table, names in LINE.findall(DOCUMENT) if table != "table" for name in names.split(", ")}
NOTHING = set(re.findall(r"`([a-z_]+)`", DOCUMENT.partition("## What is not about people")[2].partition("\n## ")[0]))

OF_PEOPLE = re.compile(
    r"(^|_)(visitor|person|people|sharer|buyer|customer|mail|card|device|block|agent|ip|phone|birth|caption|name|address|"
    r"url|owner|subjects?|payload|body|told|evidence|note|fingerprint|click|attempt)(_id|_hash|_key)?$"
)
"""Names of columns that may be about somebody."""
NOT_OF_PEOPLE = {
    *(("merchants", "name"), ("policies", "name"), ("periodic_jobs", "name"), ("products", "url")),
    *(("webhook_endpoints", "url"), ("webhook_attempts", "attempt_id")),
}
"""A shop's, the server's own, or a number of ours."""

PERSON = {"visitor_id", "person", "sharer", "owner", "buyer", "visitor_hash"}
"""Columns that say who somebody is."""
GRAPHS = {("identities", ("person", "visitor_id"))}
"""Who is one person is no graph: both sides are the same one."""


def columns() -> list[tuple[Table, Column[object]]]:
    return [(table, column) for table in METADATA.sorted_tables for column in table.columns]


def test_every_table_is_said_to_be_about_people_or_not_and_never_both() -> None:
    tables, about = {table.name for table in METADATA.sorted_tables}, {table for table, _ in KEPT}
    assert tables == about | NOTHING
    assert set() == about & NOTHING


def test_every_column_that_is_named_is_there() -> None:
    assert set() == KEPT - {(table.name, column.name) for table, column in columns()}


def test_every_column_about_somebody_is_named_with_what_becomes_of_it() -> None:
    about = {(table.name, column.name) for table, column in columns() if OF_PEOPLE.search(column.name)}
    assert set() == about - KEPT - NOT_OF_PEOPLE


def test_no_table_links_people_to_people() -> None:
    """The share tree leads from word to word (`referrals.parent_id`); nothing else leads from somebody to somebody."""
    found = set()
    for table in METADATA.sorted_tables:
        who = tuple(
            sorted(column.name for column in table.columns if column.name in PERSON and "hash" not in column.name)
        )
        if len(who) > 1:
            found.add((table.name, who))
    assert found == GRAPHS


def test_a_column_that_leads_to_the_same_table_is_the_share_tree_or_leads_to_no_person() -> None:
    parents = {
        (table.name, column.name)
        for table, column in columns()
        if re.search(r"parent|friend|contact|follow", column.name)
    }
    assert parents == {("referrals", "parent_id")}
