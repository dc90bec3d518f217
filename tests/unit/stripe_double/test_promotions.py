"""Coupons and promotion codes: made, used, used up; what they take of a session, to the minor unit."""

from typing import cast

import httpx
import pytest
import stripe

from app.demo.stripe.double import StripeDouble
from app.demo.stripe.errors import StripeProblem
from tests.unit.stripe_double.around import MakeSession, StandingClock, line, plain

DAY = 24 * 60 * 60


def details(session: stripe.checkout.Session | dict[str, object]) -> dict[str, object]:
    whole = session if isinstance(session, dict) else plain(session)
    return cast(dict[str, object], whole["total_details"])


def test_a_coupon_is_made_by_the_library(client: stripe.StripeClient, double: StripeDouble) -> None:
    made = client.v1.coupons.create({"percent_off": 12.5, "name": "Autumn", "metadata": {"for": "ana"}})
    found = client.v1.coupons.retrieve(made.id)
    assert (12.5, None, "once", True, 0) == (
        found.percent_off,
        found.amount_off,
        found.duration,
        found.valid,
        found.times_redeemed,
    )
    assert [made.id] == [coupon.id for coupon in client.v1.coupons.list()]
    assert ["coupon.created"] == [event["type"] for event in double.events()]


def test_a_promotion_code_is_made_found_and_switched(client: stripe.StripeClient, double: StripeDouble) -> None:
    coupon = client.v1.coupons.create({"amount_off": 500, "currency": "EUR", "id": "five"})
    made = client.v1.promotion_codes.create(
        {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "Ana-5", "metadata": {"ref": "1"}}
    )
    assert (True, "Ana-5", "five") == (made.active, made.code, made.promotion.coupon)
    expanded = client.v1.promotion_codes.list({"code": "ANA-5", "expand": ["data.promotion.coupon"]}).data[0]
    assert "eur" == cast(stripe.Coupon, expanded.promotion.coupon).currency
    off = client.v1.promotion_codes.update(made.id, {"active": False, "metadata": {"ref": "", "note": "x"}})
    assert (False, {"note": "x"}) == (off.active, plain(cast(stripe.StripeObject, off.metadata)))
    assert [] == client.v1.promotion_codes.list({"code": "ana-5", "active": True}).data
    assert [made.id] == [one.id for one in client.v1.promotion_codes.list({"active": False, "coupon": "five"})]
    assert client.v1.promotion_codes.update(made.id, {"active": True}).active
    assert client.v1.promotion_codes.retrieve(made.id).active
    client.v1.promotion_codes.update(made.id, {})
    told = [event["type"] for event in double.events() if str(event["type"]).startswith("promotion_code.")]
    assert ["promotion_code.created", "promotion_code.updated", "promotion_code.updated"] == told


def test_a_code_without_a_wish_gets_letters(double: StripeDouble) -> None:
    double.coupon(percent_off=10, id="ten")
    code = str(double.promotion_code(None, "ten")["code"])
    assert code == code.upper()
    assert 8 == len(code)


def test_an_active_code_is_unique_whatever_its_case(double: StripeDouble) -> None:
    double.coupon(percent_off=10, id="ten")
    first = double.promotion_code("ANA", "ten")
    with pytest.raises(StripeProblem, match="already exists"):
        double.promotion_code("ana", "ten")
    assert not double.promotion_code("ana", "ten", active=False)["active"]
    double.switch_promotion_code(str(first["id"]), active=False)
    double.promotion_code("ana", "ten")
    with pytest.raises(StripeProblem, match="already exists"):
        double.switch_promotion_code(str(first["id"]), active=True)
    with pytest.raises(StripeProblem, match="No such promotion code"):
        double.switch_promotion_code("promo_none", active=True)


