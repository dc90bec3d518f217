"""The policy, its defaults, its wire form, and what is refused."""

from fractions import Fraction

import pytest

from app.attribution.engine import InvalidPolicy, Model, Policy, Upline, UplineMode, policy_from_wire, policy_to_wire
from tests.policies import DEFAULT


def pointers(wire: object) -> list[str]:
    with pytest.raises(InvalidPolicy) as caught:
        policy_from_wire(wire)
    return [error.pointer for error in caught.value.errors]


def test_what_is_left_out_has_the_default_of_the_page() -> None:
    assert policy_from_wire({}) == Policy()
    assert policy_to_wire(Policy()) == DEFAULT
    assert policy_from_wire(DEFAULT) == Policy()
    partly = policy_from_wire({"windows": {"like": 5}, "upline": {"mode": "equal"}})
    assert (partly.windows.click, partly.windows.like, partly.upline) == (2592000, 5, Upline(UplineMode.EQUAL))


def test_the_example_of_the_page_is_read() -> None:
    policy = policy_from_wire(
        {**DEFAULT, "model": "position_based", "upline": {"mode": "geometric", "alpha": 5000, "max_depth": 5}}
    )
    assert (policy.model, policy.upline.mode) == (Model.POSITION_BASED, UplineMode.GEOMETRIC)
    assert policy.upline.alpha == Fraction(1, 2)


@pytest.mark.parametrize("wire", [None, [], "last_touch", 7])
def test_a_policy_is_an_object(wire: object) -> None:
    assert pointers(wire) == [""]


@pytest.mark.parametrize(
    ("wire", "pointer"),
    [
        ({"modle": "linear"}, "/modle"),
        ({"a/b~c": 1}, "/a~1b~0c"),
        ({7: 1}, "/7"),
        ({"model": "magic"}, "/model"),
        ({"model": "LINEAR"}, "/model"),
        ({"model": None}, "/model"),
        ({"model": ["linear"]}, "/model"),
        ({"model": "markov"}, "/model"),
        ({"type_priority": "markov"}, "/type_priority"),
        ({"windows": None}, "/windows"),
        ({"windows": {"direct": 5}}, "/windows/direct"),
        ({"windows": {"click": "30"}}, "/windows/click"),
        ({"windows": {"click": True}}, "/windows/click"),
        ({"windows": {"view": 1.0}}, "/windows/view"),
        ({"windows": {"like": -1}}, "/windows/like"),
        ({"windows": {"like": 10**10}}, "/windows/like"),
        ({"position": [4000]}, "/position"),
        ({"position": [4000, "4000"]}, "/position"),
        ({"position": [6000, 6000]}, "/position"),
        ({"position": [0, 0]}, "/position"),
        ({"position": [-1, 4000]}, "/position/0"),
        ({"position": [0, 10001]}, "/position/1"),
        ({"half_life": 0}, "/half_life"),
        ({"half_life": None}, "/half_life"),
        ({"upline": {"alpha": 10001}}, "/upline/alpha"),
        ({"upline": {"max_depth": 0}}, "/upline/max_depth"),
        ({"upline": {"mode": "pyramid"}}, "/upline/mode"),
        ({"self_referral": False}, "/self_referral"),
        ({"coupon_override": 1}, "/coupon_override"),
        ({"journey_reset": "no"}, "/journey_reset"),
    ],
)
def test_an_error_names_its_field(wire: object, pointer: str) -> None:
    assert pointer in pointers(wire)


def test_all_errors_are_told_at_once() -> None:
    wire = {"x": 1, "model": "magic", "windows": {"click": -1}, "upline": {"alpha": "half", "max_depth": 999}}
    assert pointers(wire) == ["/x", "/model", "/upline/alpha", "/windows/click", "/upline/max_depth"]


def test_aggregate_models_are_refused_with_their_reason() -> None:
    with pytest.raises(InvalidPolicy, match="shapley is for aggregate reports"):
        policy_from_wire({"model": "shapley"})


def test_an_impossible_policy_cannot_be_made_in_code_either() -> None:
    with pytest.raises(InvalidPolicy, match="/half_life: must be from 1"):
        Policy(half_life=0)


def test_an_error_of_the_whole_policy_is_readable() -> None:
    with pytest.raises(InvalidPolicy, match="policy: must be an object"):
        policy_from_wire(7)
