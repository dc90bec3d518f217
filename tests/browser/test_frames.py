"""The iframe forms in pages of others: who may show them, that they fit, and where they lead."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.demo import Demo
from tests.browser.foreign import Elsewhere
from tests.browser.journeys import A_LOOK, ON_ONE_DATABASE, NewPerson, buy, wait_for
from tests.net import free_port, serving
from tests.shop import JSON, TestMerchant

pytestmark = ON_ONE_DATABASE

SECRET = "Abc0123456"
WORDPRESS = """
<blockquote class="wp-embedded-content" data-secret="{secret}"><a href="{src}">Mug</a></blockquote>
<iframe class="wp-embedded-content" sandbox="allow-scripts" security="restricted" data-secret="{secret}" width="600"
 style="position: absolute; visibility: hidden" src="{src}#?secret={secret}" scrolling="no"></iframe>
<script>
// As wp-embed.js does: a frame is shown when it says how high it is, with its secret; a link is followed only to the
// frame's own host, and only while the reader is in the frame.
addEventListener("message", ({{ data, source }}) => {{
  if (!data || !(data.secret || data.message || data.value) || /[^a-zA-Z0-9]/.test(data.secret)) return;
  const frame = document.querySelector(`iframe[data-secret="${{data.secret}}"]`);
  if (!frame || frame.contentWindow !== source) return;
  document.querySelector("blockquote").style.display = "none";
  frame.removeAttribute("style");
  if (data.message === "height") frame.height = Math.min(1000, Math.max(200, parseInt(data.value, 10)));
  if (data.message === "link" && document.activeElement === frame
      && new URL(data.value).host === new URL(frame.src).host) window.top.location.href = data.value;
}});
</script>"""
FITTING = """
<iframe src="{src}" width="600" height="100" sandbox="{sandbox}"></iframe>
<script>addEventListener("message", ({{ data }}) => {{
  if (data?.type === "grapevine:height") document.querySelector("iframe").height = data.height;
}});</script>"""


@pytest.fixture
def stranger(demo: Demo) -> Iterator[Elsewhere]:
    """A website that is not on the merchant's list."""
    port = free_port()
    site = Elsewhere(f"http://stranger.localhost:{port}", demo.url)
    with serving(site, port):
        yield site


@pytest.fixture
def link(shop: TestMerchant, mug: JSON) -> str:
    """The code of a mug that somebody passed on."""
    return str(shop.shopper().share(mug["id"], "mastodon")["code"])


def height(page: Page) -> int:
    return int(page.locator("iframe").get_attribute("height") or 0)


def inside(page: Page) -> int:
    """How high the frame's content is."""
    return int(page.frame_locator("iframe").locator("body").evaluate("body => Math.ceil(body.offsetHeight)"))


def test_only_pages_on_the_merchants_list_may_show_it(
    demo: Demo, elsewhere: Elsewhere, stranger: Elsewhere, mug: JSON, person: NewPerson
) -> None:
    page = person().new_page()
    frame = f'<iframe src="{demo.url}/embed/products/{mug["id"]}" width="600" height="600"></iframe>'
    page.goto(elsewhere.write(frame))
    expect(page.frame_locator("iframe").get_by_role("link", name="Buy")).to_be_visible()
    page.goto(stranger.write(frame))
    expect(page.frame_locator("iframe").get_by_role("link", name="Buy")).to_have_count(0)


@pytest.mark.parametrize("sandbox", ["allow-scripts", "allow-scripts allow-same-origin"])
def test_a_frame_tells_its_height_also_in_a_sandbox(
    demo: Demo, elsewhere: Elsewhere, shop: TestMerchant, mug: JSON, person: NewPerson, sandbox: str
) -> None:
    wall = shop.wall(*[shop.product(f"Cup {number}")["id"] for number in range(7)], mug["id"])
    page = person().new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(elsewhere.write(FITTING.format(src=f"{demo.url}/embed/walls/{wall['id']}", sandbox=sandbox)))
    expect(page.frame_locator("iframe").get_by_role("heading", name="Mug")).to_be_attached()
    assert wait_for(lambda: height(page) == inside(page))
    before = height(page)
    page.locator("iframe").evaluate("frame => frame.width = 320")
    assert wait_for(lambda: height(page) > before and height(page) == inside(page))
    assert [] == faults


def test_wordpress_shows_it_when_it_has_said_how_high_it_is_and_follows_its_links(
    demo: Demo, elsewhere: Elsewhere, shop: TestMerchant, link: str, person: NewPerson
) -> None:
    page = person().new_page()
    src = f"{demo.url}/embed/r/{link}"
    page.goto(elsewhere.write(WORDPRESS.format(src=src, secret=SECRET)))
    expect(page.locator("iframe")).to_be_visible()
    expect(page.locator("blockquote")).to_be_hidden()
    assert wait_for(lambda: height(page) == min(1000, inside(page)))

    page.frame_locator("iframe").get_by_role("link", name="Buy").click()

    page.wait_for_url(f"{demo.url}/r/{link}")


