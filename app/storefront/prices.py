"""Prices as a shopper reads them (app/kernel/prices.py), for templates. Pure."""

from collections.abc import Callable

from app.kernel.prices import written
from app.storefront.cards import MoneyDict


def speaker(language: str) -> Callable[[MoneyDict], str]:
    """A function that says amounts in `language`: `19,99 €`."""
    return lambda money: written(money["amount"], money["currency"], language)