def test_another_account_has_its_own_codes(double: StripeDouble, client: stripe.StripeClient) -> None:
    double.coupon(percent_off=10, id="ten")
    double.coupon(percent_off=20, id="twenty", account="acct_1")
    double.promotion_code("ANA", "ten")
    theirs = double.promotion_code("ANA", "twenty", account="acct_1")
    listed = client.v1.promotion_codes.list({"code": "ANA"}, options={"stripe_account": "acct_1"})
    assert [theirs["id"]] == [one.id for one in listed]
    with pytest.raises(stripe.InvalidRequestError, match="No such coupon"):
        client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": "twenty"}})


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({}, "percent_off"),
        ({"percent_off": 10, "amount_off": 100, "currency": "eur"}, "percent_off"),
        ({"percent_off": 0}, "percent_off"),
        ({"percent_off": 100.1}, "percent_off"),
        ({"percent_off": "many"}, "percent_off"),
        ({"amount_off": 100}, "currency"),
        ({"amount_off": 0, "currency": "eur"}, "amount_off"),
        ({"amount_off": 1001, "currency": "kwd"}, "amount_off"),
        ({"percent_off": 10, "max_redemptions": 0}, "max_redemptions"),
        ({"percent_off": 10, "redeem_by": 1}, "redeem_by"),
        ({"percent_off": 10, "duration": "repeating"}, "duration_in_months"),
        ({"percent_off": 10, "applies_to": {"products": ["prod_1"]}}, "applies_to"),
    ],
)
def test_a_wrong_coupon_is_refused_by_name(
    still_client: stripe.StripeClient, params: dict[str, object], param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        still_client.v1.coupons.create(params)  # type: ignore[arg-type]
    assert (400, param) == (refused.value.http_status, refused.value.param)


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"promotion": None}, "promotion"),
        ({"promotion": {"type": "coupon"}}, "promotion[coupon]"),
        ({"promotion": {"type": "coupon", "coupon": "none"}}, "promotion[coupon]"),
        ({"code": "a b"}, "code"),
        ({"code": "é"}, "code"),
        ({"max_redemptions": 6}, "max_redemptions"),
        ({"max_redemptions": -1}, "max_redemptions"),
        ({"expires_at": 1}, "expires_at"),
        ({"restrictions": {"minimum_amount": 100}}, "restrictions[minimum_amount_currency]"),
        ({"restrictions": {"first_time_transaction": True}}, "restrictions[first_time_transaction]"),
    ],
)
def test_a_wrong_promotion_code_is_refused_by_name(
    client: stripe.StripeClient, double: StripeDouble, params: dict[str, object], param: str
) -> None:
    double.coupon(percent_off=10, id="ten", max_redemptions=5)
    usual: dict[str, object] = {"promotion": {"type": "coupon", "coupon": "ten"}, **params}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.promotion_codes.create({k: v for k, v in usual.items() if v is not None})  # type: ignore[arg-type]
    assert (400, param) == (refused.value.http_status, refused.value.param)


def test_a_discount_is_spread_over_the_lines_to_the_cent(
    double: StripeDouble, client: stripe.StripeClient, make_session: MakeSession
) -> None:
    double.coupon(amount_off=1000, currency="eur", id="ten")
    promotion = str(double.promotion_code("TEN", "ten")["id"])
    session = make_session(
        line_items=[line(999), line(999), line(999), line(0)],
        discounts=[{"promotion_code": promotion}],
        expand=["line_items.data.discounts", "total_details.breakdown", "discounts.promotion_code"],
    )
    assert (2997, 1997) == (session.amount_subtotal, session.amount_total)
    assert session.line_items is not None
    assert [333, 334, 333, 0] == [item.amount_discount for item in session.line_items.data]
    assert [666, 665, 666, 0] == [item.amount_total for item in session.line_items.data]
    [taken] = session.line_items.data[1].discounts or []
    assert (334, promotion, "ten") == (taken.amount, taken.discount.promotion_code, taken.discount.source.coupon)
    totals = details(session)
    assert 1000 == totals["amount_discount"]
    assert session.total_details is not None
    assert session.total_details.breakdown is not None
    assert [1000] == [one.amount for one in session.total_details.breakdown.discounts]
    assert session.discounts is not None
    assert "TEN" == cast(stripe.PromotionCode, session.discounts[0].promotion_code).code


