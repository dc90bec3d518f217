"""The share sheet: every way of passing the word on, what goes along, and what is said when a way is closed."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from tests.browser import foreign
from tests.browser.foreign import Elsewhere
from tests.browser.journeys import ON_ONE_DATABASE, NewPerson, sent_with
from tests.shop import JSON, TestMerchant

pytestmark = ON_ONE_DATABASE

HARM = "<img src=x onerror='window.harmed = 1'>"


@pytest.fixture(scope="module")
def address(shop: TestMerchant, elsewhere: Elsewhere) -> str:
    """A page of somebody else's with a mug on it."""
    return elsewhere.write(foreign.product(shop.product("Mug & saucer", images=[f"{shop.base}/mug.png"])["id"]))


@pytest.fixture
def page(person: NewPerson) -> Page:
    """A page of somebody who has opened nothing yet, and whose networks are not really called."""
    context = person()
    for network in ("https://wa.me/**", "https://bsky.app/**", "**/mug.png"):
        context.route(network, lambda route: route.abort())
    return context.new_page()


def open_sheet(page: Page, address: str) -> Locator:
    page.goto(address)
    page.get_by_role("button", name="Share Mug & saucer").click()
    sheet = page.get_by_role("dialog", name="Share Mug & saucer")
    expect(sheet).to_be_visible()
    return sheet


def share(sheet: Locator, name: str) -> JSON:
    """Press the button `name`: what was sent, with what was answered."""
    with sheet.page.expect_response("**/v1/shares") as answered:
        sheet.get_by_role("button", name=name, exact=True).click()
    sent = sent_with(answered.value)
    return {**sent, **answered.value.json(), "sent": sorted(sent)}


DEVICE = """
window.handed = [];
navigator.share = async (given) => {
  handed.push(given);
  if (OUTCOME) throw new DOMException("", OUTCOME);
};
"""


@pytest.mark.parametrize(
    ("outcome", "link_shown"), [("", False), ("AbortError", False), ("NotAllowedError", True)],
    ids=["passed on", "given up", "not allowed"],
)  # fmt: skip
def test_the_devices_own_sheet_gets_title_words_and_link(
    page: Page, address: str, outcome: str, link_shown: bool
) -> None:
    page.add_init_script(DEVICE.replace("OUTCOME", json.dumps(outcome)))
    sheet = open_sheet(page, address)
    shared = share(sheet, "Share")
    assert "device" == shared["network"]
    page.wait_for_function("handed.length == 1")
    expect(sheet.get_by_role("button", name="Share", exact=True)).to_have_attribute("aria-busy", "false")
    assert [{"title": "Mug & saucer", "url": shared["url"]}] == page.evaluate("JSON.parse(JSON.stringify(handed))")
    expect(sheet.get_by_label("Your link")).to_be_visible(visible=link_shown)


def test_a_device_without_a_sheet_of_its_own_is_not_offered_one(page: Page, address: str) -> None:
    page.add_init_script("delete Navigator.prototype.share")
    sheet = open_sheet(page, address)
    assert ["Copy link", "QR code"] == sheet.locator(".way").all_inner_texts()


def test_where_the_clipboard_is_refused_the_link_stands_ready_to_be_copied_by_hand(page: Page, address: str) -> None:
    page.add_init_script(
        "navigator.clipboard.writeText = async () => { throw new DOMException('', 'NotAllowedError') }"
    )
    sheet = open_sheet(page, address)
    link = share(sheet, "Copy link")["url"]
    expect(sheet.get_by_role("status")).to_have_text("Here is your link: copy it from the field.")
    expect(sheet.get_by_label("Your link")).to_be_focused()
    assert link == page.evaluate("document.activeElement.shadowRoot.activeElement.value")


def test_all_networks_are_offered_and_each_once(page: Page, address: str) -> None:
    sheet = open_sheet(page, address)
    names = sheet.get_by_role("list", name="Networks").get_by_role("button").all_inner_texts()
    assert len(names) == len(set(names)) >= 10
    assert {"WhatsApp", "Facebook", "X", "Pinterest", "Telegram", "Email", "Text message", "Instagram"} <= set(names)


def test_whatsapp_opens_its_own_form_in_a_window_of_its_own(page: Page, address: str) -> None:
    sheet = open_sheet(page, address)
    with page.expect_popup() as opened, page.context.expect_event("request", predicate=_to_whatsapp) as asked:
        shared = share(sheet, "WhatsApp")
    assert shared["intent_url"] == asked.value.url
    assert [f"Mug & saucer {shared['url']}"] == parse_qs(urlsplit(asked.value.url).query)["text"]
    assert asked.value.frame.page == opened.value
    assert "whatsapp" == shared["network"]
    assert page.url == address


