"""Long jobs that survive a crash: done some at a time, together with how far the job got. Knows no job.

Whoever comes later goes on where it was, and nothing is done or counted twice. Several who do the same job at once do
no harm: whoever finds it elsewhere than they left it stops.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy.orm import Session

from app.kernel.database import Database


class Job(Protocol):
    """How far a job got, as it is kept."""

    @property
    def position(self) -> Any: ...

    @property
    def finished_at(self) -> datetime | None: ...


J = TypeVar("J", bound=Job)


class CarriedOn(Generic[J]):
    """One who carries a job on from `position`.

    `locked` gives the job, which nobody else changes until the transaction ends; `goes_on` says whether there is
    somebody to whom it matters, and ends it where there is not.
    """

    def __init__(
        self,
        database: Database,
        position: Any,
        locked: Callable[[Session], J],
        goes_on: Callable[[Session, J], bool],
    ) -> None:
        self._database = database
        self._position = position
        self._locked = locked
        self._goes_on = goes_on
        self._is_outrun = False

    def write(self, change: Callable[[Session, J], None]) -> J:
        """Change the job, and what belongs to it, where it stands as it was left here; the job as it then stands.
        Elsewhere, or ended: somebody else was faster."""
        with self._database.transaction() as session:
            state = self._locked(session)
            self._is_outrun = state.finished_at is not None or state.position != self._position
            if not self._is_outrun and self._goes_on(session, state):
                change(session, state)
        if not self._is_outrun:
            self._position = state.position
        return state

    def to_the_end(self, step: Callable[[], J], progress: Callable[[J], None]) -> J:
        """Go on by `step`, which writes; `progress` is told after each. The job as it then stands: ended, or not where
        somebody else got further meanwhile."""
        while True:
            state = step()
            if state.finished_at is not None or self._is_outrun:
                return state
            progress(state)
