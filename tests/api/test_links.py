"""`/r/{code}` over HTTP: who makes a visit, what everybody sees, where a link lands."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest
from sqlalchemy import select, text

from app import main
from app.kernel.database import Database
from app.kernel.ids import merchant_of
from app.referrals.models import Visit
from tests.clock import A_SECOND, TestClock
from tests.conftest import ADMIN_TOKEN, AppServer, NewDatabase, merchant_at, settings_for
from tests.net import free_port, serving
from tests.shop import BROWSER, TestMerchant, ok

IN_APP = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Instagram 350.0.0"
SLACK = "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"
CLICK = re.compile(r"clk_[0-9a-z]{30}")


def visits(database: Database, referral: str) -> list[Visit]:
    with database.reading() as session:
        mine = select(Visit).where(Visit.merchant_id == merchant_of(referral), Visit.referral_id == referral)
        return list(session.scalars(mine.order_by(Visit.visit_id)))


def test_a_person_makes_a_visit_and_the_page_carries_its_click(
    merchant: TestMerchant, http: httpx.Client, app_server: AppServer
) -> None:
    mug = merchant.product("Mug")
    share = merchant.shopper().share(mug["id"], caption="So <nice>", name="Ana")
    page = http.get(f"/r/{share['code']}")
    assert page.status_code == 200
    clicks = set(CLICK.findall(page.text))
    assert clicks == {visit.visit_id for visit in visits(app_server.database, share["id"])}
    (click,) = clicks
    assert f'name="click" value="{click}"' in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "strict-origin-when-cross-origin"
    assert "Ana passed this on to you" in page.text
    assert "So &lt;nice&gt;" in page.text


def test_each_visit_has_a_click_of_its_own(merchant: TestMerchant, http: httpx.Client, app_server: AppServer) -> None:
    share = merchant.shopper().share(merchant.product()["id"])
    clicks = [CLICK.findall(http.get(f"/r/{share['code']}").text)[0] for _ in range(5)]
    assert len(set(clicks)) == 5
    assert sorted(clicks) == [visit.visit_id for visit in visits(app_server.database, share["id"])]


def test_a_visit_knows_what_it_was_through_and_where_from(
    merchant: TestMerchant, http: httpx.Client, app_server: AppServer
) -> None:
    mug = merchant.product()
    wall = merchant.wall(mug["id"])
    share = merchant.shopper().share(mug["id"], wall=wall["id"], network="whatsapp")
    like = merchant.shopper().like(mug["id"])
    http.get(f"/r/{share['code']}", headers={"User-Agent": IN_APP})
    http.get(f"/r/{share['code']}", headers={"Referer": "https://t.co/abc"})
    http.get(f"/r/{share['code']}?fbclid=abc")
    http.get(f"/r/{share['code']}")
    http.get(f"/r/{like['code']}")
    through_share, through_like = (visits(app_server.database, each["id"]) for each in (share, like))
    assert [visit.seen_from for visit in through_share].count(None) == 2  # a bare fbclid adds nothing to WhatsApp
    assert {visit.seen_from for visit in through_share} == {None, "instagram", "x"}
    assert {(visit.type, visit.product_id, visit.wall_id) for visit in through_share} == {
        ("click", mug["id"], wall["id"])
    }
    assert [visit.type for visit in through_like] == ["like"]


def test_machines_get_the_card_and_are_not_counted(
    merchant: TestMerchant, http: httpx.Client, app_server: AppServer
) -> None:
    mug = merchant.product("Mug", images=["https://x.example/mug.jpg"], url="https://shop.example/mug")
    share = merchant.shopper().share(mug["id"], caption="Look!")
    own = f"{app_server.url}/r/{share['code']}"
    ok(merchant.http.patch("/v1/merchant", json={"landing": "merchant"}))
    for agent in ("Twitterbot/1.0", "facebookexternalhit/1.1", SLACK, "Googlebot/2.1", "curl/8.0", ""):
        card = http.get(f"/r/{share['code']}", headers={"User-Agent": agent, "Range": "bytes=0-32767"})
        assert card.status_code == 200, agent
        assert f'<link rel="canonical" href="{own}">' in card.text
        assert f'<meta property="og:url" content="{own}">' in card.text
        assert f'<meta property="og:image" content="{app_server.url}/cards/{mug["id"]}.png?' in card.text
        assert '<meta property="og:description" content="Look!">' in card.text
        assert "clk_" not in card.text
        assert "private" in card.headers["cache-control"]
    assert visits(app_server.database, share["id"]) == []


def test_looking_ahead_is_no_visit(merchant: TestMerchant, http: httpx.Client, app_server: AppServer) -> None:
    share = merchant.shopper().share(merchant.product()["id"])
    link = f"/r/{share['code']}"
    assert http.head(link).status_code == 200
    partial = http.get(link, headers={"Range": "bytes=0-100"})
    assert (partial.status_code, "clk_" in partial.text) == (200, False)
    for purpose in ("prefetch", "prefetch;prerender"):
        ahead = http.get(link, headers={"Sec-Purpose": purpose})
        assert (ahead.status_code, ahead.headers["cache-control"], ahead.content) == (503, "no-store", b"")
    assert visits(app_server.database, share["id"]) == []


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("https://shop.example/mug", "https://shop.example/mug?gv_click=CLICK"),
        ("https://shop.example/mug?size=m&a=%20#photos", "https://shop.example/mug?size=m&a=%20&gv_click=CLICK#photos"),
        ("https://shop.example/mug?gv_click=clk_old&b=2", "https://shop.example/mug?b=2&gv_click=CLICK"),
        ("https://bücher.example/é", "https://xn--bcher-kva.example/%C3%A9?gv_click=CLICK"),
    ],
)
def test_a_link_can_land_on_the_merchants_own_page(
    merchant: TestMerchant, http: httpx.Client, app_server: AppServer, address: str, target: str
) -> None:
    ok(merchant.http.patch("/v1/merchant", json={"landing": "merchant"}))
    share = merchant.shopper().share(merchant.product(url=address)["id"])
    led = http.get(f"/r/{share['code']}")
    (visit,) = visits(app_server.database, share["id"])
    assert (led.status_code, led.headers["location"]) == (302, target.replace("CLICK", visit.visit_id))
    assert led.headers["cache-control"] == "no-store"
    assert led.headers["referrer-policy"] == "strict-origin-when-cross-origin"


def test_the_walls_choice_of_landing_comes_before_the_merchants(merchant: TestMerchant, http: httpx.Client) -> None:
    mug = merchant.product(url="https://shop.example/mug")
    away, here = (merchant.wall(mug["id"], landing=landing) for landing in ("merchant", "page"))
    shopper = merchant.shopper()
    assert http.get(f"/r/{shopper.share(mug['id'], wall=away['id'])['code']}").status_code == 302
    ok(merchant.http.patch("/v1/merchant", json={"landing": "merchant"}))
    assert http.get(f"/r/{shopper.share(mug['id'], wall=here['id'])['code']}").status_code == 200


def test_without_an_address_of_its_own_a_product_is_shown_here(merchant: TestMerchant, http: httpx.Client) -> None:
    ok(merchant.http.patch("/v1/merchant", json={"landing": "merchant"}))
    assert http.get(f"/r/{merchant.shopper().share(merchant.product()['id'])['code']}").status_code == 200


def test_a_share_of_a_wall_shows_the_wall(merchant: TestMerchant, http: httpx.Client, app_server: AppServer) -> None:
    mug = merchant.product("Mug")
    wall = merchant.wall(mug["id"], title="Best of")
    share = merchant.shopper().share(wall=wall["id"])
    page = http.get(f"/r/{share['code']}")
    (visit,) = visits(app_server.database, share["id"])
    assert "Best of</h1>" in page.text
    assert f'<link rel="canonical" href="{app_server.url}/r/{share["code"]}">' in page.text
    assert f"gv_click={visit.visit_id}" in page.text  # a card's link hands the visit on


@pytest.mark.parametrize("code", ["123456789", "short", "0OIl0OIl0", "%00", "a" * 300, "é"])
def test_an_unknown_link_is_a_friendly_page(http: httpx.Client, code: str) -> None:
    page = http.get(f"/r/{code}")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "We cannot find this page" in page.text
    french = http.get(f"/r/{code}", headers={"Accept-Language": "fr"})
    assert '<html lang="fr"' in french.text


def test_what_was_taken_back_is_gone_within_a_second(
    merchant: TestMerchant, http: httpx.Client, app_server: AppServer
) -> None:
    mug, hat = merchant.product(), merchant.product()
    fan = merchant.shopper()
    like, share = fan.like(mug["id"]), fan.share(hat["id"])
    wall_share = fan.share(wall=(wall := merchant.wall(mug["id"]))["id"])
    met_there = fan.share(mug["id"], wall=wall["id"])
    links = [each["code"] for each in (like, share, wall_share)]
    for code in links:
        assert http.get(f"/r/{code}").status_code == 200
    ok(fan.http.delete(f"/v1/likes/{like['id']}", headers=fan.headers))
    ok(merchant.http.delete(f"/v1/products/{hat['id']}"))
    ok(merchant.http.delete(f"/v1/walls/{wall['id']}"))
    time.sleep(A_SECOND)
    for code in links:
        gone = http.get(f"/r/{code}")
        assert (gone.status_code, "This is no longer here" in gone.text) == (410, True)
        assert http.get(f"/r/{code}.svg").status_code == 410
    assert http.get(f"/r/{met_there['code']}").status_code == 200  # the product is still there
    assert all(len(visits(app_server.database, each["id"])) == 1 for each in (like, share, wall_share))


def test_links_that_are_followed_all_the_time_lead_where_they_should_within_a_second(
    merchant: TestMerchant, http: httpx.Client
) -> None:
    """Those that are in use are looked up anew together, which must not mix them up."""
    ok(merchant.http.patch("/v1/merchant", json={"landing": "merchant"}))
    mugs = [merchant.product(url=f"https://shop.example/{number}") for number in range(3)]
    shopper = merchant.shopper()
    codes = [shopper.share(mug["id"])["code"] for mug in mugs]
    for code in codes:
        http.get(f"/r/{code}")
    ok(merchant.http.delete(f"/v1/products/{mugs[1]['id']}"))
    ok(merchant.http.patch(f"/v1/products/{mugs[2]['id']}", json={"url": "https://shop.example/moved"}))
    changed, seen = time.monotonic(), []
    while time.monotonic() < changed + A_SECOND:
        seen = [http.get(f"/r/{code}") for code in codes]
    assert [302, 410, 302] == [answer.status_code for answer in seen]
    first, _, moved = (answer.headers.get("location", "") for answer in seen)
    assert first.startswith("https://shop.example/0?")
    assert moved.startswith("https://shop.example/moved?")


def test_the_links_of_a_merchant_who_left_are_gone(merchant: TestMerchant, http: httpx.Client) -> None:
    share = merchant.shopper().share(merchant.product()["id"])
    operator = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    assert http.delete(f"/v1/merchants/{merchant.id}", headers=operator).status_code == 204
    assert http.get(f"/r/{share['code']}").status_code == 410


def test_a_sharers_words_are_kept_from_search_engines(merchant: TestMerchant, http: httpx.Client) -> None:
    share = merchant.shopper().share(merchant.product()["id"], caption="For you", name="Ana")
    page = http.get(f"/r/{share['code']}", headers={"User-Agent": "Googlebot/2.1"})
    assert '<meta name="robots" content="noindex">' in page.text


def test_hostile_words_of_a_sharer_stay_words(merchant: TestMerchant, http: httpx.Client) -> None:
    hostile = "</blockquote><script>alert(1)</script>\"' {{ 7*7 }} clk_000000000000000000000000000000"
    share = merchant.shopper().share(merchant.product()["id"], caption=hostile, name="<b>\u202eAna")
    page = http.get(f"/r/{share['code']}")
    assert "<script>alert" not in page.text
    assert "<b>" not in page.text
    assert "clk_000000000000000000000000000000" in page.text


def test_a_link_is_also_a_picture_to_be_photographed(merchant: TestMerchant, http: httpx.Client) -> None:
    share = merchant.shopper().share(merchant.product()["id"], network="qr")
    picture = http.get(f"/r/{share['code']}.svg")
    assert picture.headers["content-type"] == "image/svg+xml"
    assert "public" in picture.headers["cache-control"]
    assert ElementTree.fromstring(picture.content).tag.endswith("svg")
    unknown = http.get("/r/123456789.svg")
    assert (unknown.status_code, unknown.headers["content-type"]) == (404, "application/problem+json")


def test_many_who_follow_at_once_are_each_counted_once(
    merchant: TestMerchant, http: httpx.Client, app_server: AppServer
) -> None:
    share = merchant.shopper().share(merchant.product()["id"])
    with ThreadPoolExecutor(8) as people:
        pages = list(people.map(lambda _: http.get(f"/r/{share['code']}"), range(40)))
    clicks = {CLICK.findall(page.text)[0] for page in pages}
    assert len(clicks) == 40
    assert clicks == {visit.visit_id for visit in visits(app_server.database, share["id"])}


def test_a_visit_that_cannot_be_written_is_not_pretended(new_database: NewDatabase, tmp_path: Path) -> None:
    port = free_port()
    settings = settings_for(new_database(f"behind_{port}"), tmp_path, public_url=f"http://127.0.0.1:{port}", jobs=False)
    own = Database(settings.database)
    with serving(main.application(settings, TestClock()), port), httpx.Client(base_url=settings.public_url) as http:
        seller = merchant_at(settings.public_url, TestClock())
        fan = seller.shopper()
        share = fan.share(seller.product()["id"])
        with own.transaction() as session:
            session.execute(text("ALTER TABLE visits RENAME TO visits_away"))
        refused = http.get(f"/r/{share['code']}", headers={"User-Agent": BROWSER})
        assert refused.status_code >= 500
        assert refused.headers["content-type"].startswith("text/html")
        assert "clk_" not in refused.text
        assert refused.headers["cache-control"] == "no-store"
        fan.http.close()
        seller.http.close()
    own.close()
