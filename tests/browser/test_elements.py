"""The elements on somebody else's page: under a strict policy, without storage, in every layout, for every reader."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import foreign
from tests.browser.demo import Demo
from tests.browser.foreign import Elsewhere, complaints, events, priced
from tests.browser.journeys import ON_ONE_DATABASE, NewPerson, heart, press_heart, sent_with
from tests.net import free_port
from tests.shop import JSON, TestMerchant

pytestmark = ON_ONE_DATABASE


def test_under_the_strictest_policy_a_wall_is_shown_liked_and_shared_and_nothing_is_breached(
    demo: Demo, elsewhere: Elsewhere, person: NewPerson
) -> None:
    ana = person(permissions=["clipboard-write"])
    heard, page = complaints(ana), ana.new_page()
    page.goto(elsewhere.write(foreign.wall(demo.wall), policy=foreign.STRICT))

    card = page.locator("grapevine-wall li.card").first
    assert press_heart(page, card) == press_heart(page, card)  # liked, then taken back
    card.get_by_role("button", name="Share").click()
    page.get_by_role("button", name="QR code").click()
    expect(page.get_by_alt_text("QR code of your link")).to_have_js_property("naturalWidth", 296)
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("Link copied.")).to_be_visible()
    assert [] == heard
    assert [] == ana.cookies()


def test_a_product_stands_alone_with_its_description_and_its_choices(
    shop: TestMerchant, elsewhere: Elsewhere, person: NewPerson
) -> None:
    small, large, gone = priced((1500, "eur"), (2500, "eur"), (900, "eur"))
    scarf = shop.product(
        "Scarf",
        description="Two metres of wool.\nWarm.",
        variants=[
            {"title": "Small", **small},
            {"title": "Large", **large, "compare_at": {"amount": 3000, "currency": "eur"}},
            {"title": "Tiny", **gone, "stock": 0},
        ],
    )
    page = person().new_page()
    page.goto(elsewhere.write(foreign.product(scarf["id"], heading="3")))

    expect(page.get_by_role("heading", name="Scarf", level=3)).to_be_visible()
    expect(page.get_by_text("Two metres of wool.")).to_be_visible()
    price, buy = page.locator("li.card .price"), page.locator("button.buy")
    expect(price).to_have_text("€15.00")
    choice = page.get_by_label("Choose an option of Scarf")
    choice.select_option("Large")
    expect(price).to_have_text("Price now €25.00Price before €30.00")
    choice.select_option("Tiny – Sold out")
    expect(buy).to_be_disabled()


def test_a_page_may_take_the_purchase_into_its_own_hands(elsewhere: Elsewhere, mug: JSON, person: NewPerson) -> None:
    page = person().new_page()
    told = events(page, "checkout")
    page.goto(elsewhere.write(foreign.product(mug["id"])))
    buy = page.get_by_role("button", name="Buy")
    expect(buy).to_be_visible()
    page.evaluate("addEventListener('grapevine-checkout', event => event.preventDefault())")
    buy.click()
    assert [{"product": mug["id"], "variant": mug["variants"][0]["id"], "quantity": 1}] == told()
    expect(buy).not_to_have_attribute("aria-busy", "true")


def test_so_many_are_bought_as_were_asked_for_and_no_nonsense_is(
    elsewhere: Elsewhere, mug: JSON, person: NewPerson
) -> None:
    page = person().new_page()
    told = events(page, "checkout")
    page.goto(elsewhere.write(foreign.product(mug["id"])))
    amount, buy = page.get_by_role("spinbutton", name="How many of Mug"), page.get_by_role("button", name="Buy: Mug")
    for nonsense in ("0", "-3", "1.5", "100", ""):
        amount.fill(nonsense)
        buy.click()
    assert [] == told()
    amount.fill("3")
    with page.expect_response("**/v1/checkouts") as asked:
        buy.click()
    assert [{"variant": mug["variants"][0]["id"], "quantity": 3}] == sent_with(asked.value)["items"]
    page.wait_for_url("**/pay/**")
    expect(page.get_by_role("button", name="Pay €59.97")).to_be_visible()


def test_a_frame_of_the_same_site_goes_to_the_till_with_the_whole_page(
    elsewhere: Elsewhere, mug: JSON, person: NewPerson
) -> None:
    page = person().new_page()
    inner = elsewhere.write(foreign.product(mug["id"]))
    page.goto(elsewhere.write(f'<iframe src="{inner}" width="900" height="700"></iframe>'))
    page.frame_locator("iframe").get_by_role("button", name="Buy: Mug").click()
    page.wait_for_url("**/pay/**")


def test_what_is_sold_out_says_so_and_cannot_be_bought(
    shop: TestMerchant, elsewhere: Elsewhere, person: NewPerson
) -> None:
    bowl = shop.product("Bowl", variants=[{**priced((900, "eur"))[0], "stock": 0}])
    page = person().new_page()
    page.goto(elsewhere.write(foreign.product(bowl["id"])))
    expect(page.locator(".badge")).to_have_text("Sold out")
    expect(page.get_by_role("button", name="Sold out")).to_be_disabled()


def boxes(layout: Locator) -> list[dict[str, float]]:
    """Where the cards of a wall are on the screen."""
    expect(layout.locator("li[data-product]").first).to_be_visible()
    found: list[dict[str, float]] = layout.locator("li.card").evaluate_all(
        "cards => cards.map(card => { const { x, y, width, height } = card.getBoundingClientRect();"
        " return { x, y, width, height } })"
    )
    return found


def test_each_layout_is_what_its_name_says(shop: TestMerchant, elsewhere: Elsewhere, person: NewPerson) -> None:
    products = [shop.product(f"Thing {number}")["id"] for number in range(8)]
    listed = shop.wall(*products, layout="list")["id"]
    page = person().new_page()
    asked = "".join(foreign.wall(listed, layout=name) for name in ("grid", "carousel", "single", "spiral"))
    page.goto(elsewhere.write(foreign.wall(listed) + asked))

    walls = page.locator("grapevine-wall")
    own, grid, carousel, single, unknown = (boxes(walls.nth(at)) for at in range(5))
    assert [8, 8, 8, 1, 8] == [len(each) for each in (own, grid, carousel, single, unknown)]
    assert [1, 8] == [len({box["x"] for box in own}), len({box["y"] for box in own})]  # one below the other
    assert own == [{**box, "y": box["y"] - unknown[0]["y"] + own[0]["y"]} for box in unknown]  # the wall's own choice
    assert len({box["x"] for box in grid}) > 2
    assert len({box["y"] for box in grid}) > 1
    assert [8, 1] == [len({box["x"] for box in carousel}), len({box["y"] for box in carousel})]
    assert carousel[-1]["x"] > 1280  # reached by scrolling the wall, not the page
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("trouble", ["unknown wall", "unknown product", "server away", "not an id", "no scripts"])
def test_the_fallback_stays_and_its_link_works(
    demo: Demo, elsewhere: Elsewhere, person: NewPerson, trouble: str
) -> None:
    there = f"{demo.url}/w/{demo.wall}"
    link = f'<a href="{there}">See our favourites</a>'
    away = f"http://127.0.0.1:{free_port()}"
    body = {
        "unknown wall": foreign.wall(demo.wall[:-6] + "zzzzzz", link),
        "unknown product": foreign.product("prod_" + "0" * 30, link),
        "server away": foreign.wall(demo.wall, link, api=away),
        "not an id": foreign.wall("../../x?y=#z", link),
        "no scripts": foreign.wall(demo.wall, link),
    }[trouble]
    page = person().new_page()
    events(page, "error")
    page.goto(elsewhere.write(body, policy="script-src 'none'" if trouble == "no scripts" else None))
    if trouble != "no scripts":
        page.wait_for_function("window.told.length > 0")
    page.get_by_role("link", name="See our favourites").click()
    page.wait_for_url(there)


FORMATS = {
    "en-GB": ["€1,234.50", "JP¥1,200", "KWD 1.999"],
    "fr-FR": ["1 234,50 €", "1 200 JPY", "1,999 KWD"],
    "ja-JP": ["€1,234.50", "￥1,200", "KWD 1.999"],
}


@pytest.mark.parametrize("locale", FORMATS)
def test_prices_are_said_as_the_visitor_says_them(
    shop: TestMerchant, elsewhere: Elsewhere, person: NewPerson, locale: str
) -> None:
    prices = (123450, "eur"), (1200, "jpy"), (1999, "kwd")
    products = [shop.product(money[1], variants=priced(money))["id"] for money in prices]
    page = person(locale=locale).new_page()
    page.goto(elsewhere.write(foreign.wall(shop.wall(*products)["id"])))
    shown = page.locator("li.card .price")
    expect(shown).to_have_count(3)
    assert FORMATS[locale] == [text.replace("\u00a0", " ").replace("\u202f", " ") for text in shown.all_inner_texts()]


def test_a_language_that_only_the_system_knows_hides_no_wall(
    mug: JSON, elsewhere: Elsewhere, person: NewPerson
) -> None:
    page = person().new_page()
    page.add_init_script("Object.defineProperty(navigator, 'languages', { value: ['en-US@posix', 'de-DE'] })")
    page.goto(elsewhere.write(foreign.product(mug["id"])))
    expect(page.locator(".price")).to_have_text("19,99\u00a0€")


HOSTILE = [
    "<script>window.harmed = 1</script>",
    "<img src=x onerror='window.harmed = 1'>",
    "\"'`><svg onload=window.harmed=1>{title} ${harmed} {{harmed}} &lt;b&gt;",
    "\u202eمرحبا \u2066بالعالم 👩‍👩‍👧‍👦🏳️‍🌈",
]


@pytest.mark.parametrize("title", HOSTILE, ids=["script", "image", "quotes", "right-to-left"])
def test_a_hostile_title_stays_words_everywhere(
    demo: Demo, shop: TestMerchant, elsewhere: Elsewhere, person: NewPerson, title: str
) -> None:
    thing = shop.product(title, description=title, variants=[{"title": title, **each} for each in priced((1, "eur"))])
    wall = shop.wall(thing["id"], title=title)["id"]
    link = shop.shopper().share(thing["id"], wall=wall, caption=title, name=title[:60])["url"]
    context = person()
    heard, page = complaints(context), context.new_page()
    addresses = [
        elsewhere.write(foreign.wall(wall)),
        f"{demo.url}/w/{wall}",
        f"{demo.url}/p/{thing['id']}?wall={wall}",
        link,
    ]
    for address in addresses:
        page.goto(address)
        unharmed(page, thing["title"])
        page.get_by_role("button", name="Share ").first.click()
        expect(page.locator(".sheet-title")).to_have_text(f"Share {thing['title']}")
        page.get_by_role("button", name="Copy link").click()
        unharmed(page, thing["title"])
    assert [] == heard


def unharmed(page: Page, title: str) -> None:
    """The title is there letter by letter, and made no element and ran nothing."""
    expect(page.locator("section li.card .title a")).to_have_text(title)
    expect(page.locator("img[src=x], svg[onload], body script:not([type])")).to_have_count(0)
    assert page.evaluate("window.harmed") is None


def test_the_keyboard_alone_is_enough(mug: JSON, elsewhere: Elsewhere, person: NewPerson) -> None:
    page = person().new_page()
    page.goto(elsewhere.write(foreign.product(mug["id"])))
    share = page.get_by_role("button", name="Share Mug")
    expect(share).to_be_visible()

    reached = []
    for _ in range(5):  # the picture is the same link as the title: one stop
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.shadowRoot.activeElement.className"))
    assert ["", "quantity", "buy", "share", "like"] == reached
    with page.expect_response("**/v1/likes"):
        page.keyboard.press("Enter")
    expect(heart(page)).to_have_attribute("aria-pressed", "true")

    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Share Mug")
    expect(dialog).to_be_visible()
    expect(dialog.locator(":focus")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(share).to_be_focused()