def test_a_percentage_rounds_half_up_and_tax_is_on_what_is_left(
    make_session: MakeSession, double: StripeDouble
) -> None:
    double.coupon(percent_off="12.5", id="eighth")
    session = make_session(line_items=[line(1004)], discounts=[{"coupon": "eighth"}], automatic_tax={"enabled": True})
    assert {"amount_discount": 126, "amount_shipping": 0, "amount_tax": 176} == details(session)
    assert 1004 - 126 + 176 == session.amount_total
    assert [{"coupon": "eighth", "promotion_code": None}] == [plain(one) for one in session.discounts or []]


def test_tax_can_be_inside_of_prices(make_session: MakeSession, double: StripeDouble) -> None:
    double.coupon(percent_off=50, id="half")
    price = {"currency": "eur", "unit_amount": 2400, "product_data": {"name": "Hat"}, "tax_behavior": "inclusive"}
    session = make_session(
        line_items=[{"price_data": price, "quantity": 1}],
        automatic_tax={"enabled": True},
        discounts=[{"coupon": "half"}],
        expand=["total_details.breakdown", "line_items"],
    )
    assert (2400, 1200) == (session.amount_subtotal, session.amount_total)
    assert (1200, 200) == (details(session)["amount_discount"], details(session)["amount_tax"])
    assert session.total_details is not None
    assert session.total_details.breakdown is not None
    [tax] = session.total_details.breakdown.taxes
    assert (200, 1200, True) == (tax.amount, tax.taxable_amount, tax.rate.inclusive)
    assert session.line_items is not None
    assert session.line_items.data[0].price is not None
    assert "inclusive" == session.line_items.data[0].price.tax_behavior


def test_a_coupon_never_takes_more_than_there_is(make_session: MakeSession, double: StripeDouble) -> None:
    double.coupon(amount_off=9999, currency="eur", id="much")
    session = make_session(discounts=[{"coupon": "much"}])
    assert 0 == session.amount_total
    assert "no_payment_required" == double.pay(session.id)["payment_status"]


@pytest.mark.parametrize(
    ("discounts", "more", "param"),
    [
        ([{"coupon": "none"}], {}, "discounts[0][coupon]"),
        ([{"promotion_code": "promo_none"}], {}, "discounts[0][promotion_code]"),
        ([{"coupon": "usd"}], {}, "discounts"),
        ([{"coupon": "usd"}, {"coupon": "usd"}], {}, "discounts"),
        ([{"coupon": "usd", "promotion_code": "promo_1"}], {}, "discounts[0]"),
        ([{"coupon": "usd"}], {"allow_promotion_codes": True}, None),
        ([{"coupon": "almost"}], {}, "line_items"),
    ],
)
def test_a_discount_that_does_not_fit_is_refused(
    double: StripeDouble,
    make_session: MakeSession,
    discounts: list[dict[str, str]],
    more: dict[str, object],
    param: str | None,
) -> None:
    double.coupon(amount_off=100, currency="usd", id="usd")
    double.coupon(amount_off=1998, currency="eur", id="almost")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        make_session(discounts=discounts, **more)
    assert (400, param) == (refused.value.http_status, refused.value.param)


