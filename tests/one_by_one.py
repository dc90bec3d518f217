"""The models side by side as they would be found one order after the other: each settled whole under each model, by
attribution itself. Slow, and knows no shortcut: what the report says is held against it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Select, and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from app.attribution.engine import Model, Path, TouchType, divide, markov, shapley
from app.attribution.policies import Policies
from app.orders.models import FormerBuyer, Order
from app.referrals.models import Claim, Visit
from app.referrals.reach import second_of
from app.reports import journeys_at_length, models_report
from app.reports.journeys_at_length import Looked, Place
from app.reports.models_report import MARKOV, SHAPLEY, Question
from app.reports.people import Known

Net = dict[tuple[str, str], dict[str, int]]
"""Minor units by value and currency, then by model; nothing that is 0."""


def answer(session: Session, question: Question) -> tuple[Net, int, int]:
    """What the report must say: rows, and how many journeys converted and did not."""
    policies = models_report.as_known(session, question).policies
    found: dict[tuple[str, str], Counter[str]] = {}
    earned: Counter[str] = Counter()
    converted: list[Sequence[str]] = []

    def credit(currency: str, channel: str, column: str, net: int) -> None:
        if channel.startswith("+") and question.currency in (None, currency):
            found.setdefault((channel[1:], currency), Counter())[column] += net

    for sale in journeys_at_length.sales_of(session, question, policies, _orders(session, question)):
        for model in Model:
            for place, net in sale.credited.get(model, sale.alike):
                credit(sale.currency, _channel(question, place), model, net)
        if sale.journey:
            converted.append([_channel(question, place) for place in sale.journey])
            earned[sale.currency] += sale.net
        else:
            for column in (MARKOV, SHAPLEY):
                credit(sale.currency, _channel(question, _NOBODY), column, sale.net)
    unconverted = [[_channel(question, place) for place in each] for each in _unconverted(session, question, policies)]
    paths = [*_paths(converted, 1), *_paths(unconverted, 0)]
    for currency, whole in earned.items():
        shares = markov(paths, question.order).shares
        for column, parts in ((MARKOV, divide(whole, shares)), (SHAPLEY, divide(whole, shapley(paths)))) * bool(whole):
            for channel, net in parts.items():
                credit(currency, channel, column, net)
    rows = {key: {column: net for column, net in each.items() if net} for key, each in found.items()}
    return {key: each for key, each in rows.items() if each}, len(converted), len(unconverted)


_NOBODY = Place("(direct)", *("(none)",) * (len(Place._fields) - 1))


def _paths(journeys: Iterable[Sequence[str]], conversions: int) -> Iterator[Path]:
    return (Path(tuple(channels), conversions, 1 - conversions) for channels in journeys)


def _channel(question: Question, place: Place) -> str:
    """With whether the filters leave it."""
    told = place._asdict()
    kept = all(told[name] in values for name, values in question.only.items())
    kept = kept and not any(told[name] in values for name, values in question.without.items())
    value: str = told[question.group_by]
    return ("+" if kept else "-") + value


def _orders(session: Session, question: Question) -> Sequence[str]:
    mine = (Order.merchant_id == question.merchant_id, Order.livemode == question.livemode)
    known = (Order.received_at <= question.as_of, Order.at >= question.since, Order.at < question.until)
    return session.scalars(select(Order.order_id).where(*mine, *known)).all()


def _unconverted(session: Session, question: Question, policies: Policies) -> Iterator[Sequence[Place]]:
    looked = [Looked(*row) for row in session.execute(_still_looking(question))]
    return journeys_at_length.unconverted(session, question, policies, looked)


def _still_looking(question: Question) -> Select[*tuple[Any, ...]]:
    """A visitor of each person who has bought nothing since they were last touched in the period, and when."""
    known = Known(question.merchant_id, question.as_of)
    touched = (
        select(known.sharer(Claim.visitor_id, Claim.merchant_id).label("person"), Claim.visitor_id, Visit.at)
        .join(Visit, and_(Visit.merchant_id == Claim.merchant_id, Visit.visit_id == Claim.visit_id))
        .where(known(Claim), known(Visit), Visit.type != TouchType.DIRECT)
        .where(Visit.at >= question.since, Visit.at < question.until)
        .subquery()
    )
    bought = _last_purchases(question, known).subquery()
    last = func.max(touched.c.at)
    return (
        select(func.min(touched.c.visitor_id), last)
        .outerjoin(bought, bought.c.person == touched.c.person)
        .group_by(touched.c.person, bought.c.at)
        .having(or_(bought.c.at.is_(None), second_of(last) > second_of(bought.c.at)))
    )


def _last_purchases(question: Question, known: Known) -> Select[*tuple[Any, ...]]:
    """When each person who bought since the period began bought last, by what was known of who bought."""
    later = and_(FormerBuyer.merchant_id == known.merchant_id, FormerBuyer.until > known.as_of)
    key = (FormerBuyer.merchant_id, FormerBuyer.order_id)
    first = select(*key, func.min(FormerBuyer.position).label("position")).where(later).group_by(*key).subquery()
    then = aliased(FormerBuyer)
    its_first = and_(first.c.merchant_id == Order.merchant_id, first.c.order_id == Order.order_id)
    same = (then.merchant_id == first.c.merchant_id, then.order_id == first.c.order_id)
    click, visitor = (
        case((first.c.position.is_not(None), getattr(then, name)), else_=getattr(Order, name))
        for name in ("click_id", "visitor_id")
    )
    named = and_(Claim.merchant_id == Order.merchant_id, Claim.visit_id == click)
    buyer = func.coalesce(visitor, Claim.visitor_id)
    orders = (
        select(known.sharer(buyer, Order.merchant_id).label("person"), Order.at)
        .outerjoin(first, its_first)
        .outerjoin(then, and_(*same, then.position == first.c.position))
        .outerjoin(Claim, and_(named, visitor.is_(None), Claim.received_at <= known.as_of))
        .where(known(Order), Order.livemode == question.livemode, buyer.is_not(None))
        .where(Order.at >= question.since.replace(microsecond=0))
        .subquery()
    )
    return select(orders.c.person, func.max(orders.c.at).label("at")).group_by(orders.c.person)
