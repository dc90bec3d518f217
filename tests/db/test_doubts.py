"""Doubts: raised once, decided by their rule, then by the merchant; what stood at a past moment never changes."""

from functools import partial
from itertools import pairwise

import pytest
from sqlalchemy import select

from app.kernel.database import Database
from app.kernel.errors import NotFound
from app.kernel.journal import JournalEntry
from app.trust.doubts import Verdict
from app.trust.found import About, Found
from app.trust.models import Decision
from app.trust.news import StandingsChanged
from app.trust.rules import Do
from app.trust.standings import NOTHING, Bar
from tests.db.doubting import Doubting, found
from tests.threads import together


@pytest.fixture
def doubting(database: Database) -> Doubting:
    return Doubting(database)


def test_by_itself_a_rule_only_flags(doubting: Doubting) -> None:
    doubt = doubting.raised(found("ord_1"))
    assert [("flag", "none", None)] == doubting.verdicts(doubt)
    assert doubting.effect("ord_1") is None
    assert doubting.told() == []


@pytest.mark.parametrize("do", [Do.HOLD, Do.REFUSE])
def test_what_a_rule_holds_or_refuses_earns_nothing_from_then_on(doubting: Doubting, do: Do) -> None:
    doubting.rules(own_mail=do)
    before = doubting.later()
    doubt = doubting.raised(found("ord_1", alike=2))
    assert (do.value, "own_mail", doubt) == doubting.bar("ord_1")
    assert doubting.bar("ord_1", before) is None
    assert [StandingsChanged(doubting.merchant, [], [], ["ord_1"])] == doubting.told()


def test_a_doubt_is_raised_once_and_keeps_its_first_evidence(doubting: Doubting) -> None:
    doubt = doubting.raised(found("ord_1", alike=2))
    doubting.later()
    assert doubting.record(found("ord_1", alike=3), found("ord_2"), found("ord_2", alike=9)) == 1
    assert {"alike": 2} == doubting.standings()[doubt].doubt.evidence
    assert len(doubting.verdicts(doubt)) == 1


def test_many_are_raised_at_once_each_with_its_evidence(doubting: Doubting) -> None:
    doubting.rules(own_mail=Do.HOLD)
    assert doubting.record(*(found(f"ord_{number}", alike=number) for number in range(30))) == 30
    said = {each.doubt.subject: each.doubt.evidence for each in doubting.standings().values()}
    assert {f"ord_{number}": {"alike": number} for number in range(30)} == said
    assert len(doubting.barred(orders=list(said)).orders) == 30


def test_who_records_the_same_at_once_raises_it_once(doubting: Doubting) -> None:
    what = [found(f"ord_{number}") for number in range(20)]
    raised = together(*(partial(doubting.record, *what[::step]) for step in (1, -1, 1, -1)))
    assert sum(raised) == 20
    assert all(len(doubting.verdicts(each)) == 1 for each in doubting.standings())


def test_nothing_found_raises_nothing(doubting: Doubting) -> None:
    assert doubting.record() == 0


def test_what_a_rule_found_that_is_off_by_now_is_passed_over(doubting: Doubting) -> None:
    doubting.rules(own_mail=Do.OFF)
    assert doubting.record(found("ord_1"), found("ord_1", "own_card")) == 1
    assert ["own_card"] == [each.doubt.rule for each in doubting.standings().values()]


def test_of_several_doubts_the_strongest_stands_and_of_equals_the_first(doubting: Doubting) -> None:
    doubting.rules(own_mail=Do.HOLD, own_card=Do.HOLD, coupon_site=Do.REFUSE)
    first = doubting.raised(found("ord_1", "own_card"))
    doubting.later()
    doubting.raised(found("ord_1", "own_mail"))
    assert Bar("hold", "own_card", first) == doubting.bar("ord_1")
    doubting.later()
    last = doubting.raised(found("ord_1", "coupon_site"))
    assert Bar("refuse", "coupon_site", last) == doubting.bar("ord_1")
    doubting.later()
    doubting.decide(last, "credit")
    assert Bar("hold", "own_card", first) == doubting.bar("ord_1")