def test_a_used_up_code_is_not_active_any_more(
    double: StripeDouble, client: stripe.StripeClient, make_session: MakeSession
) -> None:
    double.coupon(percent_off=10, id="ten")
    promotion = str(double.promotion_code("ONCE", "ten", max_redemptions=1)["id"])
    first, second = (make_session(discounts=[{"promotion_code": promotion}]) for _ in range(2))
    double.pay(first.id)
    used = client.v1.promotion_codes.retrieve(promotion)
    assert (False, 1) == (used.active, used.times_redeemed)
    assert 1 == client.v1.coupons.retrieve("ten").times_redeemed
    with pytest.raises(stripe.InvalidRequestError, match="not active"):
        make_session(discounts=[{"promotion_code": promotion}])
    with pytest.raises(StripeProblem, match="cannot be activated"):
        double.switch_promotion_code(str(double.switch_promotion_code(promotion, active=False)["id"]), active=True)
    assert "paid" == double.pay(second.id)["payment_status"]  # what was applied in time is kept
    assert ["coupon.updated", "promotion_code.updated"] == [
        event["type"] for event in double.events() if event["type"] in ("coupon.updated", "promotion_code.updated")
    ][:2]


def test_a_code_and_a_coupon_end_by_the_clock(
    double: StripeDouble, client: stripe.StripeClient, make_session: MakeSession, clock: StandingClock
) -> None:
    now = int(clock.at.timestamp())
    double.coupon(percent_off=10, id="ten", redeem_by=now + 2 * DAY)
    short = str(double.promotion_code("SHORT", "ten", expires_at=now + DAY)["id"])
    long = str(double.promotion_code("LONG", "ten")["id"])
    with pytest.raises(StripeProblem, match="redeem_by"):
        double.promotion_code("LATE", "ten", expires_at=now + 3 * DAY)
    clock.advance(days=1, seconds=1)
    assert [False, True] == [client.v1.promotion_codes.retrieve(each).active for each in (short, long)]
    clock.advance(days=1)
    assert not client.v1.promotion_codes.retrieve(long).active
    assert not client.v1.coupons.retrieve("ten").valid
    with pytest.raises(stripe.InvalidRequestError) as refused:
        make_session(discounts=[{"coupon": "ten"}])
    assert "coupon_expired" == refused.value.code
    with pytest.raises(StripeProblem, match="not valid"):
        double.promotion_code("MORE", "ten")
    with pytest.raises(StripeProblem, match="already exists"):
        double.coupon(percent_off=5, id="ten")


def test_a_code_can_ask_for_a_minimum(double: StripeDouble, make_session: MakeSession) -> None:
    double.coupon(percent_off=10, id="ten")
    least = {"minimum_amount": 2000, "minimum_amount_currency": "eur"}
    promotion = str(double.promotion_code("BIG", "ten", restrictions=least)["id"])
    with pytest.raises(stripe.InvalidRequestError, match="minimum"):
        make_session(discounts=[{"promotion_code": promotion}])
    session = make_session(line_items=[line(1999), line(1)], discounts=[{"promotion_code": promotion}])
    assert 1800 == session.amount_total


def test_the_buyer_types_a_code(double: StripeDouble, make_session: MakeSession) -> None:
    double.coupon(amount_off=999, currency="eur", id="ten")
    promotion = double.promotion_code("ANA", "ten")["id"]
    session = make_session(allow_promotion_codes=True)
    paid = double.pay(session.id, promotion_code=" ana ")
    assert (1000, [{"coupon": None, "promotion_code": promotion}], True) == (
        paid["amount_total"],
        paid["discounts"],
        paid["allow_promotion_codes"],
    )
    assert 1000 == double.charge_of(str(paid["payment_intent"]))["amount"]
    with pytest.raises(StripeProblem):
        double.enter_code(session.id, "ANA")
    with pytest.raises(StripeProblem, match="takes no promotion codes"):
        double.pay(make_session().id, promotion_code="ANA")


