"""Totals over settlements: net credit by network, by sharer, by subtree (rule 12). Per currency, never across.

Pure. A total of 0 is left out, and so is a currency without totals.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Self

from app.attribution.engine.facts import Facts
from app.attribution.engine.lines import Settlement

Totals = dict[str, dict[str, int]]  # currency -> whatever it is by -> minor units
_Parents = dict[str, str | None]


class Tally:
    """Adds up settlements as they pass by: it keeps sums and who stands above whom, never a settlement.

    They may come from several `Facts`, such as a merchant's orders in batches, as long as each knows all ancestors
    of what its orders touched and all have the same `as_of`.
    """

    def __init__(self) -> None:
        self._networks: Totals = {}
        self._sharers: Totals = {}
        self._touched: Totals = {}
        self._parents: _Parents = {}  # the known parent of whatever was touched and of its ancestors

    @classmethod
    def of(cls, settlements: Iterable[Settlement], facts: Facts) -> Self:
        """The tally of all `settlements`, which were made by `facts`."""
        tally = cls()
        for settlement in settlements:
            tally.add(settlement, facts)
        return tally

    def add(self, settlement: Settlement, facts: Facts) -> None:
        """Count one more order, settled by `facts`."""
        currency = settlement.order.currency
        networks = self._networks.setdefault(currency, {})
        sharers = self._sharers.setdefault(currency, {})
        touched = self._touched.setdefault(currency, {})
        for line in settlement.lines:
            net = line.net
            networks[line.network] = networks.get(line.network, 0) + net
            sharers[line.sharer] = sharers.get(line.sharer, 0) + net
            source = line.source_referral
            if source is not None:
                touched[source] = touched.get(source, 0) + net
                self._learn_parents(source, facts)

    def by_network(self) -> Totals:
        """Net of all lines of each network. Does not depend on the upline (rule 7)."""
        return _without_zeros(self._networks)

    def by_sharer(self) -> Totals:
        """Net of all lines of each sharer; `(none)` and `(house)` are there too, so that it adds up."""
        return _without_zeros(self._sharers)

    def by_subtree(self) -> Totals:
        """Net of all sources whose referral is the given one or stands below it, however deep.

        A source's whole net counts, whatever the upline gave to whom. Subtrees that are nested overlap: these
        totals are not to be added up.
        """
        sums = {currency: _summed_up(own, self._parents) for currency, own in self._touched.items()}
        return _without_zeros(sums)

    def _learn_parents(self, referral: str, facts: Facts) -> None:
        current: str | None = referral
        while current is not None and current not in self._parents:
            parent = facts.referrals[current].parent
            self._parents[current] = parent if parent in facts.referrals else None
            current = self._parents[current]


def _without_zeros(totals: Totals) -> Totals:
    kept = {currency: {key: net for key, net in of_currency.items() if net} for currency, of_currency in totals.items()}
    return {currency: of_currency for currency, of_currency in kept.items() if of_currency}


def _summed_up(own: Mapping[str, int], known: Mapping[str, str | None]) -> dict[str, int]:
    """Each referral's own net plus that of everything below it, in time linear in the referrals concerned."""
    parents = _lineages(own, known)
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


def _lineages(own: Iterable[str], known: Mapping[str, str | None]) -> _Parents:
    """The part of `known` that concerns the referrals of `own` and their ancestors."""
    parents: _Parents = {}
    for referral in own:
        current: str | None = referral
        while current is not None and current not in parents:
            parents[current] = known[current]
            current = parents[current]
    return parents


def _loops(parents: _Parents) -> Iterator[list[str]]:
    """The loops of which `parents` consists. Takes them out of it."""
    while parents:
        loop: list[str] = []
        referral: str | None = next(iter(parents))
        while referral is not None and referral in parents:
            loop.append(referral)
            referral = parents.pop(referral)
        yield loop
