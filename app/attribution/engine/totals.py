"""Totals over settlements: net credit by network, by sharer, by subtree (rule 12). Per currency, never across.

Pure. A total of 0 is left out, and so is a currency without totals.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from app.attribution.engine.facts import Facts
from app.attribution.engine.lines import Line, Settlement

Totals = dict[str, dict[str, int]]  # currency -> whatever it is by -> minor units


def by_network(settlements: Iterable[Settlement]) -> Totals:
    """Net of all lines of each network. Does not depend on the upline (rule 7)."""
    return _by(settlements, lambda line: line.network)


def by_sharer(settlements: Iterable[Settlement]) -> Totals:
    """Net of all lines of each sharer; `(none)` and `(house)` are there too, so that it adds up."""
    return _by(settlements, lambda line: line.sharer)


def by_subtree(settlements: Iterable[Settlement], facts: Facts) -> Totals:
    """Net of all sources whose referral is the given one or stands below it, however deep.

    A source's whole net counts, whatever the upline gave to whom. Subtrees that are nested overlap: these totals
    are not to be added up.
    """
    own: Totals = {}
    for settlement in settlements:
        totals = own.setdefault(settlement.order.currency, {})
        for line in settlement.lines:
            touched = line.source_referral
            if touched is not None:
                totals[touched] = totals.get(touched, 0) + line.net
    return _without_zeros({currency: _summed_up(totals, facts) for currency, totals in own.items()})


def _by(settlements: Iterable[Settlement], name: Callable[[Line], str]) -> Totals:
    totals: Totals = {}
    for settlement in settlements:
        of_currency = totals.setdefault(settlement.order.currency, {})
        for line in settlement.lines:
            key = name(line)
            of_currency[key] = of_currency.get(key, 0) + line.net
    return _without_zeros(totals)


def _without_zeros(totals: Totals) -> Totals:
    kept = {currency: {key: net for key, net in of_currency.items() if net} for currency, of_currency in totals.items()}
    return {currency: of_currency for currency, of_currency in kept.items() if of_currency}


def _summed_up(own: Mapping[str, int], facts: Facts) -> dict[str, int]:
    """Each referral's own net plus that of everything below it, in time linear in the referrals concerned."""
    parents = _known_parents(own, facts)
    sums = {referral: own.get(referral, 0) for referral in parents}
    waiting = dict.fromkeys(parents, 0)  # children whose sum is not known yet
    for parent in parents.values():
        if parent is not None:
            waiting[parent] += 1
    ready = [referral for referral, children in waiting.items() if not children]
    while ready:
        referral = ready.pop()
        parent = parents.pop(referral)
        if parent is not None:
            sums[parent] += sums[referral]
            waiting[parent] -= 1
            if not waiting[parent]:
                ready.append(parent)
    for loop in _loops(parents):
        # In a loop everybody is everybody's ancestor.
        sums.update(dict.fromkeys(loop, sum(sums[referral] for referral in loop)))
    return sums


def _known_parents(own: Mapping[str, int], facts: Facts) -> dict[str, str | None]:
    """The known parent, or None, of every referral of `own` and of all their ancestors."""
    parents: dict[str, str | None] = {}
    for referral in own:
        current: str | None = referral
        while current is not None and current not in parents:
            parent = facts.referrals[current].parent
            parents[current] = parent if parent in facts.referrals else None
            current = parents[current]
    return parents


def _loops(parents: dict[str, str | None]) -> Iterator[list[str]]:
    """The loops of which `parents` consists. Takes them out of it."""
    while parents:
        loop: list[str] = []
        referral: str | None = next(iter(parents))
        while referral is not None and referral in parents:
            loop.append(referral)
            referral = parents.pop(referral)
        yield loop
