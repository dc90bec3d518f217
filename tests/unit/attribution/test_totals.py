"""Totals by network, sharer and subtree, per currency (rule 12)."""

from app.attribution.engine import Model, Policy, Tally, UplineMode, settle_all
from tests.unit.attribution.story import Story, chain_of, model, upline


def test_orders_are_settled_by_time_and_then_by_id() -> None:
    story = Story().order("b", "x", day=2).order("a", "x", day=2).order("c", "x", day=1)
    assert [s.order.id for s in settle_all(story.facts(), Policy())] == ["c", "a", "b"]


def test_totals_are_per_currency_and_leave_out_zeros() -> None:
    story = Story().share("s", "ana").touch("t", "buyer", "s", day=1).order("o1", "buyer", 500)
    story.order("o2", "buyer", 70, currency="jpy").order("o3", "other", 30).order("o4", "buyer", 9, currency="kwd")
    story.refund("f", "o4", 9)
    facts = story.facts()
    tally = Tally.of(settle_all(facts, Policy()), facts)
    assert tally.by_network() == {"eur": {"whatsapp": 500, "(direct)": 30}, "jpy": {"whatsapp": 70}}
    assert tally.by_sharer() == {"eur": {"ana": 500, "(none)": 30}, "jpy": {"ana": 70}}
    assert tally.by_subtree() == {"eur": {"s": 500}, "jpy": {"s": 70}}


def test_orders_may_come_with_facts_of_their_own() -> None:
    root = Story().share("root", "r")
    left = root.share("a", "a", parent="root").touch("t", "buyer", "a", day=1).order("o1", "buyer", 30)
    right = Story().share("root", "r").touch("u", "other", "root", day=1).order("o2", "other", 5)
    tally = Tally()
    for story in (left, right):
        facts = story.facts()
        for settlement in settle_all(facts, Policy()):
            tally.add(settlement, facts)
    assert tally.by_subtree() == {"eur": {"a": 30, "root": 35}}
    assert tally.by_sharer() == {"eur": {"a": 30, "r": 5}}


def test_a_subtree_has_the_whole_net_of_its_sources_however_deep_and_whatever_the_upline() -> None:
    names = [f"n{number}" for number in range(20)]
    story = chain_of(*names, net=100).refund("f", "order", 40)
    facts = story.facts()
    for mode in UplineMode:
        settlement = story.settle(Policy(upline=upline(mode, max_depth=2)))
        assert Tally.of([settlement], facts).by_subtree() == {"eur": dict.fromkeys(names, 60)}


def test_siblings_add_up_in_their_parent_and_a_coupon_counts_too() -> None:
    story = Story().share("root", "r").share("a", "a", parent="root").share("b", "b", parent="root")
    story.touch("t1", "buyer", "a", day=1).touch("t2", "buyer", "b", day=2).touch("t3", "buyer", "gone", day=3)
    story.coupon("code", "root").order("order", "buyer", 90).order("other", "x", 5, coupon="code")
    facts = story.facts()
    totals = Tally.of(settle_all(facts, model(Model.LINEAR)), facts).by_subtree()
    assert totals == {"eur": {"a": 30, "b": 30, "root": 65}}


def test_in_a_loop_everybody_is_everybodys_ancestor() -> None:
    story = Story().share("x", "x", parent="y").share("y", "y", parent="x").share("below", "b", parent="x")
    story.touch("t", "buyer", "below", day=1).order("o1", "buyer", 70).touch("u", "other", "y", day=1)
    facts = story.order("o2", "other", 30).facts()
    assert Tally.of(settle_all(facts, Policy()), facts).by_subtree() == {"eur": {"below": 70, "x": 100, "y": 100}}


def test_an_unknown_parent_has_no_subtree() -> None:
    story = Story().share("s", "ana", parent="gone").touch("t", "buyer", "s", day=1).order("order", "buyer", 10)
    facts = story.facts()
    assert Tally.of([story.settle()], facts).by_subtree() == {"eur": {"s": 10}}


def test_a_chain_of_fifty_thousand_is_summed_in_no_time_and_without_recursion() -> None:
    story = Story().share("0", "v0").touch("t", "buyer", "49999", day=1).order("order", "buyer", 10)
    for number in range(1, 50_000):
        story.share(str(number), f"v{number}", parent=str(number - 1))
    facts = story.facts()
    totals = Tally.of(settle_all(facts, Policy(upline=upline(UplineMode.ROOT, max_depth=100))), facts).by_subtree()
    assert (len(totals["eur"]), set(totals["eur"].values())) == (50_000, {10})
