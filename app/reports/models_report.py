"""The same period under every model, side by side: the five that divide each journey, and the two that look at all.

Under each touch model every order is divided by the policy of its time with that model in its place. `markov` and
`shapley` look at the channels of all journeys of the period, converted and not, and divide by what they find what
is left of the orders that somebody earned, once for each currency. Memory does not grow with the number of orders.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy.orm import Session

from app.attribution import policy_book
from app.attribution.engine import Coalitions, Model, Path, Transitions, divide
from app.attribution.policies import Applying, Kept, Policies
from app.kernel.clock import to_micros
from app.reports import removal_apart
from app.reports.asked import Asked
from app.reports.comparing import before, change
from app.reports.journeys import DIRECT, Rules, journeys
from app.reports.journeys_at_length import Place as Source
from app.reports.journeys_at_length import Sale
from app.reports.ranking import Order, Place, Turn, page_of, turn

GROUPS: Final = ("network", "product", "wall")
MARKOV: Final = "markov"
SHAPLEY: Final = "shapley"
COLUMNS: Final = (*(model.value for model in Model), MARKOV, SHAPLEY)
Net = Mapping[str, int]
"""Minor units by column."""

_NOTHING: Final[Net] = dict.fromkeys(COLUMNS, 0)

_PASSES, _FILTERED_OUT = "+", "-"
_MOST_HELD: Final = 20_000
"""Different journeys, or places, that are held until they are counted."""


@dataclass(frozen=True, kw_only=True)
class Question(Asked):
    """What is asked of this report."""

    group_by: str = "network"
    order: int = 1  # channels that the Markov chain remembers
    sort: Order | None = None  # None: the largest net under the policy in force first
    after: Place | None = None  # only the rows that come after
    limit: int | None = None  # so many rows, the first ones; None: all


@dataclass(frozen=True)
class Row:
    """One network, product or wall in one currency: minor units of net under each of `COLUMNS`; `then`: what it was in
    the period before, where that is compared."""

    value: str
    currency: str
    net: Net
    then: Net | None = None


@dataclass(frozen=True)
class Paths:
    """How many journeys were looked at."""

    converted: int
    not_converted: int


@dataclass(frozen=True)
class Report:
    """Rows in the order that is asked for, the totals of each currency, and what was looked at; `then`: totals and
    journeys of the period before, where that is compared."""

    rows: Sequence[Row]
    totals: Mapping[str, Net]
    policy: Kept
    paths: Paths
    totals_then: Mapping[str, Net] | None = None
    paths_then: Paths | None = None

    def change(self, now: Net, then: Net | None) -> float | None:
        """By what part the net under the policy in force has changed."""
        model = self.policy.policy.model
        return change(now[model], None if then is None else then[model])


def answer(session: Session, question: Question) -> Report:
    """The report that `question` asks for. TooManyStates where the Markov chain has more than can be solved.

    The journeys that the aggregate models look at are those of the whole period. Currency and filters choose which
    of the credit is shown; so a row is the same whatever else is filtered, and filtered totals may differ between
    the models. Where credit is filtered by something else than the rows, a channel counts as two: with and without
    what is asked for.
    """
    rules = as_known(session, question)
    net, paths = _reckoned(session, question, rules)
    rows = [Row(*key, each) for key, each in net.items()]
    return _report(question, rules.policies.current_at(question.as_of), rows, paths)


def compared(session: Session, question: Question) -> Report:
    """The same beside the period before: a row stands where either has something. TooManyStates."""
    rules = as_known(session, question)
    since, until = before(question.since, question.until, question.zone)
    now, paths = _reckoned(session, question, rules)
    then, paths_then = _reckoned(session, replace(question, since=since, until=until), rules)
    rows = [Row(*key, now.get(key, _NOTHING), then.get(key, _NOTHING)) for key in {**now, **then}]
    found = _report(question, rules.policies.current_at(question.as_of), rows, paths)
    totals_then = {
        currency: _total(row.then or _NOTHING for row in rows if row.currency == currency) for currency in found.totals
    }
    return replace(found, totals_then=totals_then, paths_then=paths_then)


def place_of(question: Question, report: Report, row: Row) -> Place:
    """Where a row of the report stands: the next page begins after it."""
    return Place.of(row.currency, row.net.get(_sorted_by(question, report.policy).by, 0), (row.value,))


def _reckoned(session: Session, question: Question, rules: Rules) -> tuple[dict[tuple[str, str], Net], Paths]:
    """Net by value and currency, where there is any, and what was looked at."""
    tally = _Tally(question)
    for found in journeys(session, question, rules):
        for sale in found.sales:
            tally.add(sale)
        for journey, times in found.unconverted:
            tally.add_unconverted(journey, times)
    tally.divide()
    nets: dict[tuple[str, str], Net] = {
        (value, currency): {column: net[column] for column in COLUMNS}
        for (currency, value), net in tally.net.items()
        if any(net.values()) and question.currency in (None, currency)
    }
    return nets, Paths(tally.converted, tally.not_converted)


def _report(question: Question, in_force: Kept, rows: Sequence[Row], paths: Paths) -> Report:
    currencies = sorted({row.currency for row in rows})
    totals = {currency: _total(row.net for row in rows if row.currency == currency) for currency in currencies}
    order, group_by = _sorted_by(question, in_force), (question.group_by,)

    def turn_of(currency: str, number: int, value: str) -> Turn:
        return turn(order, group_by, currency, number, (value,))

    turns = ((turn_of(row.currency, row.net.get(order.by, 0), row.value), row) for row in rows)
    after = question.after and turn_of(*question.after[:2], *question.after.values(group_by))
    return Report(page_of(turns, after, question.limit), totals, in_force, paths)


def _sorted_by(question: Question, in_force: Kept) -> Order:
    return question.sort or Order(in_force.policy.model)


def _total(nets: Iterable[Net]) -> Net:
    added: Counter[str] = Counter()
    for net in nets:
        added.update(net)
    return {column: added[column] for column in COLUMNS}


def as_known(session: Session, question: Question) -> Rules:
    """The versions of the policy in force that were made by `as_of`: the same report can be made again later."""
    book = policy_book.open_book(session, question.merchant_id)
    known = [each for each in book.versions if each.made_at is None or each.made_at <= question.as_of]
    versions = [
        Applying(
            None if each.applies_from is None else to_micros(each.applies_from),
            Kept(each.name, each.version, each.policy),
        )
        for each in known
    ]
    return Rules(Policies(versions, beside=()), [each.policy for each in known])


class _Tally:
    """Adds up credit by row, and counts journeys for the aggregate models: most are alike, and are counted together."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._transitions = Transitions(question.order)
        self._coalitions = Coalitions()
        self._earned: Counter[str] = Counter()  # net of the orders that somebody earned, by currency
        self._alike: Counter[tuple[str, str]] = Counter()  # net that all touch models give to the same, by row
        self._nobodys: Counter[str] = Counter()  # net of the other orders
        self._paths: dict[tuple[str, ...], list[int]] = {}  # conversions, and journeys without
        self._channels: dict[Source, str] = {}
        self.net: dict[tuple[str, str], Counter[str]] = {}  # by currency and row, then by model
        self.converted = 0
        self.not_converted = 0

    def add(self, sale: Sale) -> None:
        """Count an order."""
        for place, net in sale.alike:
            self._alike[sale.currency, self._channel(place)] += net
        for model, parts in sale.credited.items():
            for place, net in parts:
                self._credit(sale.currency, self._channel(place), model, net)
        if sale.journey:
            self.converted += 1
            self._earned[sale.currency] += sale.net
            self._count(sale.journey)[0] += 1
        else:
            self._nobodys[sale.currency] += sale.net

    def add_unconverted(self, journey: Sequence[Source], times: int) -> None:
        """Count a journey that led to no order, so many times."""
        self.not_converted += times
        self._count(journey)[1] += times

    def divide(self) -> None:
        """Divide what was earned by what the aggregate models find. TooManyStates."""
        self._put_together()
        if not any(self._earned.values()):
            return
        markov, shapley = self._transitions.solve(removal_apart.removal_effects).shares, self._coalitions.credits()
        for currency, earned in self._earned.items():
            for column, parts in ((MARKOV, divide(earned, markov)), (SHAPLEY, divide(earned, shapley))):
                for channel, net in parts.items():
                    self._credit(currency, channel, column, net)

    def _put_together(self) -> None:
        self._count_paths()
        for (currency, channel), net in self._alike.items():
            for model in Model:
                self._credit(currency, channel, model, net)
        for currency, net in self._nobodys.items():
            for column in (MARKOV, SHAPLEY):
                self._credit(currency, self._channel(DIRECT), column, net)

    def _count(self, journey: Sequence[Source]) -> list[int]:
        if len(self._paths) > _MOST_HELD:
            self._count_paths()
        return self._paths.setdefault(tuple(map(self._channel, journey)), [0, 0])

    def _count_paths(self) -> None:
        for channels, ends in self._paths.items():
            path = Path(channels, *ends)
            self._transitions.add(path)
            self._coalitions.add(path)
        self._paths.clear()

    def _credit(self, currency: str, channel: str, column: str, net: int) -> None:
        if channel.startswith(_PASSES):
            self.net.setdefault((currency, channel.removeprefix(_PASSES)), Counter())[column] += net

    def _channel(self, place: Source) -> str:
        found = self._channels.get(place)
        if found is None:
            if len(self._channels) > _MOST_HELD:
                self._channels.clear()
            value: str = getattr(place, self._question.group_by)
            found = self._channels[place] = (_PASSES if self._passes(place) else _FILTERED_OUT) + value
        return found

    def _passes(self, place: Source) -> bool:
        only, without = self._question.only, self._question.without
        return all(getattr(place, name) in values for name, values in only.items()) and not any(
            getattr(place, name) in values for name, values in without.items()
        )