def test_referrals_visits_and_orders_are_told_apart_by_what_they_are(doubting: Doubting) -> None:
    doubting.rules(too_fast=Do.HOLD, click_stuffing=Do.REFUSE)
    doubting.record(
        Found(About.VISIT, "clk_1", "too_fast", {}),
        Found(About.REFERRAL, "ref_1", "click_stuffing", {}),
        Found(About.ORDER, "clk_1", "own_mail", {}),
    )
    same = ["clk_1", "ref_1"]
    barred = doubting.barred(referrals=same, visits=same, orders=same)
    assert (["ref_1"], ["clk_1"], []) == (list(barred.referrals), list(barred.visits), list(barred.orders))


def test_where_nothing_is_asked_nothing_is_barred(doubting: Doubting) -> None:
    assert NOTHING == doubting.barred()


def test_however_much_is_asked_what_is_barred_is_found(doubting: Doubting) -> None:
    many = [f"ord_{number}" for number in range(300)]
    doubting.raised(found("ord_299"))
    assert NOTHING == doubting.barred(orders=many)
    doubting.rules(own_mail=Do.HOLD)
    assert ["ord_299"] == list(doubting.barred(orders=many).orders)


def test_another_merchants_doubts_bar_nothing_here(doubting: Doubting, database: Database) -> None:
    other = Doubting(database)
    other.rules(own_mail=Do.REFUSE)
    doubt = other.raised(found("ord_1"))
    assert doubting.bar("ord_1") is None
    with pytest.raises(NotFound):
        doubting.decide(doubt, "credit")
    assert len(other.verdicts(doubt)) == 1


def test_the_merchants_decision_stands_until_it_is_undone(doubting: Doubting) -> None:
    doubting.rules(own_mail=Do.HOLD)
    doubt = doubting.raised(found("ord_1"))
    doubting.told()
    at = [doubting.later()]
    assert doubting.decide(doubt, "refuse", "the same household")
    at.append(doubting.later())
    assert doubting.decide(doubt, "credit")
    at.append(doubting.later())
    assert doubting.decide(doubt, "reopen")
    at.append(doubting.later())
    assert ["hold", "refuse", None, "hold"] == [doubting.effect("ord_1", each) for each in at]
    expected = [
        ("hold", "hold", None),
        ("refuse", "refuse", "the same household"),
        ("credit", "none", None),
        ("reopen", "hold", None),
    ]
    assert expected == doubting.verdicts(doubt)
    assert [["ord_1"]] * 3 == [each.orders for each in doubting.told()]


def test_the_same_again_decides_nothing(doubting: Doubting) -> None:
    doubt = doubting.raised(found("ord_1"))
    assert not doubting.decide(doubt, "reopen")
    assert doubting.decide(doubt, "refuse", "a friend")
    assert not doubting.decide(doubt, "refuse", "a friend")
    assert not doubting.decide(doubt, "refuse")
    assert doubting.decide(doubt, "refuse", "his brother")
    assert doubting.decide(doubt, "reopen")
    assert not doubting.decide(doubt, "reopen")
    assert doubting.decide(doubt, "credit")
    assert 5 == len(doubting.verdicts(doubt))


def test_a_decision_of_the_same_moment_comes_after_the_one_before(doubting: Doubting) -> None:
    doubt = doubting.raised(found("ord_1"))
    verdicts: list[Verdict] = ["refuse", "credit", "refuse", "reopen"]
    for verdict in verdicts * 4:
        doubting.decide(doubt, verdict)
    said = [verdict for verdict, *_ in doubting.verdicts(doubt)]
    assert ["flag", *verdicts * 4] == said


def test_a_decision_holds_though_the_last_was_made_where_the_clock_is_ahead(doubting: Doubting) -> None:
    doubt = doubting.raised(found("ord_1"))
    doubting.clock.move(hours=1)
    doubting.decide(doubt, "refuse")
    doubting.clock.move(hours=-1)
    doubting.decide(doubt, "credit")
    assert doubting.effect("ord_1") is None
    assert "credit" == doubting.verdicts(doubt)[-1][0]


def test_of_decisions_at_once_one_is_the_last_and_each_is_told(doubting: Doubting) -> None:
    doubt = doubting.raised(found("ord_1"))
    verdicts: list[Verdict] = ["refuse", "credit", "refuse", "credit", "refuse", "credit"]
    told = together(*(partial(doubting.decide, doubt, verdict) for verdict in verdicts))
    said = doubting.verdicts(doubt)
    assert 1 + sum(told) == len(said)
    assert all(before[0] != after[0] for before, after in pairwise(said))
    assert {"refuse": "refuse", "credit": None}[said[-1][0]] == doubting.effect("ord_1")


