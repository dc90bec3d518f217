"""What the ledger of a merchant says, added up from its lines."""

from collections import Counter, defaultdict
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.attribution.engine import Amounts, LineKey, Source
from app.attribution.models import CreditLine

Books = dict[tuple[str, str], dict[LineKey, Amounts]]
"""By order and policy: every line that is not nothing."""


def books(session: Session, merchant: int, as_of: datetime | None = None) -> Books:
    """The merchant's books, now or as they were at a time."""
    sums: dict[tuple[str, str], dict[LineKey, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for line in session.scalars(select(CreditLine).where(CreditLine.merchant_id == merchant)):
        if as_of is None or line.written_at <= as_of:
            person = (line.referral, line.level, line.sharer)
            key = LineKey(Source(line.source), line.touch, *person, line.network, line.source_referral)
            sums[line.order_id, line.policy][key].update(gross=line.gross, reversed=line.reversed)
    found = {
        entry: {key: Amounts(each["gross"], each["reversed"]) for key, each in lines.items() if any(each.values())}
        for entry, lines in sums.items()
    }
    return {entry: lines for entry, lines in found.items() if lines}
