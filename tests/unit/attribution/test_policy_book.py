"""Which version of a policy divides an order, and what is told of versions: the same as is divided by."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.attribution.engine import Policy, policy_to_wire
from app.attribution.policies import CURRENT, DEFAULT, Applying, Kept, Policies
from app.attribution.policy_book import BEGINNING, BUILT_IN, Book, Version
from app.attribution.policy_wire import PolicyIn, PolicyOut
from app.kernel.clock import to_micros
from tests.clock import START

DAY = timedelta(days=1)
_moments = st.integers(0, 6).map(lambda days: START + days * DAY)
_histories = st.lists(st.tuples(st.none() | _moments, st.integers(1, 3)), max_size=7)


def book(history: list[tuple[datetime | None, int]]) -> Book:
    """Versions made one after the other: from when each applies, and a half-life by which to know its policy."""
    versions = [
        Version(CURRENT, number, Policy(half_life=half_life), since, START)
        for number, (since, half_life) in enumerate(history, start=2)
    ]
    return Book([*reversed(versions), BUILT_IN], [], [])


@given(_histories, _moments)
def test_the_newest_version_that_applies_divides(history: list[tuple[datetime | None, int]], at: datetime) -> None:
    """The rule word for word: among versions, newest first, the first that applies at that time."""
    opened = book(history)
    expected = next(each for each in opened.versions if each.applies_from is None or each.applies_from <= at)
    applying = [
        Applying(
            None if each.applies_from is None else to_micros(each.applies_from),
            Kept(CURRENT, each.version, each.policy),
        )
        for each in opened.versions[:-1]
    ]
    assert expected == opened.in_force(at)
    assert (expected.version, expected.policy) == Policies(applying, ()).current_at(at)[1:]


@given(_histories, _moments)
def test_the_version_that_is_coming_is_the_next_that_divides(
    history: list[tuple[datetime | None, int]], at: datetime
) -> None:
    opened = book(history)
    days = [opened.in_force(at + number * DAY).version for number in range(8)]
    later = [version for version in days if version != days[0]]
    coming = opened.coming(at)
    assert later[:1] == ([] if coming is None else [coming.version])


@given(_histories, st.none() | _moments, st.integers(1, 3))
def test_a_change_is_one_if_it_changes_by_what_any_order_is_divided(
    history: list[tuple[datetime | None, int]], since: datetime | None, half_life: int
) -> None:
    opened, policy = book(history), Policy(half_life=half_life)
    days = [START - DAY + number * DAY for number in range(9)]
    dividing = [opened.in_force(day).policy for day in days if since is None or day >= since]
    assert all(each == policy for each in dividing) == opened.divides_by(policy, since or BEGINNING)


def test_the_built_in_version_is_the_default_policy() -> None:
    assert (CURRENT, 1, Policy(), None, None) == BUILT_IN
    assert DEFAULT == BUILT_IN[:3]


def test_the_reference_knows_every_field_of_a_policy() -> None:
    wire = policy_to_wire(Policy())
    (schema,) = (each.json_schema for each in PolicyIn.__metadata__ if hasattr(each, "json_schema"))  # type: ignore[attr-defined]
    assert set(wire) == set(schema["properties"]) == set(PolicyOut.model_fields)
    for name in ("windows", "upline"):
        assert set(wire[name]) == set(schema["properties"][name]["properties"])  # type: ignore[call-overload]
    assert wire == PolicyOut.of(Policy()).model_dump(mode="json")
