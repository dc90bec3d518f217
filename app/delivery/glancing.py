"""Which types were written between two places of a journal, for many endpoints at once: most want none of them, and
that is found out by one question, without reading what was written. Knows no endpoint.
"""

from collections.abc import Collection
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, FromClause, ScalarSelect, Select, func, select
from sqlalchemy.orm import Session

from app.kernel.feed_places import Place, mark_of
from app.kernel.given import Key, Question
from app.kernel.journal import JournalEntry

MOST: Final = 1000
"""Entries that are glanced over at once, of one span."""


class Span(NamedTuple):
    """What comes in a merchant's journal after a place, up to a position."""

    merchant_id: int
    after: Place
    until: int


class Glance(NamedTuple):
    """What is in a span: these types; and the place where it ends."""

    types: frozenset[str]
    end: Place


def glance(session: Session, spans: Collection[Span]) -> dict[Span, Glance]:
    """What is in each. Left out is what must be read: spans of more than `MOST` entries, and those whose beginning is
    not in the journal, or not any more."""
    short = [span for span in spans if 0 < span.until - span.after.position <= MOST]
    keys: set[Key] = {(span.merchant_id, span.after.position, span.until) for span in short}
    found = {
        Span(merchant, Place(after, mark_of(first)), until): Glance(
            frozenset(types.split(",")), Place(until, mark_of(last))
        )
        for merchant, after, until, first, last, types in _SPANS.ask(session, keys)
        if first is not None and last is not None
    }
    return {span: found[span] for span in short if span in found}


def _spans(given: FromClause) -> Select[*tuple[Any, ...]]:
    """A question within the question for each, and no join: whatever the database believes of how many there are, it
    reads nothing but these spans."""
    at = given.c
    mine = JournalEntry.merchant_id == at.merchant_id

    def entry(position: ColumnElement[int]) -> ScalarSelect[str]:
        return select(JournalEntry.entry_id).where(mine, JournalEntry.position == position).scalar_subquery()

    between = (JournalEntry.position > at.after, JournalEntry.position <= at.until)
    types = select(func.aggregate_strings(JournalEntry.type, ",")).where(mine, *between).scalar_subquery()
    return select(at.merchant_id, at.after, at.until, entry(at.after), entry(at.until), types)


_SPANS: Final = Question(_spans, merchant_id=BigInteger(), after=BigInteger(), until=BigInteger())
