"""Facts under keys of their own: new, known, or contradicting what is known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from app.kernel.brought import Contradiction, Outcome, Said, Verdict, judge

AT = datetime(2026, 1, 5, tzinfo=UTC)
NEW, KNOWN = Outcome.ACCEPTED, Outcome.UNCHANGED


class Fact(NamedTuple):
    id: str
    colour: str | None
    at: datetime = AT


@dataclass
class Shelf:
    """Keeps facts as a table does: the first of each key."""

    facts: dict[str, Fact] = field(default_factory=dict)

    def bring(self, *facts: Fact) -> list[Verdict]:
        return judge(
            facts, ("colour", "at"), key=lambda fact: fact.id, said=self.said, insert=self.insert, find=self.find
        )

    def said(self, fact: Fact) -> Said:
        return fact.colour, fact.at

    def insert(self, facts: Mapping[str, Fact]) -> set[str]:
        new = facts.keys() - self.facts.keys()
        self.facts |= {key: facts[key] for key in new}
        return new

    def find(self, facts: Mapping[str, Fact]) -> dict[str, Said]:
        return {key: self.said(self.facts[key]) for key in facts}


def test_the_first_of_each_key_is_new_and_repetitions_are_known() -> None:
    shelf = Shelf()
    assert [NEW, NEW, KNOWN] == shelf.bring(Fact("a", "red"), Fact("b", "red"), Fact("a", "red"))
    assert [KNOWN, NEW, KNOWN] == shelf.bring(Fact("b", "red"), Fact("c", None), Fact("c", None))


def test_what_says_something_else_is_told_what_is_known() -> None:
    shelf = Shelf()
    contradiction = Contradiction("colour", "known already with colour red")
    assert [NEW, contradiction, KNOWN] == shelf.bring(Fact("a", "red"), Fact("a", "blue"), Fact("a", "red"))
    assert [contradiction] == shelf.bring(Fact("a", None))
    assert Fact("a", "red") == shelf.facts["a"]


def test_all_differences_are_told_and_the_first_is_the_field() -> None:
    shelf = Shelf({"a": Fact("a", None), "b": Fact("b", "x" * 200)})
    later = AT.replace(day=6)
    assert [
        Contradiction("colour", "known already with colour null, at 2026-01-05T00:00:00Z"),
        Contradiction("at", "known already with at 2026-01-05T00:00:00Z"),
        Contradiction("colour", f"known already with colour {'x' * 80}"),
    ] == shelf.bring(Fact("a", "red", later), Fact("a", None, later), Fact("b", "y"))


def test_nothing_is_brought_by_nobody() -> None:
    assert [] == Shelf().bring()
