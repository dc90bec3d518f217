"""`/cards/{id}.png`: what previews of links show, under one address for as long as it looks the same."""

import asyncio
import io
import re
import shutil
import struct
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from html import unescape
from pathlib import Path
from socket import socket

import httpx
import numpy as np
import pytest
from PIL import Image
from sqlalchemy.orm import Session
from starlette.types import ASGIApp, Receive, Scope, Send

from app import main, resources
from app.kernel.database import Database
from app.merchants.directory import Directory
from app.storefront.front import Storefront
from app.storefront.pictures import answers as pictures
from app.storefront.pictures import apart
from app.storefront.pictures.drawing.facts import CardFacts
from app.storefront.views import ProductView, Viewer
from tests.clock import TestClock
from tests.conftest import AppServer, NewDatabase, merchant_at, settings_for
from tests.foreign_web import ForeignWeb, foreign_web, forever, page, redirect
from tests.net import free_port, serving
from tests.shop import TestMerchant
from tests.threads import together

IMMUTABLE = "public, max-age=31536000, immutable"
NOT_FOR_LONG = "public, max-age=60"


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """A server that may fetch pictures from 127.0.0.1, where the merchant of these tests keeps them. What is drawn
    does not depend on the database."""
    port, clock = free_port(), TestClock()
    url = f"http://127.0.0.1:{port}"
    folder = tmp_path_factory.mktemp("cards")
    database_url = NewDatabase("sqlite", folder, request)("cards")
    settings = settings_for(database_url, folder, public_url=url, outgoing_allow=("127.0.0.1",))
    database = Database(settings.database)
    with serving(main.application(settings, clock), port):
        yield AppServer(url, settings, clock, database)
    database.close()


@pytest.fixture(scope="module")
def shop(server: AppServer) -> Iterator[TestMerchant]:
    """The merchant of these tests."""
    merchant = merchant_at(server.url, server.clock, name="Vine & Thread")
    yield merchant
    merchant.close()


@pytest.fixture(scope="module")
def web() -> Iterator[ForeignWeb]:
    """Where the merchant's pictures are."""
    with foreign_web() as served:
        yield served


@pytest.fixture
def red(web: ForeignWeb) -> str:
    """The address of a red picture, of this test's own."""
    path = f"/red-{len(web.paths)}.png"
    web.paths[path] = page(picture("#c81e1e"), "image/png")
    return web.url + path


def picture(color: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (600, 600), color).save(out, "PNG")
    return out.getvalue()


def image_of(shop: TestMerchant, path: str, **headers: str) -> str:
    """The address that the page at `path` names as its picture, less the server."""
    said = shop.public.get(path, headers={"User-Agent": "Mozilla/5.0", **headers}).text
    found = re.search(r'property="og:image" content="([^"]+)"', said)
    assert found is not None
    return unescape(found[1]).removeprefix(shop.base)


def card(answer: httpx.Response) -> Image.Image:
    """The picture of an answer."""
    assert (200, "image/png") == (answer.status_code, answer.headers["content-type"])
    assert len(answer.content) < 300_000
    with Image.open(io.BytesIO(answer.content)) as image:
        assert (1200, 630) == image.size
        return image.convert("RGB")


def test_a_page_names_a_picture_that_is_good_for_ever(shop: TestMerchant, red: str) -> None:
    mug = shop.product("Mug", images=[red])["id"]
    address = image_of(shop, f"/p/{mug}")
    assert re.fullmatch(rf"/cards/{mug}\.png\?v=[0-9a-f]{{32}}&lang=en", address)
    answer = shop.public.get(address)
    assert IMMUTABLE == answer.headers["cache-control"]
    assert "*" == answer.headers["access-control-allow-origin"]
    assert "cross-origin" == answer.headers["cross-origin-resource-policy"]
    assert "nosniff" == answer.headers["x-content-type-options"]
    assert (200, 30, 30) == card(answer).getpixel((300, 300))


def test_each_database_has_what_is_drawn(merchant: TestMerchant) -> None:
    wall = merchant.wall(merchant.product("Mug")["id"], title="Best of", theme={"accent": "#aa0000"})["id"]
    answer = merchant.public.get(image_of(merchant, f"/w/{wall}"))
    assert IMMUTABLE == answer.headers["cache-control"]
    assert (170, 0, 0) == card(answer).getpixel((10, 10))


