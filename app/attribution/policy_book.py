"""What is told of a merchant's policies: their versions, which is in force, how far a change of them has got.

Reads only. Which policy divides an order is `policies`; how they are changed is `policy_changes`. Knows no HTTP.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.attribution.engine import Policy, policy_from_wire
from app.attribution.models import KeptPolicy, Recomputation
from app.attribution.policies import CURRENT, DEFAULT
from app.kernel.errors import Conflict, Invalid

BEGINNING = datetime.min.replace(tzinfo=UTC)
"""Before every order."""

Status = Literal["computed", "computing", "failed"]


class PolicyComputing(Conflict):
    code, title = "policy_computing", "This policy is not computed for all orders yet"


class Version(NamedTuple):
    """A version of a policy. `applies_from` empty: from the beginning; `made_at` empty: built in."""

    name: str
    version: int
    policy: Policy
    applies_from: datetime | None
    made_at: datetime | None

    @property
    def since(self) -> datetime:
        """From when on it divides orders."""
        return self.applies_from or BEGINNING


BUILT_IN = Version(CURRENT, DEFAULT.version, DEFAULT.policy, None, None)


class Standing(NamedTuple):
    """How far it has got with the orders that a policy divides; `job` is the one that works on it, or failed."""

    status: Status
    job: Recomputation | None


@dataclass(frozen=True)
class Book:
    """A merchant's policies: all versions of the one in force, newest first; the kept ones by name; and the jobs,
    newest first."""

    versions: Sequence[Version]
    beside: Sequence[Version]
    jobs: Sequence[Recomputation]

    @property
    def names(self) -> list[str]:
        """The names by which a report may ask."""
        return [CURRENT, *(each.name for each in self.beside)]

    def lasting(self) -> list[tuple[Version, datetime | None]]:
        """The versions that divide orders of some time, the latest first, and until when each does (empty: for ever).

        A version takes over all that comes after its moment, also from older ones that were to begin later.
        """
        found: list[tuple[Version, datetime | None]] = []
        until: datetime | None = None
        for each in self.versions:
            if until is None or each.since < until:
                found.append((each, until))
                until = each.since
        return found

    def in_force(self, at: datetime) -> Version:
        """The version that divides an order of this moment."""
        return next(version for version, _ in self.lasting() if version.since <= at)

    def coming(self, at: datetime) -> Version | None:
        """The version that comes into force next after this moment, if one is made already."""
        later = [version for version, _ in self.lasting() if version.since > at]
        return later[-1] if later else None

    def divides_by(self, policy: Policy, since: datetime) -> bool:
        """Whether all orders from `since` on are divided by `policy` as it is."""
        return all(version.policy == policy for version, until in self.lasting() if until is None or until > since)

    def under_way(self) -> Recomputation | None:
        """The newest job that is not finished."""
        return next((job for job in self.jobs if job.finished_at is None), None)

    def standing(self, name: str) -> Standing:
        """How far the orders of a policy in this book have got; for `current` that of the version that is worst off."""
        if name != CURRENT:
            return self._standing(next(each for each in self.beside if each.name == name))
        order: list[Status] = ["failed", "computing", "computed"]
        return min(
            (self._standing(version) for version, _ in self.lasting()), key=lambda each: order.index(each.status)
        )

    def _standing(self, version: Version) -> Standing:
        jobs = [job for job in self.jobs if _covers(job, version)]
        if not jobs or any(job.status == "finished" for job in jobs):
            return Standing("computed", None)  # one that was done since the version was made is enough
        unfinished = [job for job in jobs if job.finished_at is None]
        return Standing("computing", unfinished[0]) if unfinished else Standing("failed", jobs[0])


def open_book(session: Session, merchant_id: int) -> Book:
    """The merchant's policies and jobs as they are now."""
    rows = _rows(session, merchant_id)
    newest = {row.name: row for row in reversed(rows) if row.name != CURRENT}
    return Book(
        versions=[*(_version(row) for row in rows if row.name == CURRENT), BUILT_IN],
        beside=[_version(row) for _, row in sorted(newest.items()) if row.withdrawn_at is None],
        jobs=_jobs(session, merchant_id),
    )


