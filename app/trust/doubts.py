"""Doubts and what is decided about them: first by their rule, then, if they like, by the merchant.

Both are only appended to: a decision is undone by another. Whoever appends holds the merchant's facts, or shares them
with others who record other doubts (`referrals/turns.py`), and tells attribution. Knows the session, not HTTP.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, Literal, NamedTuple

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from app.kernel import bulk, journal
from app.kernel.clock import to_micros
from app.kernel.database import insert_all_new
from app.kernel.errors import NotFound
from app.kernel.events import Events
from app.kernel.ids import id_after, is_of, new_ids
from app.merchants import audit
from app.merchants.audit import By
from app.referrals import turns
from app.trust.book import Book, book
from app.trust.found import About, Found
from app.trust.models import Decision, Doubt
from app.trust.news import StandingsChanged
from app.trust.rules import Do
from app.trust.standings import last_decision

AT_ONCE: Final = 2000
"""Doubts that a changed rule decides anew with a few statements."""

Verdict = Literal["credit", "refuse", "reopen"]
"""What a merchant may say of a doubt."""
Effect = Literal["none", "hold", "refuse"]
"""What becomes of credit."""

EFFECTS: Final[dict[Do, Effect]] = {Do.OFF: "none", Do.FLAG: "none", Do.HOLD: "hold", Do.REFUSE: "refuse"}
_SAID: Final[dict[str, Effect]] = {"credit": "none", "refuse": "refuse"}
_COLUMNS: Final = ("merchant_id", "decision_id", "doubt_id", "verdict", "effect", "note", "key_id", "at")


class Standing(NamedTuple):
    """A doubt and the decision that holds."""

    doubt: Doubt
    decision: Decision

    @property
    def is_open(self) -> bool:
        """Whether it is left to its rule: the merchant has not decided, or has opened it again."""
        return self.decision.key_id is None or self.decision.verdict == "reopen"


class _Change(NamedTuple):
    """A decision about a doubt, to be appended: its first one, or one after that called `after`."""

    doubt_id: str
    about: str
    subject: str
    after: str
    former: str
    effect: Effect
    verdict: str
    note: str | None = None
    key_id: str | None = None


def record(session: Session, events: Events, merchant_id: int, found: Sequence[Found], now: datetime) -> int:
    """Raise a doubt of each thing that was found and was not before, each decided as its rule does; how many.

    What a rule found that is off by now is passed over. `now` is from `as_of.writing_now`. Others may record beside
    this where the caller does not hold the merchant's facts.
    """
    if not found:
        return 0
    turns.share_facts(session, merchant_id)
    settings = book(session, merchant_id)
    wanted = {each[:3]: each for each in found if settings.of(each.rule).is_on}
    once = [wanted[key] for key in sorted(wanted)]  # who finds the same meanwhile waits for us, and not we for them
    new = dict(zip(new_ids("dbt", merchant_id, now, len(once)), once, strict=True))
    added = insert_all_new(session, Doubt, [_row(merchant_id, id, each, now) for id, each in new.items()])
    dos = {id: settings.of(new[id].rule).do for _, id in sorted(added)}
    changes = [
        _Change(id, new[id].about.value, new[id].subject, "", "none", EFFECTS[do], do.value) for id, do in dos.items()
    ]
    journal.note(session, merchant_id, "doubt.raised", list(dos), now)
    _append(session, events, merchant_id, changes, now)
    return len(changes)


def get(session: Session, merchant_id: int, doubt_id: str) -> Standing:
    """A doubt as it stands. Raises `NotFound`, also for another merchant's."""
    asked = all_of(merchant_id).where(Doubt.doubt_id == doubt_id)
    found = session.execute(asked).first() if is_of(doubt_id, merchant_id, "dbt") else None
    if found is None:
        raise NotFound
    return Standing(*found)


def as_they_stand(session: Session, merchant_id: int, doubt_ids: Collection[str]) -> list[Standing]:
    """Those of the merchant's doubts that there are, newest first."""
    asked = all_of(merchant_id).where(Doubt.doubt_id.in_(doubt_ids)).order_by(Doubt.doubt_id.desc())
    return [Standing(*row) for row in session.execute(asked)]


def all_of(merchant_id: int) -> Select[Doubt, Decision]:
    """The merchant's doubts, each with the decision that holds: part of a statement."""
    last = (Decision.merchant_id == Doubt.merchant_id) & (Decision.doubt_id == Doubt.doubt_id)
    holds = last & (Decision.decision_id == last_decision(Doubt))
    return select(Doubt, Decision).join(Decision, holds).where(Doubt.merchant_id == merchant_id)


def left_to_rules() -> ColumnElement[bool]:
    """Of `all_of`, those that are open."""
    return Decision.key_id.is_(None) | (Decision.verdict == "reopen")


