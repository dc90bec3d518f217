"""What is barred, as the engine asks for it: what trust says of touches, referrals and orders, in the engine's words.

Decides nothing and writes nothing.
"""

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy.orm import Session

from app.attribution.engine import NONE_BARRED, Bar, Bars, Doubted, Reason
from app.trust import standings

_REASONS: Final = {"hold": Reason.HELD, "refuse": Reason.REFUSED}


def bars_of(
    session: Session,
    merchant_id: int,
    *,
    touches: Collection[str],
    referrals: Collection[str],
    orders: Mapping[str, str],
    known_by: int,
) -> Bars:
    """Those of these that were barred as was known by the microsecond `known_by`, in one statement. `orders`: the
    engine's ids by ours."""
    found = standings.barred(
        session, merchant_id, referrals=referrals, visits=touches, orders=orders, known_by=known_by
    )
    if not any(found):
        return NONE_BARRED
    return Bars(
        touches=_bars(Doubted.VISIT, found.visits),
        referrals=_bars(Doubted.REFERRAL, found.referrals),
        orders={orders[order_id]: bar for order_id, bar in _bars(Doubted.ORDER, found.orders).items()},
    )


def _bars(about: Doubted, found: Mapping[str, standings.Bar]) -> dict[str, Bar]:
    return {each: Bar(_REASONS[bar.effect], about, bar.rule, bar.doubt_id) for each, bar in found.items()}
