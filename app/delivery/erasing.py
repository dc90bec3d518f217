"""How deliveries forget somebody: what endpoints were told, or are still to be told, names nobody who was erased."""

import json
from typing import Any

from sqlalchemy import or_, select, update

from app.delivery.models import WebhookDelivery
from app.kernel.database import Database, table_of
from app.kernel.rekeying import Step, pages, renamed, says
from app.privacy.erasure import ERASED, Forgetting


def look_for(database: Database, whom: Forgetting, step: Step) -> None:
    """Write the bodies anew that name somebody, without the words that they wrote. That somebody was erased is itself
    told under the name by which receivers know them: such a delivery goes with the others of its age."""
    rows = table_of(WebhookDelivery).c
    for page in pages(database, rows.delivery_id, whom.merchant_id, step):
        theirs = or_(says(rows.body, whom.names), rows.subject.in_(whom.names))
        asked = select(rows.delivery_id, rows.subject, rows.body).where(page, rows.type != ERASED, theirs)
        with database.reading() as session:
            found = session.execute(asked.limit(1)).first()
        if found is None:
            continue
        with database.transaction() as session:
            for delivery_id, subject, body in session.execute(asked.with_for_update()).all():
                same = (rows.merchant_id == whom.merchant_id, rows.delivery_id == delivery_id)
                said = {"subject": whom.names.get(subject, subject), "body": _without(body, whom)}
                session.execute(update(WebhookDelivery).where(*same).values(said))


def _without(body: str, whom: Forgetting) -> str:
    said = json.loads(body)
    return json.dumps(_wordless(said, whom), ensure_ascii=False, separators=(",", ":"))


def _wordless(said: Any, whom: Forgetting) -> Any:
    data = said.get("data")
    if isinstance(data, dict) and data.get("visitor") in whom.names:
        data = {**data, **{name: None for name in ("caption", "page") if name in data}}
    return renamed({**said, "data": data}, whom.names)
