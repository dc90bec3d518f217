"""How attribution forgets somebody: what they earned was earned by somebody who has another name. No amount changes,
and no line is added: credit of the same orders, computed anew, is the same.
"""

from typing import Final

from sqlalchemy import BigInteger, FromClause, Select, select, type_coerce, update
from sqlalchemy.orm import Session

from app.attribution import affected, marks
from app.attribution.marks import quarter_of
from app.attribution.models import CreditLine
from app.kernel.database import id_type
from app.kernel.given import Question, keys_of
from app.privacy.erasure import Forgetting
from app.referrals import identities, turns

_AT_ONCE: Final = 500
"""Orders of which the lines are looked at together."""


def forget(session: Session, whom: Forgetting) -> None:
    """Put the new names on their lines, and mark the sums in which the old ones stand. Comes before who is whom is
    forgotten: it is asked for their orders, under the old names and, for what was just written, the new ones."""
    turns.hold_facts(session, whom.merchant_id)
    names = {*whom.names, *whom.former}
    names |= identities.ever(session, whom.merchant_id, names)  # lines of then stand, under the name of then
    orders = affected.by_visitors(session, whom.merchant_id, names).all()
    quarters = set()
    for begin in range(0, len(orders), _AT_ONCE):
        some = keys_of(whom.merchant_id, orders[begin : begin + _AT_ONCE])
        for credit_id, sharer, policy, livemode, order_at in _LINES.ask(session, some):
            if sharer in whom.names:
                quarters.add(quarter_of(policy, livemode, order_at))
                line = (CreditLine.merchant_id == whom.merchant_id) & (CreditLine.credit_id == credit_id)
                session.execute(
                    update(CreditLine).where(line).values(sharer=whom.names[sharer]),
                    execution_options={"synchronize_session": False},
                )
    marks.mark(session, whom.merchant_id, quarters, whom.now)


def _lines(given: FromClause) -> Select[*tuple[object, ...]]:
    same = (CreditLine.merchant_id == given.c.merchant_id) & (CreditLine.order_id == given.c.order_id)
    at = type_coerce(CreditLine.order_at, BigInteger)
    told = (CreditLine.credit_id, CreditLine.sharer, CreditLine.policy, CreditLine.livemode, at)
    return select(*told).join_from(given, CreditLine, same).order_by(CreditLine.credit_id)


_LINES: Final = Question(_lines, merchant_id=BigInteger(), order_id=id_type())