def test_a_code_is_typed_changed_and_taken_away_on_the_page(double: StripeDouble, make_session: MakeSession) -> None:
    double.coupon(percent_off=10, id="ten")
    double.coupon(amount_off=1990, currency="eur", id="almost")
    double.promotion_code("ANA", "ten")
    double.promotion_code("ALMOST", "almost")
    address = str(make_session(allow_promotion_codes=True).url)
    session = address.rpartition("/")[2]

    def type_code(code: str) -> tuple[int, object]:
        answer = httpx.post(address, data={"action": "code", "code": code, "email": ""})
        assert ('role="alert"' in answer.text) == (answer.status_code == 422)
        return answer.status_code, double.session(session)["amount_total"]

    assert "Promotion code" in httpx.get(address).text
    assert (422, 1999) == type_code("NOBODY")
    assert (422, 1999) == type_code("<script>")
    assert (422, 1999) == type_code("almost")  # too little would be left to charge
    assert (200, 1799) == type_code("ana")
    assert "Discount (ANA)" in httpx.get(address).text
    assert (422, 1799) == type_code("NOBODY")
    assert (200, 1999) == type_code("")
    assert 422 == httpx.post(address, data={"action": "code", "code[a]": "ANA"}).status_code
    assert 303 == httpx.post(address, data={"action": "pay", "email": "bo@example.com"}).status_code
    assert 303 == httpx.post(address, data={"action": "code", "code": "ana"}).status_code
    assert 1999 == double.session(session)["amount_total"]


def test_the_buyer_chooses_a_way_of_shipping(
    double: StripeDouble, client: stripe.StripeClient, make_session: MakeSession
) -> None:
    session = make_session(
        shipping_options=[way("Slow", 300, 5), way("Fast", 900, 1)],
        shipping_address_collection={"allowed_countries": ["DE", "FR"]},
        expand=["shipping_cost.shipping_rate", "shipping_options.shipping_rate"],
    )
    assert 2299 == session.amount_total
    assert session.shipping_cost is not None
    rate = cast(stripe.ShippingRate, session.shipping_cost.shipping_rate)
    assert ("Slow", 300, 5) == (
        rate.display_name,
        rate.fixed_amount and rate.fixed_amount.amount,
        rate.delivery_estimate and rate.delivery_estimate.maximum and rate.delivery_estimate.maximum.value,
    )
    page = httpx.post(str(session.url), data={"action": "ship-1"})
    assert (200, True) == (page.status_code, 'aria-pressed="true">Fast' in page.text)
    paid = double.pay(session.id)
    assert (2899, 900) == (paid["amount_total"], details(paid)["amount_shipping"])
    found = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["shipping_cost.shipping_rate"]})
    assert found.shipping_cost is not None
    assert "Fast" == cast(stripe.ShippingRate, found.shipping_cost.shipping_rate).display_name
    with pytest.raises(StripeProblem):
        double.ship(session.id, 0)


def test_only_a_way_that_is_offered_can_be_chosen(double: StripeDouble, make_session: MakeSession) -> None:
    session = make_session(line_items=[line(0)], shipping_options=[way("Free", 0), way("Tiny", 9)])
    for option in (-1, 2):
        with pytest.raises(StripeProblem):
            double.ship(session.id, option)
    with pytest.raises(StripeProblem, match="at least"):
        double.ship(session.id, 1)
    assert 0 == double.session(session.id)["amount_total"]
    assert 422 == httpx.post(str(session.url), data={"action": "ship-4"}).status_code


@pytest.mark.parametrize(
    "ways",
    [
        [{"shipping_rate": "shr_1"}],
        [{"shipping_rate_data": {"display_name": "Slow", "type": "fixed_amount"}}],
        [{"shipping_rate_data": {"display_name": "Slow", "fixed_amount": {"amount": 1, "currency": "usd"}}}],
        [{"shipping_rate_data": {"display_name": "Slow", "fixed_amount": {"amount": 1, "currency": "eur"}}}] * 6,
    ],
)
def test_a_wrong_way_of_shipping_is_refused(make_session: MakeSession, ways: list[dict[str, object]]) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=r"hipping|simulated"):
        make_session(shipping_options=ways)


def way(name: str, amount: int, days: int = 3) -> dict[str, object]:
    return {
        "shipping_rate_data": {
            "display_name": name,
            "type": "fixed_amount",
            "fixed_amount": {"amount": amount, "currency": "eur"},
            "delivery_estimate": {"maximum": {"unit": "business_day", "value": days}},
        }
    }
