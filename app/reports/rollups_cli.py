"""`grapevine rollups`: compares the counts with the facts, and makes them equal, beside a running server."""

from datetime import timedelta

from rich.console import Console

from app.kernel.clock import SystemClock, from_micros
from app.kernel.database import Database
from app.kernel.periods import said_utc
from app.kernel.rollups.tables import MEASURES
from app.merchants.cli import chosen
from app.referrals import keeping
from app.reports.mending import ASIDE, Books, Found
from app.settings import Settings

_MOST = 20
"""Differences that are told one by one."""


def check(settings: Settings, merchant: str | None, since: str | None, *, mend: bool) -> bool:
    """Compare for `merchant` (default: everybody), tell in words what differs; whether anything does, or did.

    Raises `Invalid` for a merchant that there is not, or a `since` that is no moment.
    """
    database, now = Database(settings.database), SystemClock().now()
    console = Console(highlight=False, soft_wrap=True)
    try:
        with database.reading() as session:
            named = chosen(session, merchant)
        found = {
            merchant_id: Books(
                *(database, merchant_id, now + ASIDE, keeping.beacons_kept_since(settings, now)),
                since=said_utc(since, "--since"),
                mend=mend,
            ).compare()
            for merchant_id in named
        }
    finally:
        database.close()
    for merchant_id, (public_id, name) in named.items():
        _tell(console, f"{name} ({public_id})", found[merchant_id], mended=mend)
    if not named:
        console.print("There are no merchants in this database.")
    return any(found.values())


def _tell(console: Console, who: str, found: Found, *, mended: bool) -> None:
    lines = [*_quarters(found), *_spans(found)]
    if not lines:
        console.print(f"{who}: every count is that of the facts.", markup=False)
        return
    done = "was wrong, and is mended" if mended else "is wrong"
    console.print(f"{who}: {len(lines)} {'count' if len(lines) == 1 else 'counts'} {done}:", markup=False)
    for line in lines[:_MOST]:
        console.print(f"  {line}", markup=False)
    if len(lines) > _MOST:
        console.print(f"  and {len(lines) - _MOST} more")


def _quarters(found: Found) -> list[str]:
    return [
        f"{from_micros(each.starts):%Y-%m-%d %H:%M}  {_named(each.dimension, each.value)}: {_less(each.counts)}"
        for each in found.quarters
    ]


def _spans(found: Found) -> list[str]:
    return [
        f"{from_micros(each.starts):%Y-%m-%d %H:%M} and {timedelta(microseconds=each.width)} on  "
        f"{_named(each.dimension, each.value)}, by its quarters: {_less(each.counts)}"
        for each in found.spans
    ]


def _named(dimension: str, value: str) -> str:
    return dimension if dimension == "total" else f"{dimension} {value or '(none)'}"


def _less(counts: tuple[int, ...]) -> str:
    """By how much the counts were too few or too many."""
    pairs = [(name.replace("_", " "), count) for name, count in zip(MEASURES, counts, strict=True) if count]
    return ", ".join(f"{name} {abs(count)} too {'few' if count > 0 else 'many'}" for name, count in pairs)
