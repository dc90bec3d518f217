"""The share button: any page of the merchant's site, passed on by whoever reads it."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import foreign
from tests.browser.foreign import STRICT, Elsewhere
from tests.browser.journeys import ON_ONE_DATABASE, NewPerson, open_sheet, share
from tests.browser.shifts import shifts, watch
from tests.shop import JSON, TestMerchant, ok

pytestmark = ON_ONE_DATABASE

FALLBACK = '<a href="/fallback">Send this page</a>'


@pytest.fixture(scope="module")
def merchant(shop: TestMerchant) -> str:
    return str(ok(shop.http.get("/v1/merchant"))["id"])


@pytest.fixture
def page(person: NewPerson) -> Page:
    return person(permissions=["clipboard-read", "clipboard-write"]).new_page()


def button(merchant: str, inside: str = FALLBACK, **attributes: str) -> str:
    given = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f'<grapevine-share merchant="{merchant}"{given}>{inside}</grapevine-share>'


def told_otherwise(page: Page, change: Callable[[JSON], None]) -> None:
    """Let the page be told something else of the merchant's sharing."""

    def answer(route: Route) -> None:
        told = route.fetch()
        body = told.json()
        change(body)
        route.fulfill(response=told, json=body)

    page.route("**/sharing", answer)


def test_a_page_is_passed_on_and_its_reader_comes_back_to_it_as_a_visit(
    page: Page, merchant: str, elsewhere: Elsewhere, person: NewPerson
) -> None:
    told = foreign.events(page, "share")
    address = elsewhere.write(button(merchant))
    page.goto(f"{address}?utm_source=x&a=1&fbclid=2#part")
    sheet = open_sheet(page)
    expect(sheet).to_have_accessible_name("Share Elsewhere")
    shared = share(page, sheet)
    expected = {"merchant": merchant, "url": f"{address}?a=1#part", "title": "Elsewhere", "network": "copy"}
    assert expected == shared["sent"]
    assert shared["url"] == page.evaluate("navigator.clipboard.readText()")
    about = {"product": None, "page": f"{address}?a=1#part", "network": "copy", "url": shared["url"]}
    assert [about] == told()

    bo = person().new_page()
    with bo.expect_response("**/claim") as claimed:
        bo.goto(shared["url"])
    assert claimed.value.ok
    assert f"{address}?a=1#part" == bo.url
    again = share(bo, open_sheet(bo))
    assert shared["id"] == again["parent"]


@pytest.mark.parametrize(
    ("head", "attributes", "expected"),
    [
        ('<link rel="canonical" href="{origin}/proper">', {}, ("{origin}/proper", "Elsewhere")),
        ('<link rel="canonical" href="https://other.example/">', {}, ("{address}", "Elsewhere")),
        ("", {"url": "/other?b=2", "page_title": "Another"}, ("{origin}/other?b=2", "Another")),
        ("", {"url": "/other"}, ("{origin}/other", "")),
    ],
    ids=["canonical", "canonical elsewhere", "named", "named without a title"],
)
def test_the_page_that_is_meant_is_passed_on(
    page: Page, merchant: str, elsewhere: Elsewhere, head: str, attributes: dict[str, str], expected: tuple[str, str]
) -> None:
    address = elsewhere.write(head.format(origin=elsewhere.origin) + button(merchant, **attributes))
    page.goto(address)
    sent = share(page, open_sheet(page), "QR code")["sent"]
    url = expected[0].format(origin=elsewhere.origin, address=address)
    assert (url, expected[1]) == (sent["url"], sent["title"])


def test_a_page_that_is_not_the_merchants_is_refused_kindly(page: Page, merchant: str, elsewhere: Elsewhere) -> None:
    page.goto(elsewhere.write(button(merchant, url="https://elsewhere.example/")))
    sheet = open_sheet(page)
    sheet.get_by_role("button", name="Copy link").click()
    expect(sheet.get_by_role("status").last).to_have_text("Sorry, this is no longer available.")


