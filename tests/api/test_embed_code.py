"""What a merchant pastes, and the page on which they choose it."""

import hashlib
import re
from base64 import b64encode
from html import unescape

import httpx
import pytest

from app.storefront.wire import EmbedCode
from tests.conftest import AppServer
from tests.shop import JSON, TestMerchant, ok

FRENCH = {"Accept-Language": "fr-CA"}


@pytest.fixture
def wall(merchant: TestMerchant) -> JSON:
    """A wall with an awkward name."""
    return merchant.wall(merchant.product()["id"], merchant.product()["id"], title='Best "of" <all>')


def code(merchant: TestMerchant, wall: JSON, **query: str) -> JSON:
    given: JSON = ok(merchant.http.get(f"/v1/walls/{wall['id']}/embed-code", params=query))
    EmbedCode.model_validate(given)
    return given


def test_the_pinned_code_names_an_immutable_file_and_its_hash(
    merchant: TestMerchant, http: httpx.Client, wall: JSON
) -> None:
    pinned = code(merchant, wall)["element_pinned"]
    found = re.search(r'src="([^"]+)" integrity="sha384-([^"]+)" crossorigin="anonymous"></script>', pinned)
    assert found is not None
    file = http.get(found[1])
    assert b64encode(hashlib.sha384(file.content).digest()).decode() == found[2]
    assert "immutable" in file.headers["cache-control"]


def test_what_was_chosen_is_in_every_code_that_can_say_it(merchant: TestMerchant, wall: JSON) -> None:
    usual, chosen = code(merchant, wall), code(merchant, wall, layout="list", theme="dark")
    for name in ("element", "element_pinned"):
        assert 'cards="2" layout="list" theme="dark">' in chosen[name]
    for name in ("shopify", "ghost"):
        assert chosen["element"] == chosen[name]["code"]
    assert f"/embed/walls/{wall['id']}?layout=list&amp;theme=dark" in chosen["iframe"]
    assert f"/embed/walls/{wall['id']}?layout=list&theme=dark" in chosen["notion"]["code"]
    assert usual["link"] == chosen["link"] == usual["wordpress"]["code"]
    # An address alone brings the wall's own look: where another was chosen, the frame itself is pasted.
    assert chosen["iframe"] == chosen["wordpress"]["code"]


def test_an_iframe_says_what_it_is_and_how_much_room_it_needs(merchant: TestMerchant, wall: JSON) -> None:
    iframe = code(merchant, wall)["iframe"]
    assert 'title="Best &quot;of&quot; &lt;all&gt;"' in iframe
    assert 'width="100%" height="460"' in iframe
    assert "loading" not in iframe
    assert 'height="440"' in code(merchant, wall, layout="list")["iframe"]


def test_the_steps_are_in_the_callers_language(merchant: TestMerchant, wall: JSON) -> None:
    path = f"/v1/walls/{wall['id']}/embed-code"
    french = ok(merchant.http.get(path, headers=FRENCH))
    assert any("Collez" in step for step in french["ghost"]["steps"])
    assert french["ghost"]["code"] == code(merchant, wall)["ghost"]["code"]


@pytest.mark.parametrize("query", [{"layout": "spiral"}, {"theme": "<script>"}, {"layout": ""}])
def test_a_choice_that_does_not_exist_is_refused(merchant: TestMerchant, wall: JSON, query: dict[str, str]) -> None:
    assert 422 == merchant.http.get(f"/v1/walls/{wall['id']}/embed-code", params=query).status_code


def page(http: httpx.Client, wall: JSON, query: str = "", **headers: str) -> httpx.Response:
    return http.get(f"/w/{wall['id']}/embed{query}", headers=headers)


def test_anybody_may_see_the_page_and_search_engines_do_not(
    merchant: TestMerchant, http: httpx.Client, wall: JSON, app_server: AppServer
) -> None:
    answer = page(http, wall)
    assert 200 == answer.status_code
    assert "no-cache" in answer.headers["cache-control"]
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert '<meta name="robots" content="noindex">' in answer.text
    assert "Put “Best &#34;of&#34; &lt;all&gt;” into a page" in answer.text
    shown = [unescape(text) for text in re.findall(r"<code>(.*?)</code>", answer.text, re.DOTALL)]
    given = code(merchant, wall)
    assert {given[name] for name in ("element", "element_pinned", "iframe", "link")} <= set(shown)
    assert {given[name]["code"] for name in ("wordpress", "ghost", "notion", "shopify")} <= set(shown)


def test_the_page_shows_what_was_chosen(http: httpx.Client, wall: JSON) -> None:
    chosen = page(http, wall, "?as=iframe&layout=carousel&theme=light").text
    assert f'<iframe src="/embed/walls/{wall["id"]}?layout=carousel&amp;theme=light"' in chosen
    for value in ("iframe", "carousel", "light"):
        assert f'value="{value}" checked' in chosen
    nonsense = page(http, wall, "?as=%00&layout=spiral&theme=<x>&layout=grid").text
    assert 'value="element" checked' in nonsense
    assert "spiral" not in nonsense


def test_the_page_speaks_the_readers_language(http: httpx.Client, wall: JSON) -> None:
    answer = page(http, wall, **FRENCH)
    assert '<html lang="fr"' in answer.text
    assert "Ce qu’il faut coller" in answer.text
    assert "Accept-Language" in answer.headers["vary"]


@pytest.mark.parametrize("wall_id", ["wall_0", "prod_" + "0" * 30, "%00", "x" * 500])
def test_a_wall_that_is_not_there_is_a_friendly_page(http: httpx.Client, wall_id: str) -> None:
    answer = http.get(f"/w/{wall_id}/embed")
    assert (404, "text/html; charset=utf-8") == (answer.status_code, answer.headers["content-type"])


def test_pages_and_payloads_are_sent_in_the_form_that_is_liked_best(http: httpx.Client, wall: JSON) -> None:
    for path in (f"/w/{wall['id']}", f"/v1/walls/{wall['id']}/widget"):
        tags = set()
        for welcome, coding in (("gzip, br", "br"), ("gzip, br;q=0.5", "gzip"), ("identity", None)):
            answer = http.get(path, headers={"Accept-Encoding": welcome})
            assert coding == answer.headers.get("content-encoding")
            assert "Accept-Encoding" in answer.headers["vary"]
            tags.add(answer.headers["etag"])
        assert 3 == len(tags)
