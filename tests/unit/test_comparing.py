"""The period before: as many local days, of however many hours, or else as long; and how much has changed."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from app.kernel.errors import Invalid
from app.kernel.periods import moment
from app.reports.comparing import before, change, refuse_units
from app.reports.ranking import Order, Place, order_of, turn


def period(zone: str, since: str, until: str) -> tuple[str, str]:
    """The one before, in UTC."""
    zone_info = ZoneInfo(zone)
    found = before(moment(since, zone_info, "from"), moment(until, zone_info, "to"), zone_info)
    first, last = (f"{at.astimezone(UTC):%Y-%m-%dT%H:%M}" for at in found)
    return first, last


@pytest.mark.parametrize(
    ("expected", "zone", "since", "until"),
    [
        pytest.param(
            ("2026-10-31T23:00", "2026-11-01T23:00"),
            "Europe/Paris",
            "2026-11-02",
            "2026-11-03",
            id="a day",
        ),
        # Clocks were put back on 25 October: that day had 25 hours.
        pytest.param(
            ("2026-10-24T22:00", "2026-10-25T23:00"), "Europe/Paris", "2026-10-26", "2026-10-27", id="25 hours"
        ),
        pytest.param(
            ("2026-10-23T22:00", "2026-10-24T22:00"), "Europe/Paris", "2026-10-25", "2026-10-26", id="after 24"
        ),
        # And forward on 29 March: 23 hours.
        pytest.param(
            ("2026-03-28T23:00", "2026-03-29T22:00"), "Europe/Paris", "2026-03-30", "2026-03-31", id="23 hours"
        ),
        pytest.param(
            ("2026-03-22T23:00", "2026-03-29T22:00"),
            "Europe/Paris",
            "2026-03-30",
            "2026-04-06",
            id="a week",
        ),
        pytest.param(
            ("2026-08-31T22:00", "2026-09-30T22:00"), "Europe/Paris", "2026-10-01", "2026-10-31", id="30 days"
        ),
        # In Santiago there is no midnight on 6 September: that day begins at one.
        pytest.param(
            ("2026-09-06T04:00", "2026-09-07T03:00"), "America/Santiago", "2026-09-07", "2026-09-08", id="none"
        ),
        pytest.param(
            ("2026-10-24T21:30", "2026-10-25T22:30"),
            "Europe/Paris",
            "2026-10-25T22:30:00Z",
            "2026-10-26T23:30:00Z",
            id="no midnights: as long",
        ),
        pytest.param(
            ("1970-01-01T00:00", "1970-01-02T00:00"), "UTC", "1970-01-02", "2026-01-01", id="before all times"
        ),
        pytest.param(
            ("1970-01-01T00:00", "1970-01-01T00:00"),
            "UTC",
            "1970-01-01",
            "9998-01-01",
            id="nothing before",
        ),
        pytest.param(
            ("1970-01-01T00:00", "1970-01-01T01:00"),
            "UTC",
            "1970-01-01T01:00:00Z",
            "9998-01-01",
            id="longer",
        ),
    ],
)
def test_the_period_before(expected: tuple[str, str], zone: str, since: str, until: str) -> None:
    assert expected == period(zone, since, until)


@pytest.mark.parametrize(
    ("expected", "now", "then"),
    [(0.0, 5, 5), (0.5, 15, 10), (-1.0, 0, 7), (-1.333333, -1, 3), (0.333333, 4, 3), (None, 4, 0), (None, 4, -2)],
)
def test_how_much_has_changed(expected: float | None, now: int, then: int) -> None:
    assert expected == change(now, then)


def test_of_what_is_not_told_nothing_has_changed() -> None:
    assert change(5, None) is None


@pytest.mark.parametrize("unit", ["day", "week", "month"])
def test_days_weeks_and_months_are_of_one_period_only(unit: str) -> None:
    refuse_units(("network", "depth"))
    with pytest.raises(Invalid, match="compare: cannot be asked for together with day, week, month in group_by"):
        refuse_units(("network", unit))


def turns(order: Order, *names: str) -> list[str]:
    return sorted(names, key=lambda name: turn(order, ("depth",), "eur", 0, (name,)))


def test_depths_are_sorted_as_numbers() -> None:
    assert ["(none)", "2", "9", "10"] == turns(Order("depth", descends=False), "10", "9", "(none)", "2")
    assert ["10", "9", "2", "(none)"] == turns(Order("depth", descends=True), "10", "9", "(none)", "2")


@pytest.mark.parametrize("said", ["price", "", "-", "--net", "sharer", "Net", "net "])
def test_what_nothing_can_be_sorted_by_is_refused_with_what_it_can(said: str) -> None:
    with pytest.raises(Invalid, match="sort: must be one of orders, gross, refunded, net, network, each also with -"):
        order_of(said, ("network",))


@pytest.mark.parametrize("names", ["", "x", "null", '"x"', "[1]", '["a","b"]', '["\\u0000"]', "[" * 9000, '{"a":1}'])
def test_a_place_that_is_no_row_is_no_cursor(names: str) -> None:
    with pytest.raises(Invalid, match="cursor: is not a cursor of this list"):
        Place("eur", 1, names).values(("network",))


def test_a_place_knows_its_row() -> None:
    names = ("a,b", 'x"é', "")
    assert names == Place.of("eur", -5, names).values(("network", "product", "wall"))


def test_before_is_never_of_another_zone() -> None:
    since, until = datetime(2026, 5, 1, 22, tzinfo=UTC), datetime(2026, 5, 2, 22, tzinfo=UTC)
    assert datetime(2026, 4, 30, 22, tzinfo=UTC) == before(since, until, ZoneInfo("Europe/Paris"))[0]
