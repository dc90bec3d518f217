"""Whether who writes credit says so first (app/kernel/as_of.py): who forgets it makes reports say `as_of` untruly."""

from collections.abc import Sequence

import pytest
from sqlalchemy.orm import Session

from app.attribution.models import CreditLine
from app.kernel import as_of, bulk
from app.kernel.database import Base


def credit_writers(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Each time that credit is written in this process from now on: whether the transaction said so."""
    said: list[bool] = []
    append = bulk.append

    def watched(session: Session, mapped: type[Base], columns: tuple[str, ...], rows: Sequence[bulk.Row]) -> None:
        if mapped is CreditLine and rows:
            said.append(bool(session.info.get(as_of._SAID)))
        append(session, mapped, columns, rows)

    monkeypatch.setattr(bulk, "append", watched)
    return said
