"""Stories for the report that sets the models side by side, and ways to read it."""

from collections.abc import Iterable
from itertools import count
from typing import Any, Self

from app.attribution.engine import Path
from app.kernel.money import split
from tests import moving
from tests.history import ALL
from tests.shop import JSON, TestMerchant, ok
from tests.unit.attribution import chains

TOUCH_MODELS = ("last_touch", "first_touch", "linear", "position_based", "time_decay")
MODELS = (*TOUCH_MODELS, "markov", "shapley")
_numbers = count(1)


def at(day: float) -> str:
    """A moment of the story, counted in days from its beginning."""
    return moving.written(round(day * 86_400_000_000))


class Past(moving.Past):
    """A story in which a referral is known by its network."""

    def shared(self, *networks: str, by: str = "ana", **fields: Any) -> Self:
        for network in networks:
            self.tell("referral", 0, id=f"s-{network}", type="share", visitor=by, network=network, **fields)
        return self

    def touched(self, visitor: str, *networks: str | None, day: float = 1, type: str = "click") -> Self:
        """One touch after the other, a day apart."""
        for place, network in enumerate(networks):
            referral = network and f"s-{network}"
            self.tell("touch", day + place, id=f"t{next(_numbers)}", visitor=visitor, type=type, referral=referral)
        return self

    def bought(self, visitor: str, day: float, net: int, *, refunded: int = 0, **fields: Any) -> Self:
        order = f"o{next(_numbers)}"
        self.tell("order", day, **{"id": order, "visitor": visitor, "currency": "eur", "net": net, **fields})
        if refunded:
            self.tell("refund", day + 1, id=f"r{order}", order=order, amount=refunded, reason="refund")
        return self

    def joined(self, visitor: str, person: str) -> Self:
        return self.tell("identity", 9, visitor=visitor, person=person)


def asked(merchant: TestMerchant, **query: Any) -> JSON:
    return dict(ok(merchant.http.get("/v1/reports/models", params={**ALL, **query})))


def rows(report: JSON, by: str = "network", currency: str = "eur") -> dict[str, dict[str, int]]:
    """Net by row and model."""
    return {row[by]: {model: row[model] for model in MODELS} for row in report["data"] if row["currency"] == currency}


def column(report: JSON, model: str, by: str = "network", currency: str = "eur") -> dict[str, int]:
    """What one model gives to each row that gets something."""
    return {value: net[model] for value, net in rows(report, by, currency).items() if net[model]}


def exact_markov(total: int, paths: Iterable[Path], order: int = 1) -> dict[str, int]:
    """`total` divided by an exact computation."""
    effects = chains.removal_effects(list(paths), order)
    names = sorted(effects)
    return dict(zip(names, split(total, [effects[name] for name in names]), strict=True))


def paths_of(report: JSON) -> tuple[int, int]:
    return report["paths"]["converted"], report["paths"]["not_converted"]


def a_story() -> Past:
    """Two sales through networks, one without, and two people who only looked."""
    past = Past().shared("email", "whatsapp", "x")
    past.touched("bea", "whatsapp", "x", "email", day=1).bought("bea", 4, 10_000)
    past.touched("cem", "whatsapp").bought("cem", 2, 3_000, refunded=1_000)
    past.bought("dan", 2, 500)
    return past.touched("eve", "x").touched("fay", "whatsapp", "x")


LOOKED_AT = [
    Path(("whatsapp", "x", "email"), 1, 0),
    Path(("whatsapp",), 1, 0),
    Path(("x",), 0, 1),
    Path(("whatsapp", "x"), 0, 1),
]
