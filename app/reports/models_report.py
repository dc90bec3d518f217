"""The same period under every model, side by side: the five that divide each journey, and the two that look at all.

Under each touch model every order is divided by the policy of its time with that model in its place. `markov` and
`shapley` look at the channels of all journeys of the period, converted and not, and divide by what they find what
is left of the orders that somebody earned, once for each currency. Memory does not grow with the number of orders.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from app.attribution import policy_book
from app.attribution.engine import DIRECT_NETWORK, Coalitions, Model, Path, Transitions, divide
from app.attribution.policies import Applying, Kept, Policies
from app.kernel.clock import to_micros
from app.reports.asked import Asked
from app.reports.journeys import Place, Sale, sales_of, unconverted
from app.reports.ledger import NONE

GROUPS: Final = ("network", "product", "wall")
MARKOV: Final = "markov"
SHAPLEY: Final = "shapley"
COLUMNS: Final = (*(model.value for model in Model), MARKOV, SHAPLEY)

_PASSES, _FILTERED_OUT = "+", "-"


@dataclass(frozen=True, kw_only=True)
class Question(Asked):
    """What is asked of this report."""

    group_by: str = "network"
    order: int = 1  # channels that the Markov chain remembers


@dataclass(frozen=True)
class Row:
    """One network, product or wall in one currency: minor units of net under each of `COLUMNS`."""

    value: str
    currency: str
    net: Mapping[str, int]


@dataclass(frozen=True)
class Report:
    """Rows, largest net under the policy in force first, the totals of each currency, and what was looked at."""

    rows: Sequence[Row]
    totals: Mapping[str, Mapping[str, int]]
    policy: Kept
    converted: int  # journeys
    not_converted: int


def answer(session: Session, question: Question) -> Report:
    """The report that `question` asks for. TooManyStates where the Markov chain has more than can be solved.

    The journeys that the aggregate models look at are those of the whole period. Currency and filters choose which
    of the credit is shown; so a row is the same whatever else is filtered, and filtered totals may differ between
    the models. Where credit is filtered by something else than the rows, a channel counts as two: with and without
    what is asked for.
    """
    policies = _as_known(session, question)
    in_force = policies.current_at(question.as_of)
    tally = _Tally(question)
    for sale in sales_of(session, question, policies):
        tally.add(sale)
    for journey in unconverted(session, question, policies):
        tally.add_unconverted(journey)
    tally.divide()
    rows = [
        Row(value, currency, {column: net[column] for column in COLUMNS})
        for (currency, value), net in tally.net.items()
        if any(net.values()) and question.currency in (None, currency)
    ]
    rows.sort(key=lambda row: (row.currency, -row.net[in_force.policy.model], row.value))
    totals = {
        currency: {column: sum(row.net[column] for row in rows if row.currency == currency) for column in COLUMNS}
        for currency in sorted({row.currency for row in rows})
    }
    return Report(rows, totals, in_force, tally.converted, tally.not_converted)


def _as_known(session: Session, question: Question) -> Policies:
    """The versions of the policy in force that were made by `as_of`: the same report can be made again later."""
    book = policy_book.open_book(session, question.merchant_id)
    return Policies(
        [
            Applying(
                None if each.applies_from is None else to_micros(each.applies_from),
                Kept(each.name, each.version, each.policy),
            )
            for each in book.versions
            if each.made_at is None or each.made_at <= question.as_of
        ],
        beside=(),
    )


class _Tally:
    """Adds up credit by row, and counts journeys for the aggregate models."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._transitions = Transitions(question.order)
        self._coalitions = Coalitions()
        self._earned: Counter[str] = Counter()  # net of the orders that somebody earned, by currency
        self.net: dict[tuple[str, str], Counter[str]] = {}  # by currency and row, then by model
        self.converted = 0
        self.not_converted = 0

    def add(self, sale: Sale) -> None:
        """Count an order."""
        for model, parts in sale.credited.items():
            for place, net in parts:
                self._credit(sale.currency, self._channel(place), model, net)
        if sale.journey:
            self.converted += 1
            self._earned[sale.currency] += sale.net
            self._count(sale.journey, conversions=1)
        else:
            direct = self._channel(_DIRECT)
            self._credit(sale.currency, direct, MARKOV, sale.net)
            self._credit(sale.currency, direct, SHAPLEY, sale.net)

    def add_unconverted(self, journey: Sequence[Place]) -> None:
        """Count a journey that led to no order."""
        self.not_converted += 1
        self._count(journey, conversions=0)

    def divide(self) -> None:
        """Divide what was earned by what the aggregate models find. TooManyStates."""
        if not any(self._earned.values()):
            return
        markov, shapley = self._transitions.solve().shares, self._coalitions.credits()
        for currency, earned in self._earned.items():
            for column, parts in ((MARKOV, divide(earned, markov)), (SHAPLEY, divide(earned, shapley))):
                for channel, net in parts.items():
                    self._credit(currency, channel, column, net)

    def _count(self, journey: Sequence[Place], conversions: int) -> None:
        path = Path(tuple(map(self._channel, journey)), conversions, 1 - conversions)
        self._transitions.add(path)
        self._coalitions.add(path)

    def _credit(self, currency: str, channel: str, column: str, net: int) -> None:
        if channel.startswith(_PASSES):
            self.net.setdefault((currency, channel.removeprefix(_PASSES)), Counter())[column] += net

    def _channel(self, place: Place) -> str:
        value: str = getattr(place, self._question.group_by)
        return (_PASSES if self._passes(place) else _FILTERED_OUT) + value

    def _passes(self, place: Place) -> bool:
        only, without = self._question.only, self._question.without
        return all(getattr(place, name) in values for name, values in only.items()) and not any(
            getattr(place, name) in values for name, values in without.items()
        )


_DIRECT = Place(DIRECT_NETWORK, NONE, NONE, NONE)
