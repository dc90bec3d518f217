"""Policies by HTTP: the one in force and its versions, the ones that are kept computed beside it, and the jobs that
apply changes to what was before."""

from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.attribution import policy_book, policy_changes, recomputation
from app.attribution.models import Recomputation
from app.attribution.policies import CURRENT
from app.attribution.policy_book import Book, Status, Version
from app.attribution.policy_wire import PolicyIn, PolicyOut, policy_of
from app.kernel.as_of import writing_now
from app.kernel.errors import NotFound
from app.kernel.http.pages import Page, Paging, newest_first
from app.kernel.http.wire import Body, Timestamp, Wire
from app.kernel.http.work import UnitOfWork
from app.kernel.periods import moment
from app.merchants import service as merchants
from app.merchants.access import SecretKey
from app.merchants.audit import note

router = APIRouter(prefix="/v1", tags=["policies"])

JobStatus = Literal["queued", "running", "finished", "failed"]
Name = Annotated[str, Path(description="1 to 40 of `a-z 0-9 _ -`. `current` is the one in force.", examples=["linear"])]


class JobShort(Wire):
    """How a job is going: `done` of `total` orders."""

    id: str
    status: JobStatus
    done: int
    total: int

    @classmethod
    def of(cls, job: Recomputation) -> "JobShort":
        return cls(id=job.job_id, status=job.status, done=job.done, total=job.total)


class JobOut(Wire):
    """A job that divides orders anew: `done` of `total` orders, with `appended` lines of credit. `error` tells which
    could not be; `since`: orders that were made from then on, all where it is null."""

    id: str
    kind: Literal["recomputation"] = "recomputation"
    status: JobStatus
    since: Timestamp | None
    done: int
    total: int
    appended: int
    created_at: Timestamp
    finished_at: Timestamp | None
    error: str | None

    @classmethod
    def of(cls, job: Recomputation) -> "JobOut":
        fields = {name: getattr(job, name) for name in cls.model_fields if name not in ("id", "kind")}
        return cls.model_validate({"id": job.job_id, **fields})


class VersionOut(PolicyOut):
    """A version of the policy in force: it divides orders from `applies_from` on (null: from the beginning).
    `made_at` is null for the one that is built in."""

    version: int
    applies_from: Timestamp | None
    made_at: Timestamp | None

    @classmethod
    def of_version(cls, version: Version) -> "VersionOut":
        return cls.of(version.policy, **_told(version))


class CurrentOut(VersionOut):
    """The policy in force now, the newest job that is under way, and the version that comes into force next, if one is
    made already."""

    job: JobShort | None
    next: VersionOut | None


class KeptOut(Wire):
    """A policy by which reports can be asked for. `status`: whether it was applied to every order that it divides."""

    name: str
    version: int
    policy: PolicyOut
    in_force: bool
    applies_from: Timestamp | None
    made_at: Timestamp | None
    status: Status
    job: JobShort | None


class Policies(Wire):
    """The policy in force, then those that are kept computed beside it, by name."""

    data: list[KeptOut]
    next_cursor: None = None


class Versions(Wire):
    """The versions of the policy in force, newest first, the built-in one last."""

    data: list[VersionOut]
    next_cursor: None = None


class PutQuery(Body):
    """From when on a change counts."""

    begin: Annotated[
        str | None,
        Field(
            alias="from",
            description="A date or time, past or to come, or `beginning`: a job divides the orders anew that are there "
            "from then on. Default: now; where there are no orders yet, the beginning.",
            examples=["2026-01-01", "beginning"],
        ),
    ] = None


@router.get("/policy", response_model=CurrentOut)
def get_policy(caller: SecretKey, work: UnitOfWork) -> Response:
    """The policy in force: orders that are made now are divided by it. `job` tells how far its change has got with
    earlier orders, null when it is done."""
    return work.read(lambda session: _current(session, caller.merchant_id, work.here.clock.now()))


@router.put("/policy", response_model=CurrentOut)
def put_policy(body: PolicyIn, query: Annotated[PutQuery, Query()], caller: SecretKey, work: UnitOfWork) -> Response:
    """Divide orders by another policy: those that are made from a moment on, or, with `from=beginning`, all.

    Each change is a version and stays; an order is divided by the newest version that applies at its time. Lines of
    credit are never edited: a job appends the differences, beside live traffic. The same again is a version of its
    own, and divides nothing anew.
    """
    policy = policy_of(body)

    def put(session: Session) -> CurrentOut:
        now = writing_now(session, caller.merchant_id, work.here.clock)
        start = _start(session, caller.merchant_id, query.begin)
        policy_changes.put(session, work.here.outbox, caller.merchant_id, policy, start, now)
        note(session, caller, "policy.changed", None, {"policy": body, "from": query.begin})
        return _current(session, caller.merchant_id, now)

    return work.write(put)