def test_a_change_that_is_seen_changes_the_address(
    shop: TestMerchant, red: str, until_seen: Callable[[], None]
) -> None:
    mug = shop.product("Mug", images=[red])["id"]
    first = image_of(shop, f"/p/{mug}")
    shop.shopper().like(mug)
    until_seen()
    assert first == image_of(shop, f"/p/{mug}")
    shop.http.patch(f"/v1/products/{mug}", json={"title": "Cup"}).raise_for_status()
    until_seen()
    assert first != image_of(shop, f"/p/{mug}")
    assert first != image_of(shop, f"/p/{mug}", **{"Accept-Language": "fr"})


@pytest.mark.parametrize("query", ["", "?v=", "?v=0", "?v=" + "0" * 32, "?lang=xx", "?lang=fr", "?wall=wall_x&lang="])
def test_under_any_other_address_it_is_the_present_one_and_not_kept_long(
    shop: TestMerchant, red: str, query: str
) -> None:
    mug = shop.product("Mug", images=[red])["id"]
    answer = shop.public.get(f"/cards/{mug}.png{query}")
    assert NOT_FOR_LONG == answer.headers["cache-control"]
    assert (200, 30, 30) == card(answer).getpixel((300, 300))


def test_who_has_it_already_is_told_so(shop: TestMerchant, red: str) -> None:
    address = image_of(shop, f"/p/{shop.product('Mug', images=[red])['id']}")
    first = shop.public.get(address)
    again = shop.public.get(address, headers={"If-None-Match": f'"x", {first.headers["etag"]}'})
    assert (304, b"", IMMUTABLE) == (again.status_code, again.content, again.headers["cache-control"])
    assert first.headers["etag"] == again.headers["etag"]
    assert 200 == shop.public.get(address, headers={"If-None-Match": '"x"'}).status_code


def test_head_says_how_large_it_is(shop: TestMerchant, red: str) -> None:
    address = image_of(shop, f"/p/{shop.product('Mug', images=[red])['id']}")
    head, whole = shop.public.head(address), shop.public.get(address)
    assert b"" == head.content
    assert str(len(whole.content)) == head.headers["content-length"]
    assert head.headers["etag"] == whole.headers["etag"]


def test_a_wall_shows_its_first_four_pictures(shop: TestMerchant, web: ForeignWeb) -> None:
    tones = ["#c81e1e", "#1ec81e", "#1e1ec8", "#c8c81e", "#c81ec8"]
    products = [shop.product("Without")["id"]]
    for number, tone in enumerate(tones):
        web.paths[f"/tone-{number}.png"] = page(picture(tone), "image/png")
        products.append(shop.product("With", images=[f"{web.url}/tone-{number}.png"])["id"])
    wall = shop.wall(*products, title="Colours")["id"]
    shown = card(shop.public.get(image_of(shop, f"/w/{wall}")))
    corners = [shown.getpixel(point) for point in ((9, 9), (680, 9), (9, 620), (680, 620))]
    assert [(200, 30, 30), (30, 200, 30), (30, 30, 200), (200, 200, 30)] == corners


def test_a_product_met_on_a_wall_has_its_colours(shop: TestMerchant, red: str) -> None:
    mug = shop.product("Mug", images=[red])["id"]
    plain, themed = (shop.wall(mug, theme=theme)["id"] for theme in ({}, {"accent": "#0B6BCB", "scheme": "dark"}))
    assert image_of(shop, f"/p/{mug}") == image_of(shop, f"/p/{mug}?wall={plain}")
    address = image_of(shop, f"/p/{mug}?wall={themed}")
    assert address.endswith(f"&wall={themed}")
    answer = shop.public.get(address)
    assert IMMUTABLE == answer.headers["cache-control"]
    ground = card(answer).getpixel((1190, 10))
    assert isinstance(ground, tuple)
    assert max(ground) < 60


@pytest.mark.parametrize(
    "path",
    [
        "prod_x.png",
        "wall_x.png",
        "mer_x.png",
        ".png",
        "x.png",
        "%00.png",
        "prod_01m81k70g80000000120j908eh.png",
        "prod_0000000000zzzzzzzzzzzzzzzzzzzz.png",
        "wall_0000000000000000000000000000zz.png",
    ],
)
def test_there_is_no_picture_of_nothing(shop: TestMerchant, path: str) -> None:
    answer = shop.public.get(f"/cards/{path}")
    assert (404, "not_found", "no-store") == (
        answer.status_code, answer.json()["code"], answer.headers["cache-control"]
    )  # fmt: skip


@pytest.mark.parametrize("path", ["/cards/", "/cards", "/cards/a/b.png", "/cards/prod_x.svg"])
def test_other_paths_below_are_nothing(shop: TestMerchant, path: str) -> None:
    assert 404 == shop.public.get(path).status_code


