"""What is said of a settlement: in both languages, of everything, with amounts as each language writes them."""

from random import Random

import pytest

from app.attribution import sentences
from app.attribution.engine import (
    Facts,
    Model,
    Policy,
    Settlement,
    TouchType,
    UplineMode,
    Windows,
    policy_from_wire,
    settle_all,
)
from app.attribution.explanation import End, chain
from app.attribution.sentences.speech import (
    Said,
)
from tests.unit.attribution.histories import facts_of, random_history, random_policy
from tests.unit.attribution.story import Story, chain_of, journey_of, model, upline

LINEAR = model(Model.LINEAR)


def of_touches(story: Story, policy: Policy | None = None) -> dict[str, Said]:
    policy, facts = policy or Policy(), story.facts()
    settlement = story.settle(policy)
    return {verdict.touch.id: sentences.of_touch(verdict, settlement, facts, policy) for verdict in settlement.verdicts}


def of_lines(story: Story, policy: Policy | None = None) -> list[Said]:
    settlement = story.settle(policy or Policy())
    return [sentences.of_line(line, settlement) for line in settlement.lines]


# -- touches -----------------------------------------------------------------------------------------------------


def test_a_touch_says_its_part_its_amount_and_its_rounding() -> None:
    said = of_touches(journey_of(3), LINEAR)
    assert said["t3"] == {
        "en": "It counted for 1/3 of the order: €33.34 of €100.00. Rounding added 2/3 of the currency’s smallest unit.",
        "fr": "Ce contact a compté pour 1/3 de la commande\u00a0: 33,34\u00a0€ sur 100,00\u00a0€. "
        "L’arrondi a ajouté 2/3 de la plus petite unité de la monnaie.",
    }
    assert "took away 1/3" in said["t1"]["en"]


def test_a_touch_that_has_the_whole_order_says_so() -> None:
    assert "It counted for the whole order: €100.00." == of_touches(journey_of(1))["t1"]["en"]


def test_a_touch_that_is_too_old_says_how_old_and_what_would_count() -> None:
    story = Story().share("s", "ana").touch("t", "buyer", "s", day=1, kind=TouchType.LIKE).order("order", "buyer")
    assert of_touches(story)["t"] == {
        "en": "It happened 9 days before the order, and a like counts for 7 days.",
        "fr": "Il a eu lieu 9\u00a0jours avant la commande, alors qu’un «\u00a0J’aime\u00a0» "
        "compte pendant 7\u00a0jours.",
    }


def test_a_touch_after_the_order_says_how_long_after() -> None:
    story = Story().share("s", "ana").touch("t", "buyer", "s", day=12).order("order", "buyer")
    assert "It happened 2 days after the order." == of_touches(story)["t"]["en"]


def test_a_touch_without_a_known_referral_says_so() -> None:
    story = Story().touch("t1", "buyer", "gone", day=1).touch("t2", "buyer", day=2).order("order", "buyer")
    said = of_touches(story, LINEAR)
    assert "The referral gone is not known here" in said["t1"]["en"]
    assert "It has no referral" in said["t2"]["en"]


def test_a_touch_of_the_buyers_other_device_says_that_they_were_joined() -> None:
    story = Story().share("s", "ana").touch("t", "phone", "s", day=1).order("order", "laptop")
    story.identity("phone", "A", day=20).identity("laptop", "A", day=20)
    assert "phone is the same person as the buyer, A." in of_touches(story)["t"]["en"]


def test_a_click_that_the_order_names_says_so_and_that_its_clock_was_ahead() -> None:
    story = Story().share("s", "ana").touch("t", "buyer", "s", day=10.5).order("order", "buyer", click="t")
    said = of_touches(story)["t"]["en"]
    assert "The order itself names it. It was dated 12 hours after the order" in said
    in_time = Story().share("s", "ana").touch("t", "buyer", "s", day=9).order("order", "buyer", click="t")
    assert of_touches(in_time)["t"]["en"].endswith("The order itself names it.")


# -- lines and refunds -------------------------------------------------------------------------------------------


