"""Erases people by giving them other names: whoever is erased is replaced, wherever they were named, by a fresh id that
nobody holds, so that all sums stay what they were. Knows no domain: each hands in how it forgets, at composition.

What an index leads to is forgotten in the transaction of whoever asks. What must be looked for is forgotten by a job
at once, and with it what was being written just then: that is somebody else's, as it was reckoned, and has names of its
own. Old and new names stand beside each other only in that job's message, sealed, and it goes with the job. A new name
follows from nothing: neither from the old one nor from the time.
"""

import json
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.kernel import journal
from app.kernel.clock import Clock, to_micros
from app.kernel.database import Database
from app.kernel.ids import new_id
from app.kernel.outbox import Message, Outbox, OutboxRow, Payload, take_back
from app.kernel.periodic import Periodic
from app.kernel.rekeying import Step
from app.kernel.sealing import Sealer
from app.kernel.signing import Signer
from app.kernel.under_way import wait_out
from app.privacy import leaving
from app.privacy.held import Part
from app.privacy.models import Consent, Leaver

TOPIC: Final = "privacy.erase"
ERASED: Final = "visitor.erased"
"""The event by which others learn whom to forget."""
TOLD_FOR: Final = timedelta(days=30)
"""How long `visitor.erased` says who it was."""
AT_ONCE: Final = 100
"""People who are erased together."""
_MOST_TOGETHER: Final = 1000
"""Names of all of them."""
_SOME_YEARS: Final = timedelta(days=3 * 365)


@dataclass(frozen=True)
class Forgetting:
    """Who is forgotten: every name of theirs, visitors and persons, with the one that takes its place."""

    merchant_id: int
    names: Mapping[str, str]
    now: datetime
    others: Mapping[str, str] = field(default_factory=dict)
    """The same names, with those that take their place in what was written at another time: before their erasure, or
    since. Who has both names is two people, or what was told of one would change what the other did."""

    @property
    def former(self) -> Mapping[str, str]:
        """Every name that takes the place of one, with that one."""
        return {new: old for names in (self.names, self.others) for old, new in names.items()}


AtOnce = Callable[[Session, Forgetting], None]
"""Forgets what an index leads to. It may be called again, and then finds what was written meanwhile."""
Walk = Callable[[Database, Forgetting, Step], None]
"""Forgets what must be looked for, in transactions of its own. It may be called again."""
Naming = Callable[[Session, int], Iterable[str]]
"""Everybody whom a merchant's facts name, each at least once."""


Behind = Callable[[Session, int, Collection[str]], Collection[str]]
"""Under which other names these people are known."""


KnownBy = Callable[[int, Collection[str]], Collection[str]]
"""What stands for these where a domain does not name them, so that they are found after a restore all the same."""


Held = Callable[[Session, int, str], Iterator[Part]]
"""What is held of a visitor, for themselves to see."""


@dataclass(frozen=True)
class Domain:
    """How one domain forgets, whom its tables name, and what it holds of somebody."""

    at_once: AtOnce | None = None
    walk: Walk | None = None
    last: Walk | None = None
    naming: Naming | None = None
    behind: Behind | None = None
    known_by: KnownBy | None = None
    held: Held | None = None


