"""A merchant reads what a comparison with Stripe's books repaired."""

import httpx

from tests.books import Books
from tests.shop import ok


def test_a_merchant_reads_what_was_repaired_page_by_page_and_no_others_do(books: Books) -> None:
    till, seller, stranger = books.till, books.seller(), books.seller()
    books.sell_and_take_back(seller, 3)
    till.clock.move(hours=1)
    books.reconcile()

    first = ok(seller.http.get("/v1/repairs", params={"limit": 2}))
    rest = ok(seller.http.get("/v1/repairs", params={"cursor": first["next_cursor"]}))

    assert (2, None) == (len(first["data"]), rest["next_cursor"])
    every = first["data"] + rest["data"]
    assert sorted(books.repairs()) == sorted((each["type"], each["object"]) for each in every)
    assert {order["id"] for order in till.orders(seller)} == {each["order"] for each in every}
    assert {("2026-03-02T10:00:00Z", "2026-03-02T11:00:00Z")} == {
        (each["happened_at"], each["repaired_at"]) for each in every
    }
    assert {"data": [], "next_cursor": None} == ok(stranger.http.get("/v1/repairs"))
    assert 401 == seller.public.get("/v1/repairs").status_code
    assert (
        403 == httpx.get(f"{till.url}/v1/repairs", headers={"Authorization": f"Bearer {seller.report_key}"}).status_code
    )