def test_an_address_that_is_none_is_told_to_the_page_and_the_person(
    page: Page, merchant: str, elsewhere: Elsewhere
) -> None:
    told = foreign.events(page, "error")
    page.goto(elsewhere.write(button(merchant, url="https://")))
    page.get_by_role("button", name="Send this page").click()
    expect(page.get_by_role("status")).to_have_text("That did not work. Please try again.")
    assert [{"code": "malformed_url"}] == told()


def test_a_product_can_be_passed_on_by_a_button_too(
    page: Page, merchant: str, mug: JSON, shop: TestMerchant, elsewhere: Elsewhere
) -> None:
    wall = shop.wall(mug["id"])["id"]
    page.goto(elsewhere.write(button(merchant, product=mug["id"], wall=wall, page_title="Mug")))
    sheet = open_sheet(page)
    expect(sheet).to_have_accessible_name("Share Mug")
    assert {"product": mug["id"], "wall": wall, "network": "copy"} == share(page, sheet)["sent"]


def test_the_button_lives_under_the_strictest_policy(merchant: str, elsewhere: Elsewhere, person: NewPerson) -> None:
    context = person(permissions=["clipboard-write"])
    heard, page = foreign.complaints(context), context.new_page()
    page.goto(elsewhere.write(button(merchant), policy=STRICT))
    sheet = open_sheet(page)
    share(page, sheet, "QR code")
    expect(sheet.get_by_alt_text("QR code of your link")).to_be_visible()
    assert sheet.get_by_alt_text("QR code of your link").evaluate("image => image.decode().then(() => true)")
    share(page, sheet)
    sheet.get_by_text("Add a few words").click()
    sheet.get_by_label("Your words").fill("x" * 300)
    assert [] == heard
    assert [] == context.cookies()


@pytest.mark.parametrize("trouble", ["away", "unknown", "none"])
def test_what_is_inside_stays_where_the_button_cannot_do_its_work(
    page: Page, merchant: str, elsewhere: Elsewhere, trouble: str
) -> None:
    if trouble == "away":
        page.route("**/sharing", lambda route: route.abort())
    told = foreign.events(page, "error")
    page.goto(elsewhere.write(button({"away": merchant, "unknown": "mer_nobody", "none": ""}[trouble])))
    expect(page.get_by_role("link", name="Send this page")).to_be_visible()
    page.wait_for_load_state("networkidle")
    # A page that is on nobody's list may not read why there is nothing.
    assert ([] if trouble == "none" else [{"code": "unreachable"}]) == told()
    expect(page.get_by_role("button")).to_have_count(0)


def test_a_button_whose_merchant_is_said_later_works_then(page: Page, merchant: str, elsewhere: Elsewhere) -> None:
    page.goto(elsewhere.write(button("", "")))
    page.wait_for_function("document.querySelector('grapevine-share').shadowRoot")
    page.evaluate("merchant => document.querySelector('grapevine-share').setAttribute('merchant', merchant)", merchant)
    assert merchant == share(page, open_sheet(page, "Share"))["sent"]["merchant"]


def test_many_buttons_ask_once_and_move_nothing(page: Page, merchant: str, elsewhere: Elsewhere) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/sharing") else None)
    watch(page)
    style = "<style>grapevine-share { display: inline-block; min-height: 44px; vertical-align: middle }</style>"
    page.goto(elsewhere.write(style + f"<p>{button(merchant)}</p><p>Some words.</p>" * 20))
    expect(page.get_by_role("button", name="Send this page")).to_have_count(20)
    assert [] == shifts(page)
    assert 1 == len(asked)


def test_a_keyboard_opens_uses_and_leaves_the_sheet(page: Page, merchant: str, elsewhere: Elsewhere) -> None:
    page.goto(elsewhere.write(button(merchant)))
    opener = page.get_by_role("button", name="Send this page")
    expect(opener).to_be_visible()
    page.keyboard.press("Tab")
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog")
    expect(sheet.get_by_role("button", name="Copy link")).to_be_focused()
    with page.expect_response("**/v1/shares"):
        page.keyboard.press("Enter")
    expect(sheet.get_by_role("status").last).to_have_text("Link copied.")
    for _ in range(60):  # nothing of the page behind is reached
        page.keyboard.press("Tab")
        assert page.evaluate(
            "!document.activeElement || ['GRAPEVINE-SHARE', 'BODY'].includes(document.activeElement.tagName)"
        )
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    expect(opener).to_be_focused()