def test_a_rule_that_does_something_else_decides_anew_what_was_left_to_it(doubting: Doubting) -> None:
    left, decided, opened = (doubting.raised(found(f"ord_{name}")) for name in ("left", "decided", "opened"))
    other = doubting.raised(found("ord_other", "own_card"))
    doubting.decide(decided, "credit", "we know them")
    doubting.decide(opened, "refuse")
    doubting.decide(opened, "reopen")
    doubting.told()
    before = doubting.later()
    doubting.rules(own_mail=Do.REFUSE)
    names = ["ord_left", "ord_decided", "ord_opened", "ord_other"]
    assert ["refuse", None, "refuse", None] == [doubting.effect(each) for each in names]
    assert [None] * 4 == [doubting.effect(each, before) for each in names]
    assert [{"ord_left", "ord_opened"}] == [set(each.orders) for each in doubting.told()]
    assert [("credit", "none", "we know them")] == doubting.verdicts(decided)[1:]
    assert [("flag", "none", None)] == doubting.verdicts(other)
    assert [("flag", "none", None), ("refuse", "refuse", None)] == doubting.verdicts(left)


def test_a_rule_that_is_turned_off_eases_only_what_it_alone_decided(doubting: Doubting) -> None:
    doubting.rules(own_mail=Do.REFUSE, own_card=Do.HOLD)
    doubting.record(found("ord_1"), found("ord_2"), found("ord_2", "own_card"))
    doubting.later()
    doubting.rules(own_card=Do.HOLD, own_mail=Do.OFF)
    assert [None, "hold"] == [doubting.effect(each) for each in ("ord_1", "ord_2")]
    doubting.later()
    doubting.rules(own_card=Do.HOLD, own_mail=Do.REFUSE)
    assert ["refuse", "refuse"] == [doubting.effect(each) for each in ("ord_1", "ord_2")]


def test_rules_that_do_as_before_decide_nothing_anew(doubting: Doubting) -> None:
    doubting.rules(own_mail=Do.HOLD)
    doubt = doubting.raised(found("ord_1"))
    doubting.told()
    setting = doubting.book().of("own_mail")
    doubting.put({"own_mail": setting, "too_fast": doubting.book().of("too_fast")._replace(thresholds={"seconds": 9})})
    assert 1 == len(doubting.verdicts(doubt))
    assert doubting.told() == []
    assert {"seconds": 9} == doubting.book().of("too_fast").thresholds


def test_however_many_doubts_a_rule_has_all_are_decided_anew(
    doubting: Doubting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.trust.doubts.AT_ONCE", 10)
    names = [f"ord_{number}" for number in range(20)]
    doubting.record(*map(found, names))
    doubting.later()
    doubting.rules(own_mail=Do.REFUSE)
    assert set(names) == set(doubting.barred(orders=names).orders)
    assert 2 == len(doubting.told())


def test_only_of_a_referral_that_earns_again_it_is_told_that_it_does(doubting: Doubting) -> None:
    doubting.rules(click_stuffing=Do.HOLD, too_fast=Do.HOLD)
    link = doubting.raised(found("ref_1", "click_stuffing", About.REFERRAL))
    doubting.decide(link, "refuse")
    doubting.decide(link, "credit")
    doubting.decide(doubting.raised(found("clk_1", "too_fast", About.VISIT)), "credit")
    told = [(*each.referrals, *each.visits, each.eased) for each in doubting.told()]
    assert [("ref_1", False), ("ref_1", False), ("ref_1", True), ("clk_1", False), ("clk_1", False)] == told


def test_what_becomes_of_a_doubt_is_noted_in_the_journal(doubting: Doubting) -> None:
    doubt = doubting.raised(found("ord_1"))
    doubting.later()
    doubting.decide(doubt, "refuse")
    with doubting.database.reading() as session:
        mine = select(JournalEntry).where(JournalEntry.merchant_id == doubting.merchant)
        noted = {each.type: each.subjects for each in session.scalars(mine) if each.type.startswith("doubt.")}
        decided = select(Decision.decision_id).where(
            Decision.merchant_id == doubting.merchant, Decision.verdict == "refuse"
        )
        assert {"doubt.raised": [doubt], "doubt.decided": list(session.scalars(decided))} == noted