def decisions_about(session: Session, doubt: Doubt) -> Sequence[Decision]:
    """All that was decided about a doubt, in that order."""
    mine = select(Decision).where(Decision.merchant_id == doubt.merchant_id, Decision.doubt_id == doubt.doubt_id)
    return session.scalars(mine.order_by(Decision.decision_id)).all()


def decide(
    session: Session, events: Events, by: By, doubt_id: str, verdict: Verdict, note: str | None, now: datetime
) -> bool:
    """Append what the merchant decides with a key; whether anything was decided: the same again, and to open what is
    open, is nothing. Raises `NotFound`. `now` is from `as_of.writing_now`."""
    turns.hold_facts(session, by.merchant_id)
    standing = get(session, by.merchant_id, doubt_id)
    if _says_nothing_new(standing, verdict, note):
        return False
    doubt, before = standing
    effect = _SAID.get(verdict) or EFFECTS[book(session, by.merchant_id).of(doubt.rule).do]
    place = (doubt.doubt_id, doubt.about, doubt.subject, before.decision_id, before.effect)
    _decide(session, events, by.merchant_id, [_Change(*place, effect, verdict, note, by.key_id)], now)
    was = {"verdict": before.verdict, "effect": before.effect}
    changes = audit.difference({**was, "note": None}, {"verdict": verdict, "effect": effect, "note": note})
    audit.note(session, by, "doubt.decided", doubt_id, changes)
    return True


def decide_anew(
    session: Session, events: Events, merchant_id: int, rules: Collection[str], new: Book, now: datetime
) -> None:
    """Let rules that do something else now decide their doubts anew, where no merchant did. The caller holds the
    merchant's facts."""
    asked = all_of(merchant_id).where(Doubt.rule.in_(rules), left_to_rules()).with_only_columns(*_PLACE, Doubt.rule)
    after = ""
    while rules:
        found = session.execute(asked.where(Doubt.doubt_id > after).order_by(Doubt.doubt_id).limit(AT_ONCE)).all()
        changes = [
            _Change(id, about, subject, last, former, EFFECTS[new.of(rule).do], new.of(rule).do.value)
            for id, about, subject, last, former, rule in found
        ]
        _decide(session, events, merchant_id, changes, now)
        if len(found) < AT_ONCE:
            return
        after = changes[-1].doubt_id


_PLACE: Final = (Doubt.doubt_id, Doubt.about, Doubt.subject, Decision.decision_id, Decision.effect)


def _row(merchant_id: int, doubt_id: str, found: Found, now: datetime) -> dict[str, object]:
    said = {"about": found.about.value, "subject": found.subject, "rule": found.rule, "evidence": dict(found.evidence)}
    return {"merchant_id": merchant_id, "doubt_id": doubt_id, **said, "at": now}


def _says_nothing_new(standing: Standing, verdict: Verdict, note: str | None) -> bool:
    if standing.is_open or verdict == "reopen":
        return standing.is_open and verdict == "reopen"
    return standing.decision.verdict == verdict and note in (None, standing.decision.note)


def _decide(session: Session, events: Events, merchant_id: int, changes: Sequence[_Change], now: datetime) -> None:
    """Append decisions that are not the first ones of their doubts."""
    journal.note(session, merchant_id, "doubt.decided", _append(session, events, merchant_id, changes, now), now)


def _append(
    session: Session, events: Events, merchant_id: int, changes: Sequence[_Change], now: datetime
) -> Sequence[str]:
    """Append decisions, and tell through what nothing is earned any more, or through what something is again. Their
    ids: of those about a doubt, the greatest is the one that holds, even if the last was made where a clock is ahead.
    """
    fresh = zip(new_ids("dec", merchant_id, now, len(changes)), changes, strict=True)
    ids = [id if id > each.after else id_after(each.after) for id, each in fresh]
    rows: list[bulk.Row] = [
        (merchant_id, id, each.doubt_id, each.verdict, each.effect, each.note, each.key_id, to_micros(now))
        for id, each in zip(ids, changes, strict=True)
    ]
    bulk.append(session, Decision, _COLUMNS, rows)
    _publish(session, events, merchant_id, [each for each in changes if each.effect != each.former])
    return ids


def _publish(session: Session, events: Events, merchant_id: int, changed: Sequence[_Change]) -> None:
    if not changed:
        return
    subjects = {about: [each.subject for each in changed if each.about == about] for about in About}
    events.publish(
        session,
        StandingsChanged(
            merchant_id=merchant_id,
            referrals=subjects[About.REFERRAL],
            visits=subjects[About.VISIT],
            orders=subjects[About.ORDER],
            eased=any(each.about == About.REFERRAL and each.effect == "none" for each in changed),
        ),
    )