def test_in_a_frame_that_holds_its_page_the_link_is_there_to_be_copied_by_hand(
    page: Page, merchant: str, elsewhere: Elsewhere
) -> None:
    frame = foreign.framed(page, elsewhere, button(merchant, url=elsewhere.origin + "/page"), "allow-scripts")
    sheet = open_sheet(frame)
    sheet.get_by_role("button", name="Copy link").click()
    expect(sheet.get_by_role("status").last).to_have_text("Here is your link: copy it from the field.")
    expect(sheet.get_by_label("Your link")).to_have_value(re.compile(r"/r/\w{9}$"))
    sheet.get_by_role("button", name="WhatsApp").click()
    expect(sheet.get_by_role("link", name="Open WhatsApp")).to_be_visible()
    copied = sheet.get_by_label("Your link").input_value()
    with page.expect_response("**/v1/shares"):
        sheet.get_by_role("button", name="Email").click()
    expect(sheet.get_by_label("Your link")).not_to_have_value(copied)


def test_a_reward_is_told_before_anything_is_shared(page: Page, merchant: str, elsewhere: Elsewhere) -> None:
    told_otherwise(page, lambda body: body.update(sharing={"rewarded": True, "terms": "https://shop.example/terms"}))
    page.goto(elsewhere.write(button(merchant)))
    sheet = open_sheet(page)
    expect(sheet.get_by_text("If somebody buys through your link, you may be rewarded.")).to_be_visible()
    terms = sheet.get_by_role("link", name="How it works")
    expect(terms).to_have_attribute("href", "https://shop.example/terms")
    expect(terms).to_have_attribute("rel", "noopener")


def test_without_a_reward_nothing_is_promised_and_hostile_terms_are_no_link(
    page: Page, merchant: str, elsewhere: Elsewhere
) -> None:
    address = elsewhere.write(button(merchant))
    page.goto(address)
    expect(open_sheet(page).get_by_text("rewarded")).to_have_count(0)
    told_otherwise(page, lambda body: body.update(sharing={"rewarded": True, "terms": "javascript:alert(1)"}))
    page.goto(address)
    sheet = open_sheet(page)
    expect(sheet.get_by_text("rewarded")).to_be_visible()
    expect(sheet.get_by_role("link")).to_have_count(0)


def test_the_networks_stand_in_the_merchants_order(page: Page, merchant: str, elsewhere: Elsewhere) -> None:
    def last_first(body: JSON) -> None:
        body["networks"] = [each for each in reversed(body["networks"]) if each["id"] in ("x", "mastodon", "qr")]

    told_otherwise(page, last_first)
    page.goto(elsewhere.write(button(merchant)))
    sheet = open_sheet(page)
    assert ["Mastodon", "X"] == sheet.get_by_role("list", name="Networks").get_by_role("button").all_inner_texts()
    assert ["QR code"] == sheet.locator(".way").all_inner_texts()


def test_who_writes_much_is_told_where_less_fits(page: Page, merchant: str, elsewhere: Elsewhere) -> None:
    page.goto(elsewhere.write(button(merchant)))
    sheet = open_sheet(page)
    sheet.get_by_text("Add a few words").click()
    words, hint = sheet.get_by_label("Your words"), sheet.locator(".hint").first
    words.fill("x" * 79)
    expect(hint).to_have_text("")
    words.fill("🦊" * 129)  # one character each, on X two
    expect(hint).to_have_text("X and Hacker News: less fits there, so this will be shortened.")
    words.fill("x" * 260)
    expect(hint).to_contain_text("Weibo")
    expect(hint).not_to_contain_text("Bluesky")
    words.fill("Short enough")
    expect(hint).to_have_text("")