def test_wordpress_shows_no_frame_with_another_secret(
    demo: Demo, elsewhere: Elsewhere, link: str, person: NewPerson
) -> None:
    page = person().new_page()
    body = WORDPRESS.format(src=f"{demo.url}/embed/r/{link}", secret=SECRET)
    page.goto(elsewhere.write(body.replace(f"?secret={SECRET}", "?secret=another123")))
    expect(page.frame_locator("iframe").get_by_role("link", name="Buy")).to_be_attached()
    page.wait_for_timeout(500)
    expect(page.locator("iframe")).to_be_hidden()


def test_who_buys_after_a_link_in_a_frame_is_credited_to_who_passed_it_on(
    demo: Demo, elsewhere: Elsewhere, shop: TestMerchant, mug: JSON, person: NewPerson
) -> None:
    ana = shop.shopper()
    code = ana.share(mug["id"], "mastodon")["code"]
    page = person().new_page()
    sandbox = "allow-scripts allow-top-navigation-by-user-activation"
    page.goto(elsewhere.write(FITTING.format(src=f"{demo.url}/embed/r/{code}", sandbox=sandbox)))
    page.frame_locator("iframe").get_by_role("link", name="Mug").last.click()
    page.wait_for_url("**/r/*")
    buy(page, "eve@example.com")
    rows = wait_for(lambda: [row for row in demo.report("network,sharer") if row["sharer"] == ana.id])
    assert [("mastodon", 1)] == [(row["network"], row["orders"]) for row in rows]


def test_without_scripts_it_is_readable_and_leads_on(
    demo: Demo, elsewhere: Elsewhere, mug: JSON, person: NewPerson
) -> None:
    page = person(java_script_enabled=False).new_page()
    src = f"{demo.url}/embed/products/{mug['id']}"
    page.goto(elsewhere.write(f'<iframe src="{src}" width="600" height="500"></iframe>'))
    page.frame_locator("iframe").get_by_role("link", name="Buy").click()
    page.wait_for_url(f"{demo.url}/p/{mug['id']}")
    expect(page.get_by_role("button", name="Buy")).to_be_visible()


def test_a_card_that_was_looked_at_for_a_second_is_reported_without_a_visitor(
    demo: Demo, elsewhere: Elsewhere, link: str, mug: JSON, person: NewPerson
) -> None:
    page = person().new_page()
    page.clock.install()
    src = f"{demo.url}/embed/r/{link}"
    with page.expect_request("**/v1/beacons") as told:
        page.goto(elsewhere.write(f'<iframe src="{src}" width="600" height="700" sandbox="allow-scripts"></iframe>'))
        page.frames[1].evaluate(A_LOOK)
        for milliseconds in (1100, 1600):  # it is looked at, and then told of
            page.clock.fast_forward(milliseconds)
    (beacon,) = json.loads(told.value.post_data or "[]")
    assert {"type": "card_view", "product": mug["id"], "code": link, "at": beacon["at"]} == beacon
    assert told.value.headers["content-type"].startswith("text/plain")
    assert "grapevine-visitor" not in told.value.headers


def test_a_card_that_is_higher_than_the_screen_is_looked_at_when_it_fills_half_of_it(
    demo: Demo, elsewhere: Elsewhere, link: str, person: NewPerson
) -> None:
    low = {"width": 600, "height": 400}
    page = person(viewport=low, screen=low).new_page()
    page.clock.install()
    with page.expect_request("**/v1/beacons"):
        page.goto(elsewhere.write(f'<iframe src="{demo.url}/embed/r/{link}" width="500" height="2400"></iframe>'))
        page.frames[1].evaluate("document.querySelector('.card').style.minBlockSize = '2000px'")
        page.frames[1].evaluate("scrollTo(0, 0)")
        page.evaluate("scrollTo(0, 600)")
        page.frames[1].evaluate(A_LOOK)
        for milliseconds in (1100, 1600):
            page.clock.fast_forward(milliseconds)


def test_nothing_is_kept_by_a_frame(demo: Demo, mug: JSON, link: str, person: NewPerson) -> None:
    someone = person()
    page = someone.new_page()
    for path in (f"/embed/products/{mug['id']}", f"/embed/r/{link}"):
        page.goto(demo.url + path)  # where it might keep something: within others a browser refuses
        assert [0, 0] == page.evaluate("[localStorage.length, sessionStorage.length]")
    assert [] == someone.cookies()
