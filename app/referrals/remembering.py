"""What is kept of who likes, shares and looks: before the recorder's batches are written, whoever may not be in them is
taken out of them. Knows the session, not HTTP."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import msgspec
from sqlalchemy.orm import Session

from app.kernel.errors import AppError
from app.kernel.ids import new_id
from app.kernel.signing import Signer
from app.privacy import leaving, modes, standing
from app.privacy.leaving import Left, Owned
from app.privacy.modes import Touchpoint
from app.referrals import writing
from app.referrals.beacons import NewBeacons, Report
from app.referrals.parents import Windows
from app.referrals.service import NewReferral, Referred

Write = Callable[[Session, Sequence[NewBeacons]], list[list[bool]]]


def write_referrals(
    session: Session, facts: Sequence[NewReferral], *, windows: Windows, signer: Signer
) -> list[Referred | AppError]:
    """`writing.write`. Whoever had themselves erased is nobody's visitor any more: who likes or shares with that token
    is somebody new, and the outcome says who (`Referred.visitor_id`). Of who left no machine is kept."""
    known = {(fact.merchant_id, fact.visitor_id): fact for fact in facts if not fact.is_first}
    left = leaving.left(session, signer, known) if known else {}
    anew = {who: new_id("vis", who[0], known[who].at) for who, how in left.items() if how.erased}
    facts = [_as_left(fact, left, anew) if left else fact for fact in facts]
    outcomes = writing.write(session, facts, windows)
    return [
        replace(outcome, visitor_id=fact.visitor_id) if isinstance(outcome, Referred) and anew else outcome
        for fact, outcome in zip(facts, outcomes, strict=True)
    ]


def _as_left(fact: NewReferral, left: Mapping[Owned, Left], anew: Mapping[Owned, str]) -> NewReferral:
    """What may be kept of it, after all that its visitor said."""
    who = (fact.merchant_id, fact.visitor_id)
    if who not in left:
        return fact
    return replace(fact, visitor_id=anew.get(who, fact.visitor_id), is_first=False, seen=None)


def beacon_writer(write: Write, signer: Signer) -> Write:
    """`write`, of reports that name only visitors who may be kept. Reports name those alone who would have to consent
    (the storefront takes the others out of them)."""

    def told(session: Session, facts: Sequence[NewBeacons]) -> list[list[bool]]:
        named = {who for fact in facts for report in fact.reports if (who := _who(report)) is not None}
        kept = standing.remembered(session, signer, Touchpoint.BEACON, modes.CONSENTED, named)
        if len(kept) < len(named):
            facts = [replace(fact, reports=tuple(_only(report, kept) for report in fact.reports)) for fact in facts]
        return write(session, facts)

    return told


def _who(report: Report) -> Owned | None:
    return None if report.visitor_id is None else (report.subject.merchant_id, report.visitor_id)


def _only(report: Report, kept: set[Owned]) -> Report:
    """The report, as nobody's unless it is of one of these."""
    who = _who(report)
    return report if who is None or who in kept else msgspec.structs.replace(report, visitor_id=None, click_id=None)
