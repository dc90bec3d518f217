"""The main job with a real browser: a wall on somebody's blog, a like, a share, a friend who buys, the report."""

from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.camera import picture
from tests.browser.demo import Demo, running
from tests.browser.journeys import buy, pay, taken_over, visitor_of, wait_for
from tests.conftest import NewDatabase

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def demo(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One that nobody else has used: its whole report is looked at."""
    with running(tmp_path_factory.mktemp("demo"), new_database("main-job")) as started:
        yield started


def test_a_friend_buys_through_a_shared_link_and_the_sharer_and_network_are_credited(
    demo: Demo, person: Callable[..., BrowserContext]
) -> None:
    ana = person(permissions=["clipboard-read", "clipboard-write"]).new_page()
    ana.goto(demo.blog)
    product = (
        ana.locator("grapevine-wall article, grapevine-wall li").filter(has=ana.get_by_role("button", name="Buy")).first
    )
    expect(product).to_be_visible()
    ana.get_by_role("heading", name="On my table").evaluate("heading => heading.scrollIntoView()")
    picture(ana, "blog")

    with ana.expect_response("**/v1/likes") as liked:
        product.get_by_role("button", name="Like").click()
    assert liked.value.status == 201
    expect(product.get_by_role("button", name="Like")).to_have_attribute("aria-pressed", "true")

    product.get_by_role("button", name="Share").click()
    with ana.expect_response("**/v1/shares") as shared:
        ana.get_by_role("button", name="Copy link").click()
    link = shared.value.json()["url"]
    expect(ana.get_by_text("Link copied.")).to_be_visible()
    assert link == ana.evaluate("navigator.clipboard.readText()")
    picture(ana, "share")

    bo = person().new_page()
    with bo.expect_response("**/claim") as claimed:
        bo.goto(link)
    assert claimed.value.status == 200
    picture(bo, "link")
    taken_over(bo)
    bo.get_by_role("button", name="Buy").first.click()
    bo.wait_for_url("**/pay/**")
    picture(bo, "checkout")
    pay(bo, "bo@example.com")
    picture(bo, "thanks")

    rows = wait_for(lambda: demo.report("network,sharer"))
    sharer = visitor_of(shared.value)
    assert [("copy", sharer)] == [(row["network"], row["sharer"]) for row in rows]
    assert [row["orders"] for row in rows] == [1]
    assert [[], []] == [each.context.cookies() for each in (ana, bo)]


def test_everything_works_without_javascript_too(demo: Demo, person: Callable[..., BrowserContext]) -> None:
    before = len(demo.report("network"))
    share = httpx.post(
        f"{demo.url}/v1/shares",
        json={"wall": demo.wall, "network": "whatsapp"},
        headers={"Origin": demo.blog.rstrip("/")},
    ).json()
    cy = person(java_script_enabled=False).new_page()
    cy.goto(share["url"])

    buy(cy, "cy@example.com", scripts=False)

    rows = wait_for(lambda: [row for row in demo.report("network") if row["network"] == "whatsapp"])
    assert [row["network"] for row in rows] == ["whatsapp"]
    assert before + 1 == len(demo.report("network"))


def test_the_wall_is_at_home_on_a_phone_in_the_dark(demo: Demo, person: Callable[..., BrowserContext]) -> None:
    page = person(viewport={"width": 390, "height": 844}, color_scheme="dark", locale="fr-FR").new_page()
    page.goto(f"{demo.url}/w/{demo.wall}")

    expect(page.get_by_role("button", name="Acheter").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    picture(page, "phone")
