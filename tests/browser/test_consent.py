"""A merchant who remembers only who consents: what a page passes on of consent and of its withdrawal."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.choosing import Calls, Landing, bound, landing_of, mode, seen_by
from tests.browser.foreign import Elsewhere, complaints
from tests.browser.journeys import ON_ONE_DATABASE, NewPerson, heart, wait_for
from tests.shop import TestMerchant

pytestmark = [*ON_ONE_DATABASE, pytest.mark.usefixtures("consented")]


@pytest.fixture(scope="module")
def consented(shop: TestMerchant) -> Iterator[None]:
    yield from mode(shop, "consented")


@pytest.fixture
def landing(shop: TestMerchant, elsewhere: Elsewhere) -> Landing:
    return landing_of(shop, elsewhere)


def test_a_visit_is_bound_once_the_page_says_that_its_visitor_consents(landing: Landing, person: NewPerson) -> None:
    context = person()
    page, calls, wrong = context.new_page(), Calls.of(context), complaints(context)
    landing.write()
    assert not bound(page, landing.visit())
    assert ["POST visits"] == calls.names()
    with page.expect_response("**/claim") as answered:
        page.locator("grapevine-product").evaluate("element => element.setAttribute('consent', 'autumn')")
    assert answered.value.json()["bound"]
    assert ["POST visits", "POST consents", "POST visits"] == calls.names()
    sent = [call.post_data_json or {} for call in calls.sent if call.url.endswith("/consents")]
    assert [("autumn", True)] == [(body["version"], body["merchant"].startswith("mer_")) for body in sent]
    assert {True} == seen_by(page, calls)
    page.reload()
    page.locator("grapevine-product").evaluate("element => element.setAttribute('consent', 'autumn')")
    expect(heart(page)).to_be_visible()
    assert 3 == len(calls.names()), "said once"
    assert [] == wrong


def test_the_attribute_consents_before_the_visit_is_claimed(landing: Landing, person: NewPerson) -> None:
    context = person()
    page, calls = context.new_page(), Calls.of(context)
    landing.write(consent="1")
    assert bound(page, landing.visit())
    assert ["POST consents", "POST visits"] == calls.names()


def test_a_call_may_come_before_the_elements_and_what_is_withdrawn_stays_so(
    landing: Landing, person: NewPerson
) -> None:
    context = person()
    page, calls = context.new_page(), Calls.of(context)
    page.add_init_script("(window.grapevine ??= []).push(['consent', sessionStorage.version ?? '1'])")
    landing.write()
    assert bound(page, landing.visit())
    with page.expect_response(lambda answer: "/v1/consents/" in answer.url) as answered:
        page.evaluate("grapevine.withdraw()")
    assert 204 == answered.value.status
    landing.write(consent="1")
    fresh = context.new_page()
    before = len(calls.names())
    assert not bound(fresh, landing.visit())
    assert ["POST visits"] == calls.names()[before:], "the attribute does not say anew what was withdrawn"
    fresh.evaluate("grapevine.consent('1')")
    wait_for(lambda: "POST consents" in calls.names()[before:])
