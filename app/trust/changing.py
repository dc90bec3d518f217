"""How a merchant changes what rules do. Knows the session, not HTTP."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy.orm import Session

from app.kernel.errors import FieldError, Invalid
from app.kernel.events import Events
from app.merchants import audit
from app.merchants.audit import By
from app.referrals import turns
from app.trust import doubts, sentences
from app.trust.book import Book, Setting, book, keep, usual
from app.trust.rules import RULES, Do, Rule

MOST_ERRORS: Final = 100
"""Errors that are told at once."""


class Asked(NamedTuple):
    """What a merchant says of a rule: what it does, and thresholds by name; what is left out is as usual."""

    do: Do | None
    thresholds: Mapping[str, int]


def settings_of(asked: Mapping[str, Asked]) -> Book:
    """What the merchant says of all rules, by code; one that is not named is as usual. Raises `Invalid` for what no
    rule is called, for one that cannot be told otherwise here, and for thresholds out of bounds."""
    errors = [error for code, each in asked.items() for error in _wrong(code, each)]
    if errors:
        raise Invalid(*errors[:MOST_ERRORS])
    new = {code: _setting(RULES[code], each) for code, each in asked.items()}
    return Book({code: setting for code, setting in new.items() if setting != usual(RULES[code])})


def put(session: Session, events: Events, by: By, new: Book, now: datetime) -> None:
    """Let these settings stand instead of all before, also for doubts that are left to their rules; what a merchant
    decided stays. `now` is from `as_of.writing_now`. Raises `NotFound` for a merchant who left."""
    turns.hold_facts(session, by.merchant_id)
    before = book(session, by.merchant_id)
    keep(session, by.merchant_id, new)
    audit.note(session, by, "rules.changed", None, audit.difference(_told(before), _told(new)))
    otherwise = [code for code in RULES if before.of(code).do != new.of(code).do]
    doubts.decide_anew(session, events, by.merchant_id, otherwise, new, now)


def _setting(rule: Rule, said: Asked) -> Setting:
    return Setting(said.do or rule.usual, {**rule.usual_thresholds(), **said.thresholds})


def _wrong(code: str, said: Asked) -> Iterator[FieldError]:
    rule, place = RULES.get(code), f"/rules/{_escaped(code)}"
    if rule is None:
        yield FieldError(place, f"is none of {', '.join(each.code for each in RULES.values() if not each.fixed)}")
    elif (because := sentences.because(rule)) is not None:
        yield FieldError(place, f"cannot be changed here. {because['en']}")
    else:
        yield from _out_of_bounds(rule, said, f"{place}/thresholds")


def _out_of_bounds(rule: Rule, said: Asked, place: str) -> Iterator[FieldError]:
    for name, value in said.thresholds.items():
        threshold = rule.thresholds.get(name)
        if threshold is None:
            yield FieldError(
                f"{place}/{_escaped(name)}", f"is none of this rule's: {', '.join(rule.thresholds) or 'it has none'}"
            )
        elif not threshold.least <= value <= threshold.most:
            yield FieldError(f"{place}/{name}", f"must be from {threshold.least} to {threshold.most}")


def _escaped(name: str) -> str:
    """As a part of a JSON pointer (RFC 6901, section 3)."""
    return name.replace("~", "~0").replace("/", "~1")


def _told(settings: Book) -> dict[str, object]:
    return {code: {"do": setting.do.value, **setting.thresholds} for code in RULES if (setting := settings.of(code))}
