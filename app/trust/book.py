"""What a merchant wants done about what each rule finds, and from which figures on it is doubtful to them.

What they never said is as usual. Knows the session, not HTTP.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.merchants import service as merchants
from app.merchants.models import Merchant
from app.trust.rules import RULES, Do, Rule


class Setting(NamedTuple):
    """What is done about what a rule finds; and its thresholds by name, each in the unit that the rule says."""

    do: Do
    thresholds: Mapping[str, int]

    @property
    def is_on(self) -> bool:
        """Whether anything is looked for."""
        return self.do is not Do.OFF


@dataclass(frozen=True)
class Book:
    """A merchant's settings of all rules, where they are not as usual."""

    changed: Mapping[str, Setting]

    def of(self, code: str) -> Setting:
        """What stands for the rule of this code. KeyError where there is no such rule."""
        return self.changed.get(code) or usual(RULES[code])

    def as_json(self) -> dict[str, Any]:
        """As it is kept, with the merchant."""
        return {
            code: {"do": str(setting.do), "thresholds": dict(setting.thresholds)}
            for code, setting in self.changed.items()
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any] | None) -> "Book":
        """As it was kept; what was said of rules and thresholds that are no more is passed over."""
        found = {code: _setting(RULES[code], said) for code, said in (kept or {}).items() if code in RULES}
        return cls(found)


def usual(rule: Rule) -> Setting:
    """What stands for a rule of which the merchant said nothing."""
    return Setting(rule.usual, rule.usual_thresholds())


def book(session: Session, merchant_id: int) -> Book:
    """The merchant's settings as they are now. Asked of the database each time: who holds the merchant's facts
    (`referrals/turns.py`) sees what somebody changed who held them before."""
    return Book.from_json(session.scalar(select(Merchant.rules).where(Merchant.merchant_id == merchant_id)))


def keep(session: Session, merchant_id: int, new: Book) -> None:
    """Let these settings stand from now on, instead of all before. Raises `NotFound` for a merchant who left."""
    merchant = merchants.get(session, merchant_id, lock=True)
    merchants.change(merchant, {"rules": new.as_json() or None})


def _setting(rule: Rule, said: Mapping[str, Any]) -> Setting:
    before = usual(rule)
    thresholds = {name: said["thresholds"].get(name, value) for name, value in before.thresholds.items()}
    return Setting(Do(said["do"]), thresholds)