def test_a_line_says_the_arithmetic_of_its_source_its_level_and_what_was_taken_back() -> None:
    story = chain_of("bo", "ana").refund("f", "order", 1_000)
    assert of_lines(story, Policy(upline=upline(UplineMode.GEOMETRIC)))[1] == {
        "en": "This source has the whole order: €100.00. Of that, 1/3 goes to ana, at level 1: €33.33. Rounding took "
        "away 1/3 of the currency’s smallest unit. Of this, €3.33 was taken back and €30.00 is left.",
        "fr": "Cette source reçoit toute la commande\u00a0: 100,00\u00a0€. Il en revient 1/3 à ana, au niveau 1\u00a0: "
        "33,33\u00a0€. L’arrondi a retiré 1/3 de la plus petite unité de la monnaie. Sur cette somme, on a repris "
        "3,33\u00a0€, et il reste 30,00\u00a0€.",
    }


def test_a_line_of_one_source_among_others_says_that_sources_rounding() -> None:
    said = of_lines(journey_of(3), LINEAR)
    assert "This source has 1/3 of the order: €33.33 of €100.00. Rounding took away 1/3 of the" in said[0]["en"]
    assert said[0]["en"].endswith("All of it goes to sharer1.")


def test_the_house_and_an_unknown_person_are_named_in_words() -> None:
    halved = of_lines(chain_of("c", "b", "a"), Policy(upline=upline(UplineMode.HALVING)))
    assert "Of that, 1/4 passes beyond the chain and stays with the house: €25.00." in halved[3]["en"]
    everything = of_lines(chain_of("c"), Policy(upline=upline(UplineMode.RECURSIVE, 10_000)))
    assert everything[0]["fr"].endswith("Le tout revient à la maison.")
    unknown = of_lines(Story().touch("t", "buyer", "gone", day=9, network="x").order("order", "buyer"))
    assert unknown[0]["en"].endswith("No person is known behind it.")


def test_the_line_of_nobody_says_why() -> None:
    said = of_lines(Story().order("order", "buyer").refund("f", "order", 10_000))
    assert said[0]["en"] == (
        "The order is credited to nobody: €100.00. Before it, the buyer had come through nobody’s link and seen "
        "nobody’s card. All of this was taken back."
    )


def test_each_refund_says_what_it_took_and_why_not_more() -> None:
    story = journey_of(1).refund("f1", "order", 9_000, day=20).refund("f2", "order", 5_000, day=21)
    story.refund("f3", "order", 700, day=22).refund("f4", "order", 100, day=23, dropped=24).refund(
        "f5", "order", 0, day=25
    )
    takings = story.settle().takings
    said = [sentences.of_taking(taking, "refund", "eur")["en"] for taking in takings]
    assert [
        "This refund took back €90.00.",
        "This refund asked for €50.00, of which €10.00 was left to take.",
        "This refund asked for €7.00, of which €0.00 was left to take.",
        "This refund of €1.00 failed or was withdrawn, so it takes nothing.",
        "This refund took back €0.00.",
    ] == said
    assert (
        "Ce litige de 1,00\u00a0€ a été gagné ou retiré\u00a0: il ne reprend rien."
        == (sentences.of_taking(takings[3], "chargeback", "eur")["fr"])
    )
    assert "This dispute took back €90.00." == sentences.of_taking(takings[0], "chargeback", "eur")["en"]


# -- coupons and chains ------------------------------------------------------------------------------------------


def coupon_said(story: Story, policy: Policy | None = None) -> Said | None:
    return sentences.of_coupon(story.settle(policy), story.facts())


def test_a_coupon_says_what_it_decided_or_why_it_did_not() -> None:
    story = Story().share("s", "ana").coupon("ANA10", "s").order("order", "buyer", coupon=" ana10 ")
    said = coupon_said(story)
    assert said is not None
    assert said["en"].endswith("speaks for the referral s of ana, and takes the whole order.")
    off = coupon_said(story, Policy(coupon_override=False))
    assert off == {
        "en": "The policy lets coupon codes decide nothing.",
        "fr": "Selon les règles choisies, les codes promo ne décident de rien.",
    }
    assert coupon_said(Story().order("order", "buyer")) is None


def test_a_place_in_a_chain_says_who_stands_there_or_why_nobody_does() -> None:
    policy = Policy(upline=upline(UplineMode.ROOT, max_depth=2))
    story = chain_of("d", "c", "b")
    found = chain(story.facts().referrals["d"], story.facts(), policy, "buyer")
    amounts = (None, 10_000, None)
    assert [
        "d passed the word on: it is their referral. The policy gives this place nothing.",
        "c had passed it on before: level 1.",
        "The policy goes up 2 people at most, and b comes after them.",
    ] == [sentences.of_place(place, amount, policy)["en"] for place, amount in zip(found.places, amounts, strict=True)]
    assert "Its share rounds to nothing." in sentences.of_place(found.places[0], 0, policy)["en"]
    assert (
        "La chaîne s’arrête ici\u00a0: la recommandation du dessus, x, y figure déjà."
        == (sentences.of_chain_end(End.LOOP, "x", 3)["fr"])
    )


