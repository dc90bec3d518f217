"""Rules, doubts and decisions by HTTP."""

import hashlib
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from sqlalchemy import Select
from sqlalchemy.orm import Session

from app.kernel.as_of import writing_now
from app.kernel.errors import Invalid
from app.kernel.http.pages import Page, newest_first
from app.kernel.http.work import Answer, UnitOfWork
from app.merchants.access import SecretKey
from app.trust import changing, doubts
from app.trust.book import Book, book
from app.trust.found import About
from app.trust.models import Decision, Doubt
from app.trust.rules import RULES
from app.trust.wire import (
    DOUBT,
    DecisionIn,
    DoubtOut,
    DoubtQuery,
    DoubtWithDecisions,
    RuleOut,
    Rules,
    RulesIn,
)

router = APIRouter(prefix="/v1", tags=["trust"])

DoubtId = Annotated[str, Path(description="The `id` of a doubt.", examples=[DOUBT])]


@router.get("/rules", response_model=Rules)
def list_rules(caller: SecretKey, work: UnitOfWork) -> Response:
    """What is looked for, and what becomes of what is found: `off`, `flag`, `hold` credit, `refuse` credit. By itself
    only one's own links and programs refuse; all other rules flag."""
    return work.read(lambda session: _shown(book(session, caller.merchant_id)))


@router.put("/rules", response_model=Rules)
def put_rules(body: RulesIn, caller: SecretKey, work: UnitOfWork) -> Response:
    """Say what rules do; those that are not named do as usual. Doubts that are left to a rule follow it at once, those
    that you decided stay; thresholds count for what is found from now on."""
    new = changing.settings_of(body.asked())

    def put(session: Session) -> Rules:
        now = writing_now(session, caller.merchant_id, work.here.clock)
        changing.put(session, work.here.events, caller, new, now)
        return _shown(new)

    return work.write(put)


@router.get("/doubts", response_model=Page[DoubtOut])
def list_doubts(query: Annotated[DoubtQuery, Query()], caller: SecretKey, work: UnitOfWork) -> Response:
    """What rules found, newest first: the queue is `state=open`, those that wait for you `state=open&effect=hold`."""
    if query.rule is not None and query.rule not in RULES:
        raise Invalid.field("rule", f"is none of {', '.join(RULES)}")
    mine, question = _asked(caller.merchant_id, query), _question_of(query)
    paging = query.model_copy(update={"cursor": _place_in(query.cursor, question)})

    def show(session: Session) -> Page[DoubtOut]:
        def show_all(rows: Sequence[Doubt]) -> list[DoubtOut]:
            ids = [row.doubt_id for row in rows]
            return [DoubtOut.of_one(each) for each in doubts.as_they_stand(session, caller.merchant_id, ids)]

        page = newest_first(session, mine, Doubt.doubt_id, paging, show_all)
        if page.next_cursor is not None:
            page.next_cursor += question
        return page

    return work.read(show)


@router.get("/doubts/{doubt_id}", response_model=DoubtWithDecisions)
def get_doubt(doubt_id: DoubtId, caller: SecretKey, work: UnitOfWork) -> Response:
    """One doubt, and all that was decided about it."""
    return work.read(lambda session: _one(session, caller.merchant_id, doubt_id))


@router.post(
    "/doubts/{doubt_id}/decisions",
    status_code=201,
    response_model=DoubtWithDecisions,
    responses={200: {"model": DoubtWithDecisions, "description": "It was decided so already: nothing changed."}},
)
def decide_doubt(doubt_id: DoubtId, body: DecisionIn, caller: SecretKey, work: UnitOfWork) -> Response:
    """Decide about a doubt: credit follows at once. A decision is undone by another, and all of them stay."""

    def decide(session: Session) -> Answer:
        now = writing_now(session, caller.merchant_id, work.here.clock)
        is_new = doubts.decide(session, work.here.events, caller, doubt_id, body.verdict, body.note or None, now)
        return Answer(_one(session, caller.merchant_id, doubt_id), status=201 if is_new else 200)

    return work.write(decide, owner=caller.owner)


def _shown(settings: Book) -> Rules:
    return Rules(data=[RuleOut.of_one(rule, settings) for rule in RULES.values()])


def _one(session: Session, merchant_id: int, doubt_id: str) -> DoubtWithDecisions:
    standing = doubts.get(session, merchant_id, doubt_id)
    return DoubtWithDecisions.of_all(standing, doubts.decisions_about(session, standing.doubt))


def _asked(merchant_id: int, query: DoubtQuery) -> Select[Doubt]:
    """The doubts that are asked for."""
    mine = doubts.all_of(merchant_id).with_only_columns(Doubt)
    wanted = {Doubt.rule: query.rule, Doubt.about: query.about, Doubt.subject: query.subject}
    for column, value in {**wanted, Decision.effect: query.effect}.items():
        if value is not None:
            mine = mine.where(column == value)
    if query.subject is not None and query.about is None:
        mine = mine.where(Doubt.about.in_(list(About)))  # as the index says it
    if query.state is not None:
        is_open = doubts.left_to_rules()
        mine = mine.where(is_open if query.state == "open" else ~is_open)
    return mine


def _question_of(query: DoubtQuery) -> str:
    """What ends the cursors of this question; no cursor of another list has such an end."""
    said = query.model_dump_json(exclude={"cursor", "limit"})
    return f".{hashlib.sha256(said.encode()).hexdigest()[:16]}"


def _place_in(cursor: str | None, question: str) -> str | None:
    """The cursor without its end. Raises `Invalid` for one that we did not give for this question."""
    if cursor is None or cursor.endswith(question):
        return None if cursor is None else cursor.removesuffix(question)
    raise Invalid.field("cursor", "is not a cursor of this list")
