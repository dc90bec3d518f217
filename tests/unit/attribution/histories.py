"""Random histories and policies in their wire form, and their translation into the engine's facts.

The worlds are small on purpose: few people, few seconds, few cents, so that ties, loops, own links, edges of
windows and people joined late happen all the time.
"""

from random import Random
from typing import Any

from app.attribution.engine import (
    Bar,
    Bars,
    Coupon,
    Doubted,
    Facts,
    Identity,
    Line,
    Order,
    Reason,
    Referral,
    Refund,
    Touch,
    TouchType,
)

Fact = dict[str, Any]
VISITORS = [f"v{n}" for n in range(6)]
PEOPLE = ["p0", "p1", "v0"]  # a visitor may be joined to another visitor
REFERRALS = [f"r{n}" for n in range(8)]
NETWORKS = [None, "x", "whatsapp", "email"]
MODELS = ["last_touch", "first_touch", "linear", "position_based", "time_decay"]
UPLINES = ["direct", "geometric", "equal", "root", "recursive", "halving"]
NOON = 100  # seconds; histories last from 0 to 2 * NOON


def random_policy(random: Random) -> Fact:
    first = random.choice([0, 1, 3_333, 4_000, 5_000, 10_000])
    return {
        "model": random.choice(MODELS),
        "windows": {kind: random.choice([0, 10, 60, 2 * NOON]) for kind in ("click", "like", "view")},
        "type_priority": random.choice(["strict", "none"]),
        "position": [first, random.choice([1, 10_000 - first]) if first < 10_000 else 0],
        "half_life": random.choice([1, 7, 50, 604_800]),
        "upline": {
            "mode": random.choice(UPLINES),
            "alpha": random.choice([0, 1, 3_333, 5_000, 9_000, 10_000]),
            "max_depth": random.randint(1, 5),
        },
        "self_referral": random.choice(["exclude", "exclude", "include"]),
        "coupon_override": random.random() < 0.8,
        "journey_reset": random.random() < 0.4,
    }


def random_history(random: Random) -> list[Fact]:
    history: list[Fact] = []

    def happened(kind: str, **fields: object) -> None:
        at = random.randint(0, 2 * NOON)
        received = at * 1_000_000 + random.choice([0, 0, 5_000_000, 60_000_000])
        history.append({"kind": kind, **fields, "at": at, "received_at": received})

    for referral in REFERRALS[: random.randint(0, len(REFERRALS))]:
        happened(
            "referral",
            id=referral,
            visitor=random.choice(VISITORS),
            network=random.choice(NETWORKS),
            parent=random.choice([None, "r-unknown", *REFERRALS, *REFERRALS]),
        )
    for number in range(random.randint(0, 14)):
        happened(
            "touch",
            id=f"t{number}",
            visitor=random.choice([None, *VISITORS[:3], *VISITORS]),
            type=random.choice(["click", "click", "click", "like", "view", "direct"]),
            network=random.choice(NETWORKS),
            referral=random.choice([None, "r-unknown", *REFERRALS]),
            bot=random.random() < 0.05,
        )
    for _ in range(random.randint(0, 4)):
        happened("identity", visitor=random.choice(VISITORS), person=random.choice(PEOPLE))
    for _ in range(random.randint(0, 3)):
        happened(
            "coupon",
            code=random.choice(["ANA10", " ana10", "BO"]),
            referral=random.choice([None, "r-unknown", *REFERRALS]),
        )
    for number in range(random.randint(1, 4)):
        happened(
            "order",
            id=f"o{number}",
            visitor=random.choice([None, *VISITORS[:3], *VISITORS]),
            currency=random.choice(["eur", "eur", "jpy"]),
            net=random.choice([0, 1, 2, 100, 9_999, 10_000, random.randint(0, 300)]),
            coupon=random.choice([None, None, None, "Ana10 ", "bo", "unheard"]),
            click=random.choice([None, None, "t-unknown", "t0", "t1", "t2"]),
        )
    for number in range(random.randint(0, 5)):
        happened(
            "refund",
            id=f"f{number}",
            order=random.choice(["o0", "o0", "o1", "o2", "o-unknown"]),
            amount=random.choice([0, 1, 1, 98, 1_000, random.randint(0, 200), 10**9]),
            dropped_at=random.choice([None, None, None, random.randint(0, 2 * NOON) * 1_000_000]),
        )
    for fact in random.sample(history, min(3, len(history))):
        if "id" in fact:  # a repeated id changes nothing, whatever it says the second time
            history.append({**fact, "at": 0, "network": "again", "received_at": fact["received_at"] + 1})
    random.shuffle(history)
    return history


def random_bars(random: Random, history: list[Fact]) -> list[Fact]:
    """Bars of some touches, referrals and orders of `history`; several of the same now and then."""
    kinds = {"touch": "visit", "referral": "referral", "order": "order"}
    told = sorted({(kinds[fact["kind"]], fact["id"]) for fact in history if fact["kind"] in kinds})
    barred = random.sample(told, min(len(told), random.choice([0, 1, 2, 4])))
    return [
        {"kind": "bar", "about": about, "id": id, "effect": random.choice(["held", "refused"]), "received_at": -1}
        for about, id in barred
    ]


def facts_of(history: list[Fact], as_of: int | None = None) -> Facts:
    """The engine's facts of a history in wire form."""

    def those(kind: str) -> list[Fact]:
        return [fact for fact in history if fact["kind"] == kind]

    def fields(fact: Fact, *names: str) -> list[Any]:
        return [fact[name] for name in (*names, "at", "received_at")]

    return Facts.of(
        referrals=[Referral(*fields(f, "id", "visitor", "network", "parent")) for f in those("referral")],
        touches=[
            Touch(*fields(f, "id", "visitor", "type", "network", "referral"))._replace(
                type=TouchType(f["type"]), bot=f.get("bot", False)
            )
            for f in those("touch")
        ],
        identities=[Identity(*fields(f, "visitor", "person")) for f in those("identity")],
        coupons=[Coupon(*fields(f, "code", "referral")) for f in those("coupon")],
        orders=[
            Order(*fields(f, "id", "visitor", "currency", "net", "coupon"))._replace(click=f.get("click"))
            for f in those("order")
        ],
        refunds=[
            Refund(*fields(f, "id", "order", "amount"))._replace(dropped_at=f.get("dropped_at"))
            for f in those("refund")
        ],
        bars=bars_of(those("bar")),
        as_of=as_of,
    )


def bars_of(told: list[Fact]) -> Bars:
    """The engine's bars."""

    def about(kind: Doubted) -> dict[str, Bar]:
        return {f["id"]: Bar(Reason(f["effect"]), kind, "too_fast", "dbt_1") for f in told if f["about"] == kind}

    return Bars(about(Doubted.VISIT), about(Doubted.REFERRAL), about(Doubted.ORDER))


def line_on_the_wire(line: Line) -> Fact:
    """What two implementations must agree on, of one line."""
    return {
        "source": line.source.value,
        "touch": line.touch,
        "referral": line.referral,
        "network": line.network,
        "sharer": line.sharer,
        "level": line.level,
        "gross": line.gross,
        "reversed": line.reversed,
        "net": line.net,
    }
