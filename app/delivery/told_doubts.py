"""What events say of doubts and of what was decided about them; as they stand when asked, under the API's names.

The words in which the API tells a doubt beside its figures are left out: whoever is told can ask for them. Knows no
HTTP but its shapes.
"""

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy.orm import Session

from app.delivery.told import ById, Fact
from app.trust import doubts
from app.trust.models import Decision
from app.trust.wire import DecisionOut, DoubtOut


def raised(session: Session, merchant_id: int, ids: Collection[str]) -> Mapping[str, Fact]:
    """Doubts, by their ids."""
    return {
        standing.doubt.doubt_id: Fact(standing.doubt.at, standing.doubt.doubt_id, _told(standing))
        for standing in doubts.as_they_stand(session, merchant_id, ids)
    }


def decided(session: Session, merchant_id: int, ids: Collection[str]) -> Mapping[str, Fact]:
    """Decisions, by their ids; each is about its doubt, which says how it stands by now."""
    rows = _DECISIONS.rows(session, merchant_id, ids)
    about = raised(session, merchant_id, {row.doubt_id for row in rows})
    return {
        row.decision_id: Fact(
            row.at,
            row.doubt_id,
            {**about[row.doubt_id].data, "decision": DecisionOut.of_one(row).model_dump(mode="json")},
        )
        for row in rows
    }


def _told(standing: doubts.Standing) -> dict[str, object]:
    return DoubtOut.of_one(standing).model_dump(mode="json", exclude={"explanation", "decision"})


_DECISIONS: Final = ById(Decision, Decision.decision_id, 40)
