"""Every page of ours, found by the routes there are: nothing foreign runs in it, and nothing written into it."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import httpx
import pytest
from fastapi.routing import APIRoute

from app.routers import ROUTERS
from tests.conftest import AppServer
from tests.shop import BROWSER, TestMerchant, ok

HTML = "text/html"
FRAMED = "/embed/"


class Looked(HTMLParser):
    """What a page does that a strict policy forbids: scripts and handlers within it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.styles = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = dict(attrs)
        if tag == "script" and "src" not in about and about.get("type") != "application/ld+json":
            self.found.append(tag)
        if tag == "style":
            self.styles += 1
        self.found += [name for name, value in attrs if name.startswith("on") or name == "style"]
        self.found += [value for _, value in attrs if value and value.strip().lower().startswith("javascript:")]


def directives(answer: httpx.Response) -> dict[str, list[str]]:
    policy = answer.headers["content-security-policy"]
    return {name: values for name, *values in (each.split() for each in policy.split(";") if each.strip())}


def is_guarded(answer: httpx.Response) -> None:
    """Its policy lets run only what is ours, and it does nothing that the policy would have to stop."""
    where, policy = str(answer.request.url), directives(answer)
    looked = Looked(answer.text)
    for name in ("script-src", "style-src", "object-src", "connect-src"):
        allowed = policy.get(name, policy["default-src"])
        assert [] == [each for each in allowed if "unsafe" in each or each in ("*", "data:", "https:", "http:")], where
    assert {"'none'"} == {*policy.get("object-src", policy["default-src"])} == {*policy["base-uri"]}, where
    assert "form-action" in policy, where
    framers = policy["frame-ancestors"]
    assert framers == ["'none'"] or FRAMED in where, where
    assert "nosniff" == answer.headers["x-content-type-options"], where
    assert answer.headers["referrer-policy"] in ("strict-origin-when-cross-origin", "same-origin"), where
    assert [] == looked.found, where
    hashes = [each for each in policy.get("style-src", ()) if each.startswith("'sha256-")]
    assert looked.styles == len(hashes), where


def pages() -> Iterator[str]:
    """The paths of all routes that people read: those that say so, and those of the report page, which no document
    lists."""
    for route in (each for router in ROUTERS for each in router.routes):
        assert isinstance(route, APIRoute)
        tells = any(HTML in answer.get("content", {}) for answer in route.responses.values())
        if "GET" in (route.methods or ()) and (tells or not route.include_in_schema):
            yield route.path


@pytest.fixture
def known(merchant: TestMerchant) -> dict[str, str]:
    """By the names of parameters: ids of which there is something to see."""
    product = merchant.product(title="<script>alert(1)</script>\"'")["id"]
    wall = merchant.wall(product, theme={"accent": "#aa3366"})["id"]
    share = merchant.shopper().share(product, caption="<img src=x onerror=alert(1)>", wall=wall)
    return {"product_id": product, "wall_id": wall, "code": share["code"], "path": "reports/funnel"}


def test_every_page_is_guarded_whatever_is_asked_of_it(
    merchant: TestMerchant, known: dict[str, str], app_server: AppServer
) -> None:
    seen: dict[int, list[str]] = {}
    with httpx.Client(base_url=app_server.url, headers={"User-Agent": BROWSER}, verify=False, timeout=30) as http:
        entered = http.post("/reports/session", data={"key": merchant.report_key}, headers={"Origin": merchant.base})
        reader = {"Cookie": entered.headers["set-cookie"].partition(";")[0]}
        for path in ("/", *pages(), "/me?x=%3Cscript%3E"):
            for value in ("", "none", "%3Cscript%3Ealert(1)%3C/script%3E") if "{" in path else ("",):
                url = re.sub(r"\{(\w+)(:path)?\}", lambda part: value or known.get(part[1], "none"), path)  # noqa: B023
                answer = http.get(url, headers=reader)
                if HTML in answer.headers.get("content-type", ""):
                    is_guarded(answer)
                    seen.setdefault(answer.status_code, []).append(url)
                    assert "<script>alert(1)" not in answer.text
        for refused in (http.post("/v1/checkouts", data={"variant": "none"}), http.post("/reports/session", data={})):
            is_guarded(refused)
    assert len(set(seen[200])) >= 14, seen
    assert len(seen[404]) >= 8, seen


def test_the_apis_page_lists_every_call_and_needs_nobody_else(merchant: TestMerchant) -> None:
    page = merchant.public.get("/docs")
    document = ok(merchant.public.get("/openapi.json"))
    assert HTML in page.headers["content-type"]
    operations = [each["operationId"] for methods in document["paths"].values() for each in methods.values()]
    assert [] == [each for each in operations if f'<details id="{each}">' not in page.text]
    assert [] == [name for name in document["components"]["schemas"] if f'<article id="{name}">' not in page.text]
    assert [] == re.findall(r"""(?:src|href)=["']?https?:""", page.text)
    assert "<script" not in page.text
    for target in re.findall(r'href="#([^"]+)"', page.text):
        assert f'id="{target}"' in page.text, target
    assert 304 == merchant.public.get("/docs", headers={"If-None-Match": page.headers["etag"]}).status_code


def test_what_the_api_answers_is_neither_guessed_at_nor_kept(merchant: TestMerchant) -> None:
    for path in ("/v1/merchant", "/v1/orders/none", "/v1/reports/funnel"):
        answer = merchant.http.get(path)
        assert ("nosniff", "no-store") == tuple(
            answer.headers[name] for name in ("x-content-type-options", "cache-control")
        ), path
    shopper = merchant.shopper()
    shopper.like(merchant.product()["id"])
    assert "no-store" == merchant.public.get("/v1/me", headers=shopper.headers).headers["cache-control"]
    assert "nosniff" == merchant.public.get("/openapi.json").headers["x-content-type-options"]