def _to_whatsapp(request: Request) -> bool:
    return request.url.startswith("https://wa.me/")


def test_where_windows_are_blocked_the_network_is_a_link_to_press(page: Page, address: str) -> None:
    page.add_init_script("window.open = () => null")
    sheet = open_sheet(page, address)
    shared = share(sheet, "WhatsApp")
    onward = sheet.get_by_role("link", name="Open WhatsApp")
    expect(onward).to_have_attribute("href", shared["intent_url"])
    expect(onward).to_have_attribute("rel", "noopener")
    share(sheet, "Bluesky")
    expect(sheet.get_by_role("link")).to_have_text(["Open Bluesky"])


def test_an_email_is_begun_by_the_device_and_the_page_stays(page: Page, address: str) -> None:
    left = page.context.new_cdp_session(page)
    asked: list[str] = []
    left.on("Page.frameRequestedNavigation", lambda event: asked.append(event["url"]))
    left.send("Page.enable")
    sheet = open_sheet(page, address)
    shared = share(sheet, "Email")
    expect(sheet.get_by_role("button", name="Email")).to_have_attribute("aria-busy", "false")
    assert [shared["intent_url"]] == asked
    mail = parse_qs(urlsplit(asked[0]).query)
    assert asked[0].startswith("mailto:?")
    assert [["Mug & saucer"], [f"Mug & saucer\r\n\r\n{shared['url']}"]] == [mail["subject"], mail["body"]]
    assert page.url == address


def test_a_network_without_a_form_gets_the_link_pasted(page: Page, address: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    sheet = open_sheet(page, address)
    shared = share(sheet, "Instagram")
    expect(sheet.get_by_role("status")).to_have_text("Link copied. Paste it in Instagram.")
    assert "instagram" == shared["network"]
    assert shared["url"] == page.evaluate("navigator.clipboard.readText()")


def test_each_network_has_a_link_of_its_own_and_the_same_one_again(page: Page, address: str) -> None:
    page.add_init_script("window.open = () => null")
    sheet = open_sheet(page, address)
    links = [share(sheet, name)["url"] for name in ("WhatsApp", "Copy link", "QR code", "WhatsApp")]
    assert len(set(links)) == 3
    assert links[0] == links[3]


def test_a_share_that_did_not_arrive_closes_its_window_and_says_so(page: Page, address: str) -> None:
    sheet = open_sheet(page, address)
    page.route("**/v1/shares", lambda route: route.abort())
    with page.expect_popup() as opened:
        sheet.get_by_role("button", name="WhatsApp").click()
    expect(sheet.get_by_role("status")).to_have_text("No connection. Please try again.")
    if not opened.value.is_closed():
        opened.value.wait_for_event("close")


def test_words_and_name_go_along_only_when_somebody_wrote_them(page: Page, address: str, person: NewPerson) -> None:
    sheet = open_sheet(page, address)
    silent = share(sheet, "QR code")
    assert ["network", "product"] == silent["sent"]

    sheet.get_by_text("Add a few words").click()
    sheet.get_by_label("Your words").fill(f"  It is lovely {HARM}  ")
    sheet.get_by_label("Your name").fill(f"Ana {HARM}")
    spoken = share(sheet, "Copy link")
    assert ["caption", "name", "network", "product"] == spoken["sent"]

    friend = person()
    heard, landing = foreign.complaints(friend), friend.new_page()
    friend.route("**/mug.png", lambda route: route.fulfill(status=200))
    landing.goto(spoken["url"])
    expect(landing.get_by_text(f"Ana {HARM} passed this on to you")).to_be_visible()
    expect(landing.locator("blockquote")).to_have_text(f"It is lovely {HARM}")
    expect(landing.locator("img[src=x]")).to_have_count(0)
    assert landing.evaluate("window.harmed") is None
    landing.goto(silent["url"])
    expect(landing.get_by_text("Somebody passed this on to you")).to_be_visible()
    expect(landing.locator("blockquote")).to_have_count(0)
    assert [] == heard


def test_a_press_beside_the_sheet_or_on_its_cross_closes_it(page: Page, address: str) -> None:
    sheet = open_sheet(page, address)
    page.mouse.click(5, 5)
    expect(sheet).to_have_count(0)
    page.get_by_role("button", name="Share Mug & saucer").click()
    sheet.get_by_role("button", name="Close").click()
    expect(sheet).to_have_count(0)