@router.get("/policy/versions", response_model=Versions)
def list_policy_versions(caller: SecretKey, work: UnitOfWork) -> Response:
    """Every version that the policy in force ever had, newest first."""

    def show(session: Session) -> Versions:
        book = policy_book.open_book(session, caller.merchant_id)
        return Versions(data=[VersionOut.of_version(version) for version in book.versions])

    return work.read(show)


@router.get("/policies", response_model=Policies)
def list_policies(caller: SecretKey, work: UnitOfWork) -> Response:
    """The policies by which reports can be asked for at once."""

    def show(session: Session) -> Policies:
        book = policy_book.open_book(session, caller.merchant_id)
        now = work.here.clock.now()
        return Policies(data=[_kept(book, version) for version in (book.in_force(now), *book.beside)])

    return work.read(show)


@router.get("/policies/{name}", response_model=KeptOut)
def get_kept_policy(name: Name, caller: SecretKey, work: UnitOfWork) -> Response:
    """One policy by its name, and whether reports under it answer already (`status`)."""
    return work.read(lambda session: _named(session, caller.merchant_id, name, work.here.clock.now()))


@router.put("/policies/{name}", response_model=KeptOut)
def keep_policy(name: Name, body: PolicyIn, caller: SecretKey, work: UnitOfWork) -> Response:
    """Keep another policy computed for all orders, old and new, so that reports under it are as fast: at most five.

    Nobody's credit changes. A job computes it for the orders that are there; reports under it answer when that is done.
    """
    policy = policy_of(body)

    def keep(session: Session) -> KeptOut:
        now = writing_now(session, caller.merchant_id, work.here.clock)
        policy_changes.keep(session, work.here.outbox, caller.merchant_id, name, policy, now)
        note(session, caller, "policy.kept", name, {"policy": body})
        return _named(session, caller.merchant_id, name, now)

    return work.write(keep)


@router.delete("/policies/{name}", status_code=204)
def drop_policy(name: Name, caller: SecretKey, work: UnitOfWork) -> Response:
    """Keep a policy computed no longer: reports under it are refused from then on. What was computed stays."""

    def drop(session: Session) -> None:
        now = writing_now(session, caller.merchant_id, work.here.clock)
        policy_changes.drop(session, caller.merchant_id, name, now)
        note(session, caller, "policy.dropped", name)

    return work.write(drop, status=204)


@router.get("/jobs", response_model=Page[JobOut])
def list_jobs(paging: Paging, caller: SecretKey, work: UnitOfWork) -> Response:
    """Jobs that divide orders anew, newest first: each change of a policy that concerns earlier orders starts one."""
    mine = select(Recomputation).where(Recomputation.merchant_id == caller.merchant_id)
    return work.read(
        lambda session: newest_first(
            session, mine, Recomputation.job_id, paging, lambda jobs: [JobOut.of(job) for job in jobs]
        )
    )


@router.get("/jobs/{job_id}", response_model=JobOut)
def get_job(job_id: str, caller: SecretKey, work: UnitOfWork) -> Response:
    """How a job is going. To know when a change is applied, ask until `status` is `finished` or `failed`."""
    return work.read(lambda session: JobOut.of(recomputation.get(session, caller.merchant_id, job_id)))


def _start(session: Session, merchant_id: int, text: str | None) -> policy_changes.Start:
    if text is None:
        return "now"
    if text == "beginning":
        return "beginning"
    return moment(text, ZoneInfo(merchants.get(session, merchant_id).timezone), "from")


def _current(session: Session, merchant_id: int, now: datetime) -> CurrentOut:
    book = policy_book.open_book(session, merchant_id)
    version, coming = book.in_force(now), book.coming(now)
    return CurrentOut.of(
        version.policy,
        **_told(version),
        job=_short(book.under_way()),
        next=None if coming is None else VersionOut.of_version(coming),
    )


def _named(session: Session, merchant_id: int, name: str, now: datetime) -> KeptOut:
    book = policy_book.open_book(session, merchant_id)
    version = next((each for each in (book.in_force(now), *book.beside) if each.name == name), None)
    if version is None:
        raise NotFound
    return _kept(book, version)


def _kept(book: Book, version: Version) -> KeptOut:
    standing = book.standing(version.name)
    return KeptOut(
        name=version.name,
        policy=PolicyOut.of(version.policy),
        in_force=version.name == CURRENT,
        status=standing.status,
        job=_short(standing.job),
        **_told(version),
    )


def _told(version: Version) -> dict[str, int | datetime | None]:
    return {"version": version.version, "applies_from": version.applies_from, "made_at": version.made_at}


def _short(job: Recomputation | None) -> JobShort | None:
    return None if job is None else JobShort.of(job)