def test_what_is_withdrawn_has_no_picture(shop: TestMerchant, red: str, until_seen: Callable[[], None]) -> None:
    mug = shop.product("Mug", images=[red])["id"]
    assert 200 == shop.public.get(f"/cards/{mug}.png").status_code
    shop.http.delete(f"/v1/products/{mug}").raise_for_status()
    until_seen()
    assert 404 == shop.public.get(f"/cards/{mug}.png").status_code


@pytest.mark.parametrize(
    "image",
    [
        "{web}/gone.png",
        "{web}/broken.png",
        "{web}/page.png",
        "{web}/metadata.png",
        "{web}/large.png",
        "{web}/vector.svg",
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.2:{port}/inside.png",
        "http://localhost:{port}/inside.png",
        "http://[::1]/x.png",
    ],
)
def test_a_picture_that_cannot_be_had_is_done_without_for_a_minute(
    shop: TestMerchant, web: ForeignWeb, image: str
) -> None:
    web.paths["/broken.png"] = page(picture("#c81e1e")[:200], "image/png")
    web.paths["/page.png"] = page(b"<p>no picture", "text/html")
    web.paths["/metadata.png"] = redirect("http://169.254.169.254/latest/meta-data/")
    web.paths["/large.png"] = forever(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n", b"x" * 65536)
    web.paths["/vector.svg"] = page(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml")
    with foreign_web("127.0.0.2") as inside:
        address = image.format(web=web.url, port=inside.port)
        mug = shop.product("Mug", images=[address], price=None)["id"]
        answer = shop.public.get(image_of(shop, f"/p/{mug}"))
        assert NOT_FOR_LONG == answer.headers["cache-control"]
        assert (91, 42, 134) == card(answer).getpixel((10, 10))
        assert [] == inside.asked


def test_a_slow_picture_is_not_waited_for(shop: TestMerchant, web: ForeignWeb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "PATIENCE", 0.5)
    web.paths["/drip.png"] = forever(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n", b"x", every=0.05)
    mug = shop.product("Mug", images=[f"{web.url}/drip.png"])["id"]
    began = time.monotonic()
    answer = shop.public.get(f"/cards/{mug}.png")
    assert time.monotonic() - began < 3
    card(answer)
    assert NOT_FOR_LONG == answer.headers["cache-control"]


def test_what_was_missing_is_fetched_again_after_a_minute(
    shop: TestMerchant, web: ForeignWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "UNFINISHED_LIVES", 0.3)
    web.paths.pop("/late.png", None)
    mug = shop.product("Mug", images=[f"{web.url}/late.png"])["id"]
    address = image_of(shop, f"/p/{mug}")
    assert NOT_FOR_LONG == shop.public.get(address).headers["cache-control"]
    web.paths["/late.png"] = page(picture("#c81e1e"), "image/png")
    time.sleep(0.35)
    answer = shop.public.get(address)
    assert IMMUTABLE == answer.headers["cache-control"]
    assert (200, 30, 30) == card(answer).getpixel((300, 300))


def test_who_asks_together_gets_one_drawing(shop: TestMerchant, web: ForeignWeb) -> None:
    asked = threading.Semaphore(0)

    def behave(line: socket) -> None:
        asked.release()
        time.sleep(0.2)
        page(picture("#c81e1e"), "image/png")(line)

    web.paths["/one.png"] = behave
    address = image_of(shop, f"/p/{shop.product('Mug', images=[f'{web.url}/one.png'])['id']}")
    answers = together(*[lambda: httpx.get(shop.base + address, verify=False, timeout=20).content] * 8)
    assert 1 == len(set(answers))
    assert asked.acquire(blocking=False)
    assert not asked.acquire(blocking=False)


def test_a_drawing_is_found_again_by_another_process(
    shop: TestMerchant, server: AppServer, web: ForeignWeb, red: str
) -> None:
    address = image_of(shop, f"/p/{shop.product('Kept mug', images=[red])['id']}")
    first = shop.public.get(address).content
    asked = len(web.asked)
    other, port = TestClock(), free_port()
    settings = server.settings.model_copy(update={"outgoing_allow": ()})
    with serving(main.application(settings, other), port):
        again = httpx.get(f"http://127.0.0.1:{port}{address}", verify=False, timeout=20)
    assert (first, IMMUTABLE) == (again.content, again.headers["cache-control"])
    assert asked == len(web.asked)


def test_a_folder_that_is_in_the_way_does_not_matter(shop: TestMerchant, server: AppServer, red: str) -> None:
    folder = Path(server.settings.data_dir) / "cache" / "cards"
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(exist_ok=True)
    folder.write_bytes(b"a file")
    try:
        card(shop.public.get(image_of(shop, f"/p/{shop.product('Unkept mug', images=[red])['id']}")))
    finally:
        folder.unlink()


def test_too_many_at_once_are_asked_to_come_again(
    shop: TestMerchant, web: ForeignWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "_MOST_WAITING", 1)
    held, begun = threading.Event(), threading.Event()

    def behave(line: socket) -> None:
        begun.set()
        held.wait(10)
        page(picture("#c81e1e"), "image/png")(line)

    web.paths["/held.png"] = behave
    slow, other = shop.product("Slow", images=[f"{web.url}/held.png"])["id"], shop.product("Other")["id"]

    def first() -> int:
        return httpx.get(f"{shop.base}/cards/{slow}.png", verify=False, timeout=20).status_code

    def second() -> int:
        begun.wait(10)
        answer = httpx.get(f"{shop.base}/cards/{other}.png", verify=False, timeout=20)
        held.set()
        assert "2" == answer.headers["retry-after"]
        return answer.status_code

    assert [200, 503] == list(together(first, second))
    assert 200 == shop.public.get(f"/cards/{other}.png").status_code


def test_pages_do_not_wait_for_pictures(shop: TestMerchant, web: ForeignWeb) -> None:
    """Eight slow pictures, and a page in the meantime."""
    held = threading.Event()

    def behave(line: socket) -> None:
        held.wait(10)
        page(picture("#c81e1e"), "image/png")(line)

    web.paths["/stuck.png"] = behave
    slow = [shop.product(f"Slow {number}", images=[f"{web.url}/stuck.png"])["id"] for number in range(8)]
    mug = shop.product("Quick mug")["id"]

    def ask(product: str) -> int:
        return httpx.get(f"{shop.base}/cards/{product}.png", verify=False, timeout=20).status_code

    def look() -> int:
        time.sleep(0.2)
        began = time.monotonic()
        status = httpx.get(f"{shop.base}/p/{mug}", verify=False, timeout=20).status_code
        assert time.monotonic() - began < 1.5
        held.set()
        return status

    assert {200} == set(together(look, *[lambda product=each: ask(product) for each in slow]))


def test_a_merchant_whose_server_is_slow_waits_for_it_alone(
    shop: TestMerchant, server: AppServer, web: ForeignWeb, red: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fourteen of its cards at once, where there are places for twenty: it gets ten. Meanwhile another's are drawn."""
    monkeypatch.setattr(pictures, "_MOST_WAITING", 20)
    held = threading.Event()

    def behave(line: socket) -> None:
        held.wait(10)
        page(picture("#c81e1e"), "image/png")(line)

    web.paths["/slow.png"] = behave
    slow = [shop.product(f"Slower {number}", images=[f"{web.url}/slow.png"])["id"] for number in range(14)]
    with closing(merchant_at(server.url, server.clock, name="Quick")) as other:
        mug = other.product("Quick mug", images=[red])["id"]
        wall = other.wall(mug, title="Quick wall")["id"]

        def ask(product: str) -> int:
            return httpx.get(f"{shop.base}/cards/{product}.png", verify=False, timeout=20).status_code

        def look() -> int:
            time.sleep(0.5)
            for each in (mug, wall):
                began = time.monotonic()
                answer = httpx.get(f"{shop.base}/cards/{each}.png", verify=False, timeout=20)
                assert time.monotonic() - began < 2
                assert (200, 30, 30) == card(answer).getpixel((300, 300))
            held.set()
            return 0

        said = together(look, *[lambda product=each: ask(product) for each in slow])
    assert {0: 1, 200: 10, 503: 4} == Counter(said)


def test_at_the_end_all_who_wait_are_let_go(server: AppServer, web: ForeignWeb) -> None:
    """Those whose picture is being fetched, and those whose turn has not come."""
    held = threading.Event()

    def behave(line: socket) -> None:
        held.wait(10)
        page(picture("#c81e1e"), "image/png")(line)

    web.paths["/at-the-end.png"] = behave
    here = main.assemble(server.settings, server.clock)
    front = Storefront(here, resources.WIDGETS)
    cards = [CardFacts(f"Last {number}", "Shop", (f"{web.url}/at-the-end.png",)) for number in range(4)]

    async def end() -> list[object]:
        tasks = [asyncio.create_task(front.pictures._drawn(each, 1)) for each in cards]
        await asyncio.sleep(0.2)
        front.close()
        held.set()
        return [type(each) for each in await asyncio.gather(*tasks, return_exceptions=True)]

    assert [asyncio.CancelledError] * 4 == asyncio.run(end())
    here.database.close()


def test_a_picture_that_costs_too_much_is_done_without_for_an_hour(
    shop: TestMerchant, web: ForeignWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "SECONDS_OF_ONE", 0.2)
    monkeypatch.setattr(pictures, "UNFINISHED_LIVES", 0.0)
    chunk, small = struct.pack(">I4sI", 0, b"aaAa", zlib.crc32(b"aaAa")), picture("#c81e1e")
    web.paths["/dear.png"] = page(small[:33] + chunk * 600_000 + small[33:], "image/png")
    mug = shop.product("Dear mug", images=[f"{web.url}/dear.png"], price=None)["id"]
    asked = len(web.asked)
    for _ in range(2):
        answer = shop.public.get(f"/cards/{mug}.png")
        assert (91, 42, 134) == card(answer).getpixel((10, 10))
        assert NOT_FOR_LONG == answer.headers["cache-control"]
    assert asked + 1 == len(web.asked)


def test_what_anybody_writes_for_a_wall_is_not_looked_up_and_not_kept(
    shop: TestMerchant, server: AppServer, red: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mug, looked_up = shop.product("Mug", images=[red])["id"], list[str | None]()
    with closing(merchant_at(server.url, server.clock, name="Other")) as other:
        theirs, gone = other.wall(title="Theirs")["id"], shop.wall(mug, title="Gone")["id"]
    themed = shop.wall(mug, theme={"accent": "#0B6BCB"})["id"]
    shop.http.delete(f"/v1/walls/{gone}").raise_for_status()
    found = Viewer.product

    def look(viewer: Viewer, session: Session, product_id: str, wall_id: str | None = None) -> ProductView:
        looked_up.append(wall_id)
        return found(viewer, session, product_id, wall_id)

    monkeypatch.setattr(Viewer, "product", look)
    odd = ["", "x" * 7_900, "%00", mug, theirs, gone, f"wall_{mug[5:]}", themed.upper(), f"{themed}%20"]
    queries = ["", *(f"?wall={text}" for text in odd), *(f"?lang={text}" for text in ("", "e" * 7_900, "en-GB", "xx"))]
    cards = {shop.public.get(f"/cards/{mug}.png{query}").content for query in queries}
    assert 1 == len(cards)
    assert {None} == set(looked_up)
    assert len(looked_up) < 4  # a second may have passed
    assert shop.public.get(f"/cards/{mug}.png?wall={themed}").content not in cards
    assert themed == looked_up[-1]


def test_noise_stays_below_300_kb_over_http(shop: TestMerchant, web: ForeignWeb) -> None:
    out = io.BytesIO()
    noise = np.random.default_rng(7).integers(0, 256, (900, 900, 3), dtype=np.uint8)
    Image.fromarray(noise).save(out, "PNG")
    web.paths["/noise.png"] = page(out.getvalue(), "image/png")
    card(shop.public.get(f"/cards/{shop.product('Noise', images=[f'{web.url}/noise.png'])['id']}.png"))


def test_prices_and_words_are_of_the_language(shop: TestMerchant, red: str) -> None:
    mug = shop.product("Mug", images=[red])["id"]
    english, french = (shop.public.get(f"/cards/{mug}.png?lang={language}").content for language in ("en", "fr"))
    assert english != french


def test_both_lanes_give_the_same(shop: TestMerchant, server: AppServer, red: str) -> None:
    """The application alone, without the fast lane before it."""
    address = image_of(shop, f"/p/{shop.product('Mug', images=[red])['id']}")
    wanted = shop.public.get(address)
    here = main.assemble(server.settings, server.clock)
    front = Storefront(here, resources.WIDGETS)
    alone = main.api(here, Directory(here.database), front)
    port = free_port()
    with serving(_without_lifespan(alone), port):
        answer = httpx.get(f"http://127.0.0.1:{port}{address}", verify=False, timeout=20)
        missing = httpx.get(f"http://127.0.0.1:{port}/cards/prod_x.png", verify=False, timeout=20)
    front.close()
    here.database.close()
    assert wanted.content == answer.content
    for name in ("etag", "cache-control", "content-type", "access-control-allow-origin"):
        assert wanted.headers[name] == answer.headers[name]
    assert (404, "not_found") == (missing.status_code, missing.json()["code"])


def _without_lifespan(app: ASGIApp) -> ASGIApp:
    async def only_requests(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await app(scope, receive, send)
        else:
            for _ in range(2):
                kind = (await receive())["type"]
                await send({"type": f"{kind}.complete"})

    return only_requests
