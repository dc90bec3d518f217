"""How deliveries forget somebody: what endpoints were told, or are still to be told, names nobody who was erased."""

import json
from typing import Any

from sqlalchemy import or_, select, update

from app.delivery.models import WebhookDelivery
from app.kernel.database import Database, table_of
from app.kernel.rekeying import FEW, Step, pages, renamed, says
from app.privacy.erasure import ERASED, Forgetting


def look_for(database: Database, whom: Forgetting, step: Step) -> None:
    """Write the bodies anew that name somebody, without the words that they wrote. That somebody was erased is itself
    told under the name by which receivers know them: such a delivery goes with the others of its age."""
    rows = table_of(WebhookDelivery).c
    for page in pages(database, rows.delivery_id, whom.merchant_id, step):
        theirs = or_(says(rows.body, whom.names), rows.subject.in_(whom.names))
        asked = select(rows.delivery_id, rows.subject, rows.body).where(page, rows.type != ERASED)
        with database.reading() as session:
            some = session.execute(asked.where(theirs), execution_options={"yield_per": FEW})
            found = [id_ for id_, subject, body in some if _said(subject, body, whom) is not None]
        for begin in range(0, len(found), FEW):
            with database.transaction() as session:
                of_them = asked.where(rows.delivery_id.in_(found[begin : begin + FEW])).order_by(rows.delivery_id)
                for delivery_id, subject, body in session.execute(of_them.with_for_update()).all():
                    same = (rows.merchant_id == whom.merchant_id, rows.delivery_id == delivery_id)
                    if (said := _said(subject, body, whom)) is not None:
                        session.execute(update(WebhookDelivery).where(*same).values(said))


def _said(subject: str, body: str, whom: Forgetting) -> dict[str, str] | None:
    """What is told instead; None where it tells of nobody."""
    told = json.loads(body)
    other = _wordless(told, whom)
    if other == told and subject not in whom.names:
        return None
    written = json.dumps(other, ensure_ascii=False, separators=(",", ":"))
    return {"subject": whom.names.get(subject, subject), "body": written}


def _wordless(said: Any, whom: Forgetting) -> Any:
    data = said.get("data")
    if isinstance(data, dict) and data.get("visitor") in whom.names:
        data = {**data, **{name: None for name in ("caption", "page") if name in data}}
    return renamed({**said, "data": data}, whom.names)
