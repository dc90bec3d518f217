"""Widget payloads, hosted pages and the widget's files, over HTTP."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from app import main
from app.kernel.database import Database
from app.storefront.wire import EmbedCode, ProductWidget, WallWidget
from tests.clock import A_SECOND, TestClock
from tests.conftest import AppServer, NewDatabase, merchant_at, settings_for
from tests.net import free_port, serving
from tests.shop import JSON, TestMerchant, ok


def widget(http: httpx.Client, wall: JSON, **headers: str) -> JSON:
    return dict(ok(http.get(f"/v1/walls/{wall['id']}/widget", headers=headers), 200))


def variants(*prices: int, sku: str | None = None) -> list[JSON]:
    return [{"title": f"No. {price}", "sku": sku, "price": {"amount": price, "currency": "eur"}} for price in prices]


# Payloads


def test_a_wall_shows_its_cards_in_order_with_everything_a_widget_needs(
    merchant: TestMerchant, http: httpx.Client, app_server: AppServer
) -> None:
    mug = merchant.product("Mug", images=["https://x.example/mug.jpg"], description="Holds tea.")
    hat = merchant.product("Hat", variants=variants(3000, 2500))
    wall = merchant.wall(hat["id"], mug["id"], title="Best of", theme={"accent": "#aa0000"})
    merchant.shopper().like(mug["id"])
    shown = widget(http, wall)
    WallWidget.model_validate(shown)
    assert [card["title"] for card in shown["cards"]] == ["Hat", "Mug"]
    assert shown["wall"] == {
        "id": wall["id"],
        "title": "Best of",
        "layout": "grid",
        "theme": {"scheme": "auto", "accent": "#aa0000"},
        "locale": "en",
        "url": f"{app_server.url}/w/{wall['id']}",
    }
    assert shown["cards"][0]["price"] == {"amount": 2500, "currency": "eur"}
    assert (shown["cards"][1]["likes"], shown["cards"][1]["image"]) == (1, "https://x.example/mug.jpg")
    assert shown["cards"][1]["url"].startswith(f"{app_server.url}/p/{mug['id']}")
    assert {network["id"] for network in shown["networks"]} > {"whatsapp", "copy", "qr"}
    assert shown["words"]["buy"] == "Buy"
    assert shown["merchant"] == merchant.id


def test_a_product_has_a_payload_of_its_own(merchant: TestMerchant, http: httpx.Client) -> None:
    hat = merchant.product("Hat", variants=[{"price": {"amount": 5, "currency": "eur"}, "stock": 0}])
    shown = ok(http.get(f"/v1/products/{hat['id']}/widget"), 200)
    ProductWidget.model_validate(shown)
    assert (shown["product"]["sold_out"], shown["product"]["variants"][0]["available"]) == (True, False)


def test_a_thousand_cards_come_in_one_payload(merchant: TestMerchant, http: httpx.Client) -> None:
    many = "Handle,Title,Variant Price\n" + "".join(f"p{n},Product {n},1.00\n" for n in range(1000))
    started = ok(
        merchant.http.post(
            "/v1/imports", data={"format": "shopify_csv"}, files={"file": ("all.csv", many.encode(), "text/csv")}
        )
    )
    deadline = time.monotonic() + 60
    while ok(merchant.http.get(f"/v1/imports/{started['id']}"))["status"] not in ("finished", "failed"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    wall = ok(merchant.http.post("/v1/walls", json={"title": "All", "products": {"limit": 1000}}), 201)
    assert len(widget(http, wall)["cards"]) == 1000


def test_words_are_in_the_language_of_the_visitor_unless_the_wall_has_one(
    merchant: TestMerchant, http: httpx.Client
) -> None:
    anybodys, french = merchant.wall(), merchant.wall(locale="fr-CH")
    assert widget(http, anybodys, **{"Accept-Language": "de, fr;q=0.8, en;q=0.3"})["words"]["lang"] == "fr"
    assert widget(http, anybodys, **{"Accept-Language": "de"})["words"]["lang"] == "en"
    assert widget(http, french, **{"Accept-Language": "en"})["words"]["lang"] == "fr"
    assert widget(http, french)["wall"]["locale"] == "fr-CH"


def test_what_changes_is_seen_within_a_second(merchant: TestMerchant, http: httpx.Client) -> None:
    mug = merchant.product("Mug", 1999)
    wall = merchant.wall(mug["id"])
    page = f"/p/{mug['id']}"
    assert widget(http, wall)["cards"][0]["price"]["amount"] == 1999
    assert "19.99" in http.get(page).text
    ok(merchant.http.patch(f"/v1/products/{mug['id']}", json={"variants": variants(2500)}))
    ok(merchant.http.patch(f"/v1/walls/{wall['id']}", json={"title": "New"}))
    merchant.shopper().like(mug["id"])
    time.sleep(A_SECOND)
    shown = widget(http, wall)
    assert (shown["wall"]["title"], shown["cards"][0]["price"]["amount"], shown["cards"][0]["likes"]) == (
        "New",
        2500,
        1,
    )
    assert "25.00" in http.get(page).text


def test_what_is_withdrawn_is_gone_within_a_second(merchant: TestMerchant, http: httpx.Client) -> None:
    mug = merchant.product()
    wall = merchant.wall(mug["id"])
    for path in (f"/v1/walls/{wall['id']}/widget", f"/w/{wall['id']}", f"/p/{mug['id']}"):
        assert http.get(path).status_code == 200
    ok(merchant.http.delete(f"/v1/products/{mug['id']}"))
    ok(merchant.http.delete(f"/v1/walls/{wall['id']}"))
    time.sleep(A_SECOND)
    for path in (f"/v1/walls/{wall['id']}/widget", f"/w/{wall['id']}", f"/p/{mug['id']}"):
        assert http.get(path).status_code == 404


@pytest.mark.parametrize("wrong", ["wall_x", "prod_01kjpzv28000000001bv176jg4ttk4", "..", "%00", "wall_" + "z" * 5000])
def test_no_such_wall_is_a_problem_for_calls_and_a_friendly_page_for_people(http: httpx.Client, wrong: str) -> None:
    problem = http.get(f"/v1/walls/{wrong}/widget")
    assert (problem.status_code, problem.headers["content-type"]) == (404, "application/problem+json")
    if wrong != "..":  # which a client takes for the address above
        page = http.get(f"/w/{wrong}")
        assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert "cannot find this page" in page.text


def test_only_pages_on_the_merchants_list_may_read_a_payload(
    new_merchant: Callable[..., TestMerchant], http: httpx.Client, app_server: AppServer
) -> None:
    wall = new_merchant(allowed_origins=["https://blog.example"]).wall()
    path = f"/v1/walls/{wall['id']}/widget"
    for origin in ("https://blog.example", app_server.url, "null"):
        assert http.get(path, headers={"Origin": origin}).headers["access-control-allow-origin"] == origin
    other = http.get(path, headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers
    assert "Origin" in other.headers["vary"]
    assert "access-control-allow-origin" not in http.get(path).headers


def test_a_payload_that_is_known_is_not_sent_again(merchant: TestMerchant, http: httpx.Client) -> None:
    path = f"/v1/walls/{merchant.wall()['id']}/widget"
    packed = http.get(path)
    as_is = http.get(path, headers={"Accept-Encoding": "identity"})
    assert (packed.headers["content-encoding"], as_is.headers.get("content-encoding")) == ("br", None)
    assert packed.json() == as_is.json()
    assert packed.headers["etag"] != as_is.headers["etag"]
    for tag in (packed.headers["etag"], f"W/{packed.headers['etag']}", f'"other", {packed.headers["etag"]}', "*"):
        again = http.get(path, headers={"If-None-Match": tag, "Origin": "null"})
        assert (again.status_code, again.content, again.headers["access-control-allow-origin"]) == (304, b"", "null")
        assert again.headers["etag"] == packed.headers["etag"]
    assert http.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_head_tells_what_get_would(merchant: TestMerchant, http: httpx.Client) -> None:
    product = merchant.product()
    for path in (f"/v1/products/{product['id']}/widget", f"/p/{product['id']}", "/embed.js"):
        asked, told = http.head(path), http.get(path)
        assert asked.content == b""
        assert asked.headers["content-length"] == told.headers["content-length"]
        assert asked.headers["etag"] == told.headers["etag"]


def test_a_wall_is_served_from_memory_while_its_database_is_away(
    new_database: NewDatabase, tmp_path: Path, until_seen: Callable[[], None]
) -> None:
    port = free_port()
    settings = settings_for(new_database(f"away_{port}"), tmp_path, public_url=f"http://127.0.0.1:{port}", jobs=False)
    own = Database(settings.database)
    with serving(main.application(settings, TestClock()), port), httpx.Client(base_url=settings.public_url) as http:
        seller = merchant_at(settings.public_url, TestClock(), allowed_origins=["https://blog.example"])
        wall, forgotten = seller.wall(title="Kept"), seller.wall()
        headers = {"Origin": "https://blog.example"}
        before = http.get(f"/v1/walls/{wall['id']}/widget", headers=headers)
        with own.transaction() as session:
            session.execute(text("ALTER TABLE merchants RENAME TO merchants_away"))
        until_seen()
        for _ in range(3):
            now = http.get(f"/v1/walls/{wall['id']}/widget", headers=headers)
            assert (now.status_code, now.content) == (200, before.content)
            assert now.headers["access-control-allow-origin"] == "https://blog.example"
        unknown = http.get(f"/v1/walls/{forgotten['id']}/widget")
        assert (unknown.status_code, "retry-after" in unknown.headers) == (503, True)
        page = http.get(f"/w/{wall['id']}")
        assert (page.status_code, "One moment, please" in page.text) == (503, True)
        with own.transaction() as session:
            session.execute(text("ALTER TABLE merchants_away RENAME TO merchants"))
        until_seen()
        assert http.get(f"/v1/walls/{forgotten['id']}/widget").status_code == 200
        seller.http.close()
    own.close()


# The widget's files


def test_the_loader_names_immutable_files_that_every_page_may_use(http: httpx.Client) -> None:
    loader = http.get("/embed.js")
    assert loader.headers["content-type"] == "text/javascript; charset=utf-8"
    assert loader.headers["access-control-allow-origin"] == "*"
    assert loader.headers["cache-control"] == "public, max-age=300"
    found = re.fullmatch(r'import "\.(/assets/[0-9a-f]{16}/elements/grapevine\.js)";\n', loader.text)
    assert found is not None
    module = http.get(found[1])
    assert module.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert module.headers["content-encoding"] == "br"
    assert "customElements.define" in module.text
    for name in re.findall(r'import .*"\./([a-z-]+\.js)"', module.text):
        assert http.get(found[1].replace("grapevine.js", name)).status_code == 200
    style = http.get(found[1].replace("elements/grapevine.js", "styles/page.css"))
    assert style.headers["content-type"] == "text/css; charset=utf-8"


def test_a_page_from_before_an_upgrade_still_finds_its_files_and_no_cache_keeps_them(http: httpx.Client) -> None:
    older = http.get("/assets/0123456789abcdef/elements/share.js")
    assert (older.status_code, older.headers["cache-control"]) == (200, "no-store")


@pytest.mark.parametrize(
    "path",
    [
        "/assets/0123456789abcdef/../../pyproject.toml",
        "/assets/0123456789abcdef/%2e%2e/%2e%2e/pyproject.toml",
        "/assets/0123456789abcdef/elements/..%2f..%2fREADME.md",
        "/assets/0123456789abcdef//etc/passwd",
        "/assets/0123456789abcdef/elements/",
        "/assets/nothash/elements/grapevine.js",
        "/assets/0123456789abcdef/pages/base.html",
        "/assets/",
    ],
)
def test_no_other_file_is_ever_served(app_server: AppServer, path: str) -> None:
    with httpx.Client(base_url=app_server.url) as http:
        request = http.build_request("GET", "/")
        request.url = request.url.copy_with(raw_path=path.encode())
        assert http.send(request).status_code == 404


def test_the_embed_code_is_a_merchants_to_read(
    merchant: TestMerchant, http: httpx.Client, app_server: AppServer
) -> None:
    wall = merchant.wall(merchant.product()["id"], title='Best "of" <all>')
    code = ok(merchant.http.get(f"/v1/walls/{wall['id']}/embed-code"), 200)
    EmbedCode.model_validate(code)
    assert f'<script type="module" src="{app_server.url}/embed.js"></script>' in code["element"]
    assert f'<grapevine-wall wall="{wall["id"]}" cards="1">' in code["element"]
    assert "Best &quot;of&quot; &lt;all&gt;</a>" in code["element"]
    assert code["link"] == f"{app_server.url}/w/{wall['id']}"
    assert http.get(f"/v1/walls/{wall['id']}/embed-code").status_code == 401


def test_both_lanes_stand_in_the_openapi_page(http: httpx.Client) -> None:
    paths = http.get("/openapi.json").json()["paths"]
    hot = {"/v1/walls/{wall_id}/widget", "/r/{code}", "/r/{code}.svg", "/w/{wall_id}", "/p/{product_id}", "/embed.js"}
    assert hot < set(paths)


def test_methods_that_only_look_like_it_go_to_the_other_lane(merchant: TestMerchant, http: httpx.Client) -> None:
    refused = http.post(f"/v1/walls/{merchant.wall()['id']}/widget")
    assert (refused.status_code, refused.json()["code"]) == (405, "method_not_allowed")
