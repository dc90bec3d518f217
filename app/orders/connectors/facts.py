"""What a shop has told of one order so far, and what follows from it. Pure.

Messages come late, twice and in any order, so what was told only grows, and what holds is a function of all of it:

* Of whole orders, the newest (by the shop's own time) says whether the order stands; the newest of those for which
  money had come in says what was bought and paid. There is an order from the first of these on, and it stays.
* A refund is what all messages say of its movements of money; a movement that failed stays failed.
* An order is deleted if it was deleted more often than restored: those messages carry no time.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from app.kernel.clock import from_micros
from app.orders.connectors.fields import share
from app.orders.connectors.said import Move, RefundSaid, ShopSaid, Version
from app.orders.lifecycle import REFUND, TakenBack

Told = dict[str, Any]
"""As it is kept: JSON. Empty at first."""

_MOST_FATES = 50
_STATES = ("pending", "done", "failed")


@dataclass(frozen=True)
class Holds:
    """What holds of an order for which money has come in."""

    version: Version
    is_cancelled: bool
    taken_back: tuple[TakenBack, ...]


def grown(told: Told, said: ShopSaid, message_id: str) -> Told:
    """`told` with what a message said; equal to it if that was told before. Whatever came first, it is the same."""
    return {
        "newest": _newer(told.get("newest"), said.version),
        "counting": _newer(told.get("counting"), said.version if said.version and said.version.counts else None),
        "refunds": _more(told.get("refunds", {}), said.refunds),
        **{
            fate: sorted({*told.get(fate, []), *([message_id] if said.fate == fate else [])})[:_MOST_FATES]
            for fate in ("deleted", "restored")
        },
    }


def holds(told: Told, system: str) -> Holds | None:
    """What holds now; None as long as no money is known to have come in."""
    if not told.get("counting"):
        return None
    newest, counting = Version.from_json(told["newest"]), Version.from_json(told["counting"])
    deleted = len(told["deleted"]) > len(told["restored"])
    standing = {
        id_: refund for id_, refund in told["refunds"].items() if newest.refunds is None or id_ in newest.refunds
    }
    return Holds(
        version=counting,
        is_cancelled=deleted or newest.cancelled or not newest.counts,
        taken_back=tuple(_taken_back(f"{system}:{id_}", refund, counting) for id_, refund in standing.items()),
    )


def refund_ids(told: Told, system: str) -> set[str]:
    """All refunds that were ever told, as the books call them."""
    return {f"{system}:{id_}" for id_ in told.get("refunds", {})}


def _newer(known: dict[str, Any] | None, said: Version | None) -> dict[str, Any] | None:
    if said is None:
        return known
    found: dict[str, Any] = json.loads(json.dumps(said.to_json()))  # as it is read back: lists where there are tuples
    return found if known is None else max(known, found, key=_age)


def _age(version: Mapping[str, Any]) -> tuple[int, list[int], str]:
    """Two different ones of the same moment: always the same one wins, whichever came first."""
    return version["changed"], version["rank"], json.dumps(version, sort_keys=True)


def _more(known: Mapping[str, Any], said: tuple[RefundSaid, ...]) -> dict[str, Any]:
    found = dict(known)
    for refund in said:
        before = found.get(refund.id, {"at": refund.at, "moves": {}})
        moves = dict(before["moves"])
        for id_, move in refund.moves.items():
            moves[id_] = max(moves.get(id_, asdict(move)), asdict(move), key=_progress)
        found[refund.id] = {"at": min(before["at"], refund.at), "moves": moves}
    return found


def _progress(move: Mapping[str, Any]) -> tuple[int, int, str]:
    return _STATES.index(move["state"]), move["amount"], move["currency"]


def _taken_back(external_id: str, refund: Mapping[str, Any], order: Version) -> TakenBack:
    moves = [Move(**move) for move in refund["moves"].values()]
    back = sum(_in_the_orders(move, order) for move in moves if move.state != "failed")
    return TakenBack(external_id, REFUND, from_micros(refund["at"]), back, counts=back > 0)


def _in_the_orders(move: Move, order: Version) -> int:
    """Minor units of the order's currency. What went back in the currency that the buyer saw is that part of what was
    paid; of a third currency nothing can be said."""
    if move.currency == order.currency:
        return move.amount
    if order.elsewhere is None or move.currency != order.elsewhere[0] or order.elsewhere[1] == 0:
        return 0
    return share(order.paid, move.amount, order.elsewhere[1])
