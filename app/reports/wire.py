"""What several reports tell alike."""

from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field
from sqlalchemy.orm import Session

from app.attribution import closing, sentences
from app.attribution.engine import Policy
from app.attribution.explanation_wire import Sentences
from app.attribution.sentences import Said
from app.kernel.http.wire import Timestamp, Wire
from app.reports.asked import Asked
from app.reports.comparing import before
from app.reports.formats import Cell
from app.reports.ledger import Sums
from app.reports.ranking import NUMBERS

Compare = Annotated[
    Literal["previous"] | None,
    Field(
        description="`previous`: each row and total also as it was in the period before, which has as many local days "
        "where this one begins and ends with a day, else the same length. A row stands where either has something. "
        "Not together with day, week or month in `group_by`. CSV and NDJSON have columns `previous_net` and so on.",
        examples=["previous"],
    ),
]


Gone = Annotated[
    Sentences | None,
    Field(description="Where visits of the period are no longer kept, which this report counts: what that means."),
]


class TotalOut(Wire):
    """The sums of one currency, in minor units."""

    currency: str
    orders: int
    gross: int
    refunded: int
    net: int

    @classmethod
    def of(cls, currency: str, sums: Sums) -> Self:
        return cls(currency=currency, orders=sums.orders, gross=sums.gross, refunded=sums.refunded, net=sums.net)


class PreviousPeriod(Wire):
    """The period before, with which this one is compared."""

    begin: Annotated[Timestamp, Field(serialization_alias="from")]
    end: Annotated[Timestamp, Field(serialization_alias="to")]

    @classmethod
    def before(cls, asked: Asked) -> Self:
        """The one before what is asked for."""
        begin, end = before(asked.since, asked.until, asked.zone)
        return cls(begin=begin, end=end)


def gone(session: Session, asked: Asked, *, compared: bool, policies: Collection[Policy] = ()) -> Said | None:
    """What is to be said where a report is reckoned from visits that may be gone: of the period, or of the one before
    where that is `compared`, as far as these policies reach back."""
    begin = before(asked.since, asked.until, asked.zone)[0] if compared else asked.since
    return sentences.of_gone(closing.gone_before(session, asked.merchant_id, begin, policies))


def numbers_of(sums: Sums) -> dict[str, int]:
    """As a row tells them."""
    return {name: getattr(sums, name) for name in NUMBERS}


def previously(then: Mapping[str, int] | None, change: float | None) -> dict[str, Any]:
    """What a row of JSON tells of the period before, null where that is not told, and how the net has changed."""
    return {"previous": then, "change": change}


def flat_previously(names: Iterable[str], then: Mapping[str, int] | None, change: float | None) -> dict[str, Cell]:
    """The same for CSV and NDJSON."""
    return {**{f"previous_{name}": None if then is None else then[name] for name in names}, "change": change}


def columns_previously(names: Iterable[str]) -> list[str]:
    """The columns of that."""
    return [*(f"previous_{name}" for name in names), "change"]