# -- policies and whole orders -----------------------------------------------------------------------------------


def test_a_policy_in_words() -> None:
    assert sentences.of_policy("current", 1, Policy())["en"] == (
        "Policy “current”, version 1. The last touch before the order has all of it. A click counts for 30 days, a "
        "like for 7 days, a view for 1 day. Only the strongest type of touch that is there counts. Credit stays with "
        "the person whose referral it was. Nobody earns credit for their own order. A known coupon code takes the "
        "whole order. An order does not end a journey."
    )
    other = Policy(
        model=Model.POSITION_BASED,
        windows=Windows(click=3_600),
        upline=upline(UplineMode.RECURSIVE, 2_550, 1),
        coupon_override=False,
        journey_reset=True,
    )
    said = sentences.of_policy("mine", 2, other)["fr"]
    assert "Le premier contact reçoit 40\u00a0%, le dernier 40\u00a0%" in said
    assert "transmet 25,5\u00a0% de ce qui lui parvient, 1 personne au plus" in said
    assert "Un clic compte pendant 1\u00a0heure" in said
    assert said.endswith("Les codes promo ne décident de rien. Le parcours recommence après chaque commande.")


def summary(story: Story, policy: Policy | None = None) -> str:
    return sentences.of_order(story.settle(policy))["en"]


def test_an_order_in_two_or_three_sentences() -> None:
    assert summary(journey_of(3).refund("f", "order", 1_000), LINEAR) == (
        "All of the 3 touches before this order of €100.00 counted. €10.00 was taken back, so €90.00 is left. "
        "Credit: sharer1 €30.00, sharer2 €30.00, and sharer3 €30.00."
    )
    assert summary(journey_of(1)) == (
        "One touch came before this order of €100.00, and it counted. Credit: sharer1 €100.00."
    )
    assert (
        summary(journey_of(2)) == "Of the 2 touches before this order of €100.00, one counted. Credit: sharer2 €100.00."
    )
    assert summary(journey_of(4).touch("old", "buyer", "s1", day=-90), LINEAR) == (
        "Of the 5 touches before this order of €100.00, 4 counted. Credit: sharer1 €25.00, sharer2 €25.00, sharer3 "
        "€25.00, and others €25.00."
    )


def test_an_order_that_is_taken_back_credits_nobody_with_anything() -> None:
    assert summary(journey_of(1).refund("f", "order", 10_000)) == (
        "One touch came before this order of €100.00, and it counted. All of it was taken back."
    )


def test_an_order_of_a_coupon_and_one_of_nobody() -> None:
    story = Story().share("s", "ana").coupon("ANA10", "s").order("order", "buyer", coupon="ANA10")
    assert summary(story) == "The code ANA10 takes this whole order of €100.00 for the referral s. Credit: ana €100.00."
    own = Story().share("s", "A").touch("t", "A", "s", day=1).order("order", "A")
    assert summary(own) == (
        "This order of €100.00 is credited to nobody. The buyer came through their own link, and nobody earns credit "
        "for their own order."
    )


# -- anything ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happened_everything_that_is_said_is_complete(seed: int) -> None:
    random = Random(seed)
    for _ in range(60):
        facts, policy = facts_of(random_history(random)), policy_from_wire(random_policy(random))
        for settlement in settle_all(facts, policy):
            for said in everything_said(settlement, facts, policy):
                assert set(said) == {"en", "fr"}
                for text in said.values():
                    assert text.endswith(".")
                    assert "{" not in text
                    assert "None" not in text


def everything_said(settlement: Settlement, facts: Facts, policy: Policy) -> list[Said]:
    return [
        sentences.of_order(settlement),
        *filter(None, [sentences.of_coupon(settlement, facts)]),
        *(sentences.of_touch(verdict, settlement, facts, policy) for verdict in settlement.verdicts),
        *(sentences.of_line(line, settlement) for line in settlement.lines),
        *(sentences.of_taking(taking, "refund", settlement.order.currency) for taking in settlement.takings),
    ]