@dataclass(frozen=True)
class Erasure:
    """Forgets people in every domain: in the order given, which is that of how they hang on each other."""

    database: Database
    clock: Clock
    signer: Signer
    outbox: Outbox
    domains: Sequence[Domain]
    _sealers: dict[str, Sealer] = field(default_factory=dict, init=False)

    def erase(
        self, session: Session, merchant_id: int, visitors: Collection[str], persons: Collection[str] = ()
    ) -> str:
        """Forget these visitors, and the names under which they were joined, in the caller's transaction, and promise
        the rest; the promise's id. Others are told of the visitors who were not erased before."""
        now, names = self.clock.now(), {*visitors, *persons}
        names |= {name for each in self.domains if each.known_by for name in each.known_by(merchant_id, names)}
        anew = leaving.erased(session, self.signer, merchant_id, names, now)
        whom, since = ({each: fresh(merchant_id, now) for each in sorted(names)} for _ in range(2))
        self._at_once(session, Forgetting(merchant_id, whom, now))
        told = [erased_noted_as(each, now) for each in sorted(anew.intersection(visitors))]
        journal.note(session, merchant_id, ERASED, told, now)
        seal = partial(self._sealer.seal, about=str(merchant_id))
        promised = {"names": seal(json.dumps(whom)), "since": seal(json.dumps(since))}
        return self.outbox.add(session, merchant_id, TOPIC, promised)

    def run(self, message: Message) -> None:
        """What was promised, and with it what was promised to others of the merchant's since: all of them together are
        looked for as fast as one."""
        step = message.extending(self.clock)
        with self.database.reading() as session:
            whom, others = self._together(session, message)
        self.finish(whom, step)
        with self.database.transaction() as session:
            for other in others:
                take_back(session, message.merchant_id, other)

    def finish(self, whom: Forgetting, step: Step) -> None:
        """Forget what must be looked for, and what was written while the first was forgotten: by whoever had begun
        before these were on the list of those who left."""
        wait_out(self.database, step)
        self._walk((domain.walk for domain in self.domains), whom, step)
        with self.database.transaction() as session:
            self._at_once(session, replace(whom, names=whom.others, others=whom.names))
        self._walk((domain.last for domain in self.domains), whom, step)
        with self.database.transaction() as session:
            leaving.finished(session, self.signer, whom.merchant_id, whom.names, self.clock.now())

    def erase_again(self, merchant_id: int) -> int:
        """Forget those whom the facts name although they are on the list of those who were erased, as after a restore
        of an older backup; how many names that were."""
        with self.database.reading() as session:
            named = {name for each in self.domains if each.naming for name in each.naming(session, merchant_id)}
            left = leaving.left(session, self.signer, [(merchant_id, name) for name in named])
        back = sorted(name for (_, name), how in left.items() if how.erased)
        waiting = {*back}
        while some := [name for name in back if name in waiting][:AT_ONCE]:
            with self.database.transaction() as session:  # with all who are joined to them: they must stay so
                behind = (each.behind(session, merchant_id, some) for each in self.domains if each.behind)
                everybody = {*some}.union(*behind)
                self.erase(session, merchant_id, [], everybody)
            waiting -= everybody
        return len(back)

    def held(self, session: Session, merchant_id: int, visitor: str) -> Iterator[Part]:
        """All that is held of a visitor, part by part; each is to be read before the next."""
        for domain in self.domains:
            if domain.held is not None:
                yield from domain.held(session, merchant_id, visitor)

    def periodic(self) -> Periodic:
        """The job that takes names out of the journal again once others had time to hear of them, and takes up what was
        left half-way: a restore that ended before all were erased again."""

        def run(extend: Callable[[], None]) -> None:
            now = self.clock.now()
            with self.database.reading() as session:
                erased = select(Leaver.merchant_id).where(Leaver.erased_at.is_not(None)).distinct()
                unfinished = set(session.scalars(erased.where(Leaver.finished_at.is_(None))))
                unfinished -= set(session.scalars(select(OutboxRow.merchant_id).where(OutboxRow.topic == TOPIC)))
                found = session.scalars(erased).all()
            for merchant_id in found:
                forget_told(self.database, merchant_id, now, extend)
                if merchant_id in unfinished and not self.erase_again(merchant_id):
                    with self.database.transaction() as session:
                        leaving.all_finished(session, merchant_id, now)

        return Periodic(TOPIC, timedelta(days=1), run)

    def _together(self, session: Session, first: Message) -> tuple[Forgetting, Sequence[str]]:
        """All who are looked for, and the promises that are kept by it beside the `first`: of those whom nobody has
        begun, and who have no name in common with it."""
        (together, since), others = self._names(first.merchant_id, first.payload), []
        waiting = select(OutboxRow).where(OutboxRow.merchant_id == first.merchant_id, OutboxRow.topic == TOPIC)
        waiting = waiting.where(OutboxRow.message_id != first.id, OutboxRow.attempts == 0)
        for row in session.scalars(waiting.order_by(OutboxRow.message_id).limit(AT_ONCE)):
            more, since_then = self._names(row.merchant_id, row.payload)
            if together.keys().isdisjoint(more) and len(together) + len(more) <= _MOST_TOGETHER:
                together |= more
                since |= since_then
                others.append(row.message_id)
        return Forgetting(first.merchant_id, together, self.clock.now(), since), others

    def _names(self, merchant_id: int, payload: Payload) -> tuple[dict[str, str], dict[str, str]]:
        """Which names take their place in what was written before their erasure, and which in what was since."""
        kinds = ("names", "since" if "since" in payload else "names")  # once they were the same
        names, since = (json.loads(self._sealer.open(payload[each], str(merchant_id))) for each in kinds)
        return names, since

    def _walk(self, walks: Iterable[Walk | None], whom: Forgetting, step: Step) -> None:
        for walk in filter(None, walks):
            walk(self.database, whom, step)
            step()

    def _at_once(self, session: Session, whom: Forgetting) -> None:
        for domain in self.domains:
            if domain.at_once is not None:
                domain.at_once(session, whom)

    @property
    def _sealer(self) -> Sealer:
        return self._sealers.setdefault(TOPIC, Sealer(self.signer, TOPIC))


def forget_told(
    database: Database,
    merchant_id: int,
    now: datetime,
    step: Step = lambda: None,
    since: datetime | None = None,
) -> None:
    """Take the names out of the journal of whoever was erased `TOLD_FOR` ago; `since` then, or of the last weeks."""

    def nobody(_: Session, subjects: list[str]) -> list[str]:
        return [""] * len(subjects)

    journal.reword(database, merchant_id, ERASED, since or now - 3 * TOLD_FOR, now - TOLD_FOR, nobody, step)


def forget_consents(session: Session, whom: Forgetting) -> None:
    """The receipts go: they said of a person what they agreed to."""
    theirs = (Consent.merchant_id == whom.merchant_id) & Consent.visitor_id.in_(whom.names)
    session.execute(delete(Consent).where(theirs))


def named(session: Session, merchant_id: int) -> Iterator[str]:
    """Everybody who ever consented."""
    yield from session.scalars(select(Consent.visitor_id).where(Consent.merchant_id == merchant_id).distinct())


def erased_noted_as(visitor: str, at: datetime) -> str:
    """What stands in the journal for an erasure, until others had time to hear of it."""
    return f"{visitor}@{to_micros(at)}"


def erased_when(noted: str) -> tuple[str, int]:
    """The visitor and the microsecond of what is `erased_noted_as` this."""
    visitor, _, at = noted.rpartition("@")
    return visitor, int(at)


def fresh(merchant_id: int, now: datetime) -> str:
    """The id of nobody: as likely of any moment of some years, so that its time says nothing either."""
    ago = timedelta(milliseconds=secrets.randbelow(_SOME_YEARS // timedelta(milliseconds=1)))
    return new_id("vis", merchant_id, now - ago)
