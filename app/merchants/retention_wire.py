"""How long a merchant's facts are kept, as JSON, in and out: the `retention` of `/v1/merchant`."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from app.kernel.errors import FieldError, Invalid
from app.kernel.http.wire import Body, Wire
from app.merchants.retention import KINDS, LEAST, Kind, Retention

_VISITS = (
    "Visits, with whose they were. Not fewer days than sales need to be divided by them: the longest window of your "
    "policies and 30 days more."
)
_BEACONS = "What widgets reported to have been seen and opened."
_MACHINES = "How often crawlers and link previews asked for a link, by the day."
_CHECKOUTS = "Attempts to pay that are over: the orders that came of them stay."


def _days(kind: Kind, about: str, example: int) -> Any:
    return Field(ge=LEAST[kind], le=36_500, strict=True, description=about, examples=[example])


class RetentionPatch(Body):
    """Days, by kind of fact: your own, which may be shorter than the server's. What is left out stays; `null`: as long
    as the server keeps it. What is gone does not come back by a longer period."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"visits": 400, "beacons": 60}]})

    visits: Annotated[int, _days("visits", _VISITS, 400)] | None = None
    beacons: Annotated[int, _days("beacons", _BEACONS, 60)] | None = None
    machine_visits: Annotated[int, _days("machine_visits", _MACHINES, 90)] | None = None
    checkouts: Annotated[int, _days("checkouts", _CHECKOUTS, 180)] | None = None

    def changed(self, before: Retention, usual: Mapping[Kind, int], needed: int) -> Retention:
        """The periods with those that were given. Raises `Invalid` naming each that is longer than the server's, or
        shorter than `needed` days of visits."""
        given = self.model_dump(exclude_unset=True)
        wrong = list[FieldError]()
        for kind in KINDS:
            days = given.get(kind)
            if days is None:
                continue
            if days > usual[kind]:
                detail = f"must be at most {usual[kind]}: so many days this server keeps it"
                wrong.append(FieldError(f"/retention/{kind}", detail))
            elif kind == "visits" and days < needed:
                detail = (
                    f"must be at least {needed}: your policies look so many days back, 30 of them for what comes late"
                )
                wrong.append(FieldError(f"/retention/{kind}", detail))
        if wrong:
            raise Invalid(*wrong)
        return before.changed(given)


class RetentionOut(Wire):
    """For how many days each kind of fact is kept: as you said, else as this server does."""

    visits: Annotated[int, Field(description=_VISITS, examples=[400])]
    beacons: Annotated[int, Field(description=_BEACONS, examples=[60])]
    machine_visits: Annotated[int, Field(description=_MACHINES, examples=[800])]
    checkouts: Annotated[int, Field(description=_CHECKOUTS, examples=[400])]

    @classmethod
    def of(cls, retention: Retention, usual: Mapping[Kind, int]) -> "RetentionOut":
        return cls(**{kind: retention.days(kind, usual) for kind in KINDS})
