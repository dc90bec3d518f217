"""Ways to ask about people and their trees, and a story to ask about."""

from typing import Any
from urllib.parse import quote

from tests.history import ALL
from tests.moving import Past
from tests.shop import JSON, TestMerchant, ok


def listed(merchant: TestMerchant, **query: Any) -> list[JSON]:
    """All rows, page by page."""
    rows: list[JSON] = []
    cursor: JSON = {}
    while True:
        page = ok(merchant.http.get("/v1/sharers", params={**ALL, **query, **cursor}))
        rows += page["data"]
        if page["next_cursor"] is None:
            return rows
        cursor = {"cursor": page["next_cursor"]}


def one(merchant: TestMerchant, sharer: str, **query: Any) -> JSON:
    return dict(ok(merchant.http.get(f"/v1/sharers/{quote(sharer)}", params=query)))


def tree(merchant: TestMerchant, sharer: str, **query: Any) -> JSON:
    return dict(ok(merchant.http.get(f"/v1/sharers/{quote(sharer)}/tree", params=query)))


def numbers(told: JSON, *names: str) -> tuple[Any, ...]:
    return tuple(told[name] for name in names)


def a_chain() -> Past:
    """Ana, then Bo from her, then Cem from him; a sale through each, and one through a link of Ana's on e-mail."""
    past = Past().share("a", "ana", "x", product="mug").share("b", "bo", "whatsapp", parent="a", day=1)
    past.share("c", "cem", "sms", parent="b", day=3).share("e", "ana", "email", day=4)
    for number, (referral, net) in enumerate({"a": 100, "b": 2000, "c": 30000, "e": 7}.items()):
        past.touch(f"t{number}", f"buyer{number}", referral, day=5)
        past.order(f"o{number}", f"buyer{number}", net, day=6)
    return past