def for_report(session: Session, merchant_id: int, name: str, as_of: datetime, now: datetime) -> Version:
    """The version by which a report under this name counts, as it was known `as_of`, which is now or was before.

    `Invalid` for a name that is not kept, or was not computed as of then; `PolicyComputing` while it is not computed.
    """
    book = open_book(session, merchant_id)
    if name not in book.names:
        raise Invalid.field("policy", f"must be one of {', '.join(book.names)}")
    if name == CURRENT:
        return _known_by(book, as_of).in_force(as_of)
    version = _computed_by(session, book, merchant_id, name, as_of)
    if version is not None:
        return version
    if as_of < now:
        raise Invalid.field("as_of", f"policy {name} was not computed for all orders at that time")
    standing = book.standing(name)
    if standing.status == "failed":
        raise PolicyComputing(f"Policy {name} could not be computed for all orders; to try again, PUT it again.")
    job = standing.job  # none, where it has ended since
    how_far = "all" if job is None else f"{job.done} of {job.total}"
    raise PolicyComputing(f"Policy {name}: {how_far} orders are done.")


def for_explanation(session: Session, merchant_id: int, name: str, at: datetime, as_of: datetime | None) -> Version:
    """The version of the policy of this name that divides an order made `at`, of those that were made by `as_of`.

    `Invalid` for a name that is not kept, or was not as of then.
    """
    book = open_book(session, merchant_id)
    if name not in book.names:
        raise Invalid.field("policy", f"must be one of {', '.join(book.names)}")
    if name == CURRENT:
        return _known_by(book, as_of).in_force(at)
    if as_of is None:
        return next(each for each in book.beside if each.name == name)
    row = _kept_by(session, merchant_id, name, as_of)
    if row is None:
        raise Invalid.field("as_of", f"policy {name} was not kept at that time")
    return _version(row)


def _known_by(book: Book, as_of: datetime | None) -> Book:
    """The versions of the policy in force that were made by then."""
    return Book(
        [each for each in book.versions if as_of is None or each.made_at is None or each.made_at <= as_of], [], []
    )


def _kept_by(session: Session, merchant_id: int, name: str, as_of: datetime) -> KeptPolicy | None:
    """The newest version of a kept policy at that time, if it was kept then."""
    then = (row for row in _rows(session, merchant_id) if row.name == name and row.made_at <= as_of)
    newest = next(then, None)
    return newest if newest is not None and (newest.withdrawn_at is None or newest.withdrawn_at > as_of) else None


def _computed_by(session: Session, book: Book, merchant_id: int, name: str, as_of: datetime) -> Version | None:
    """The version of a kept policy that was computed for all orders at that time, if it was."""
    newest = _kept_by(session, merchant_id, name, as_of)
    if newest is not None:
        version = _version(newest)
        ends = (job.finished_at for job in book.jobs if job.status == "finished" and _covers(job, version))
        if any(end is not None and end <= as_of for end in ends):
            return version
    return None


def _rows(session: Session, merchant_id: int) -> Sequence[KeptPolicy]:
    mine = select(KeptPolicy).where(KeptPolicy.merchant_id == merchant_id)
    return session.scalars(mine.order_by(KeptPolicy.name, KeptPolicy.version.desc())).all()


def _jobs(session: Session, merchant_id: int) -> Sequence[Recomputation]:
    mine = select(Recomputation).where(Recomputation.merchant_id == merchant_id)
    return session.scalars(mine.order_by(Recomputation.created_at.desc())).all()


def _version(row: KeptPolicy) -> Version:
    return Version(row.name, row.version, policy_from_wire(row.policy), row.applies_from, row.made_at)


def _covers(job: Recomputation, version: Version) -> bool:
    """Whether the job brings all orders up to date that the version divides: it began after it, and reaches as far."""
    after = version.made_at is not None and job.created_at >= version.made_at
    return after and (job.since or BEGINNING) <= version.since
