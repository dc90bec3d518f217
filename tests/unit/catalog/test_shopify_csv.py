"""A catalogue in Shopify's form, as it comes out of shops and of spreadsheet programs."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.catalog.feeds import items as bounds
from app.catalog.feeds.items import FeedProduct, FeedVariant, RowError
from app.catalog.feeds.shopify_csv import read
from app.catalog.models import Product, ProductTag, Variant

DATA = Path(__file__).parents[2] / "data"
HEADER = b"Handle,Title,Body (HTML),Variant Price,Image Src\n"
Items = list[FeedProduct | RowError]


def load(name: str, currency: str = "eur") -> Items:
    with (DATA / name).open("rb") as stream:
        return list(read(stream, currency))


def parse(content: bytes, currency: str = "eur") -> Items:
    return list(read(io.BytesIO(content), currency))


def products(items: Items) -> dict[str, FeedProduct]:
    return {item.external_id: item for item in items if isinstance(item, FeedProduct)}


def errors(items: Items) -> list[tuple[int, str, bool]]:
    return [(item.line, item.field, item.fails) for item in items if isinstance(item, RowError)]


def test_a_product_is_gathered_from_its_rows() -> None:
    bowl = products(load("shopify_old.csv"))["tea-bowl"]
    assert bowl == FeedProduct(
        line=2,
        external_id="tea-bowl",
        title='Tea "Moon" Bowl',
        description="Thrown by hand, glazed in ash.\n• 350 ml\n• Safe & sound",
        brand="Atelier Colline",
        url=None,
        images=(
            "https://cdn.example/bowl-1.png",
            "https://cdn.example/bowl-2.png",
            "https://cdn.example/bowl-3.png",
            "https://cdn.example/bowl-small.png",
        ),
        tags=("tea", "Stoneware"),
        variants=(
            FeedVariant("tea-bowl:Small / Ash", "Small / Ash", "TB-S", 2400, 3000, 4),
            FeedVariant("tea-bowl:Large / Ash", "Large / Ash", "TB-L", 2950, None, 0),
            FeedVariant("tea-bowl:Large / Iron", "Large / Iron", "TB-LI", 2950, None, None),
        ),
    )


def test_a_whole_export_is_read_without_a_complaint() -> None:
    items = load("shopify_old.csv")
    assert errors(items) == []
    assert list(products(items)) == ["tea-bowl", "gift-card", "on-request", "old-vase", "new-vase"]


def test_a_product_without_options_has_one_nameless_variant_that_is_always_to_be_had() -> None:
    card = products(load("shopify_old.csv"))["gift-card"]
    assert card.variants == (FeedVariant("gift-card", None, None, 2500, None, None),)


def test_what_has_no_price_is_shown_and_not_for_sale() -> None:
    assert products(load("shopify_old.csv"))["on-request"].variants[0].price_minor is None


def test_unpublished_and_draft_products_are_marked() -> None:
    read_in = products(load("shopify_old.csv"))
    assert [item.external_id for item in read_in.values() if not item.published] == ["old-vase", "new-vase"]


@pytest.mark.parametrize(("name", "title"), [("shopify_new.csv", "Linen apron"), ("shopify_utf16.csv", "Linön apron")])
def test_the_newer_column_names_are_known_with_any_unicode_mark(name: str, title: str) -> None:
    items = load(name)
    assert errors(items) == []
    apron, pencil = products(items).values()
    assert (apron.title, apron.description, apron.images) == (
        title,
        "Washed linen.",
        ("https://cdn.example/apron.jpg",),
    )
    assert apron.variants == (
        FeedVariant("linen-apron:Clay", "Clay", "AP-1", 4800, None, 7),
        FeedVariant("linen-apron:Sage", "Sage", "AP-2", 4800, 6000, 0),
    )
    assert (pencil.line, pencil.variants[0].price_minor, pencil.variants[0].stock) == (4, 120, None)


def test_a_wrong_encoding_is_understood_and_noted_once() -> None:
    items = load("shopify_cp1252.csv")
    assert errors(items) == [(2, "encoding", False)]
    assert [item.title for item in products(items).values()] == ["Café crème “doux” – 5 €", "Thé vert", "Plain"]


def test_a_bad_row_is_named_and_the_others_go_on() -> None:
    items = load("shopify_nasty.csv")
    assert list(products(items)) == ["good-one", "good-two", "good-three"]
    assert errors(items) == [
        (4, "HANDLE", True),
        (5, "Variant Price", True),
        (6, "Variant Price", True),
        (7, "Variant Price", True),
        (8, "Variant Price", True),
        (8, "Variant Compare At Price", False),
        (8, "Variant Inventory Qty", False),
        (10, "row", True),
        (11, "title", True),
        (12, "Image Src", False),
        (13, "Image Src", False),
        (14, "HANDLE", True),
        (17, "Option1 Value", True),
        (18, "Image Src", False),
    ]


def test_markup_in_a_title_is_text() -> None:
    assert products(load("shopify_nasty.csv"))["good-three"].title == "<script>alert(1)</script>"


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", b"\xef\xbb\xbf", b"\xff\xfe", b"id,name\n1,x\n", b"{}", b"<html>", b"Handle\nx\n", b"\x00" * 99],
)
def test_what_is_no_export_gives_one_clear_error(content: bytes) -> None:
    items = parse(content)
    assert [(field, fails) for _, field, fails in errors(items)] == [("header", True)]
    assert len(items) == 1


def test_a_currency_that_does_not_exist_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="ISO 4217"):
        parse(HEADER, "euro")


def test_yen_have_no_decimals_and_may_be_written_with_zeros() -> None:
    items = parse(HEADER + b"a,A,,1500.00,\nb,B,,15.5,\n", "jpy")
    assert products(items)["a"].variants[0].price_minor == 1500
    assert errors(items) == [(3, "Variant Price", True)]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_line_numbers_are_those_of_the_file_with_any_line_end(end: bytes) -> None:
    content = (HEADER + b'a,A,"one\n\n\nfour",1,\nb,B,,x,\n').replace(b"\n", end)
    assert errors(parse(content)) == [(6, "Variant Price", True)]


def test_nul_bytes_never_reach_a_product() -> None:
    items = parse(HEADER + b"a\x00,A\x00\x01B,\x00<p>x\x00</p>,1,\n")
    assert products(items)["a"].title == "A B"
    assert products(items)["a"].description == "x"


def test_utf16_without_its_mark_is_read_too() -> None:
    assert list(products(parse((HEADER + b"a,A,,1,\n").decode().encode("utf-16-le")))) == ["a"]


def test_a_quotation_mark_that_is_never_closed_costs_one_row() -> None:
    items = parse(HEADER + b'a,A,,1,\nb,"B,,1,\n' + b"x" * 200_000 + b"\nc,C,,2,\n")
    assert list(products(items)) == ["a", "c"]
    assert errors(items)[0] == (3, "row", True)


def test_a_row_beyond_all_measure_costs_itself() -> None:
    items = parse(HEADER + b"a,A,,1,\nb,B," + b"x" * 3_000_000 + b",1,\nc,C,,2,\nd,D,,bad,\n")
    assert list(products(items)) == ["a", "c"]
    assert errors(items) == [(3, "row", True), (5, "Variant Price", True)]


@pytest.mark.parametrize("column", ["title", "description", "handle", "tags"])
def test_what_is_too_long_to_keep_is_refused(column: str) -> None:
    cells = {"handle": b"a", "title": b"A", "description": b"", "tags": b""} | {column: b"x" * 60_000}
    items = parse(b"Handle,Title,Body,Tags\n" + b",".join(cells.values()) + b"\nb,B,,\n")
    assert list(products(items)) == ["b"]
    assert len(errors(items)) == 1


def test_a_product_with_thousands_of_variants_or_images_is_bounded() -> None:
    rows = b"".join(b"a,A,%d,1,https://cdn.example/%d.png\n" % (n, n) for n in range(3000))
    items = parse(b"Handle,Title,Option1 Value,Price,Image Src\n" + rows)
    assert products(items) == {}
    assert sum(fails for _, _, fails in errors(items)) == 1
    assert len(items) <= 20


def test_long_options_still_make_an_id_that_fits_and_stays() -> None:
    content = b"Handle,Title,Option1 Value\n" + b"h" * 250 + b",A," + b"o" * 200 + b"\n"
    (first,), (second,) = products(parse(content)).values(), products(parse(content)).values()
    assert first.variants[0].external_id == second.variants[0].external_id
    assert len(first.variants[0].external_id) <= 255


OPTIONS = "Handle,Title,Option1 Value,Option2 Value,Option3 Value"


@pytest.mark.parametrize(("length", "kept"), [(98, True), (99, False), (255, False)])
def test_options_that_are_too_long_together_lose_their_product(length: int, kept: bool) -> None:
    values = ",".join(letter * length for letter in "xyz")
    items = parse(f"{OPTIONS}\na,A,S,,\na,,{values}\nb,B,,,\n".encode())
    assert list(products(items)) == (["a", "b"] if kept else ["b"])
    assert errors(items) == ([] if kept else [(3, "Option1 Value", True)])


@pytest.mark.parametrize(
    ("column", "fits", "too_much", "told"),
    [
        ("Variant Price", "9999999999.99", "10000000000", "'10000000000' is more than 9999999999.99"),
        ("Variant Compare At Price", "9999999999.99", "10000000000.00", "'10000000000.00' is more than 9999999999.99"),
        ("Variant Inventory Qty", "1000000000", "1000000001", "more than 1000000000 pieces"),
        ("Variant Inventory Qty", "1000000000", "9" * 30, "more than 1000000000 pieces"),
    ],
)
def test_numbers_are_as_large_as_they_can_be_given_out(column: str, fits: str, too_much: str, told: str) -> None:
    items = parse(f"Handle,Title,{column}\na,A,{fits}\nb,B,{too_much}\n".encode())
    assert list(products(items)) == ["a"]
    assert [(3, column, told)] == [(item.line, item.field, item.detail) for item in items if isinstance(item, RowError)]


@pytest.mark.parametrize(
    ("longest", "table", "columns"),
    [
        (bounds.LONGEST_NAME, Product, ["title", "brand"]),
        (bounds.LONGEST_NAME, Variant, ["sku"]),
        (bounds.LONGEST_NAME, ProductTag, ["tag"]),
        (bounds.LONGEST_ID, Product, ["external_id"]),
        (bounds.LONGEST_ID, Variant, ["external_id"]),
        (bounds.LONGEST_VARIANT_TITLE, Variant, ["title"]),
        (10**9, Product, ["description", "url", "images"]),  # without a limit of their own
    ],
)
def test_whatever_a_feed_lets_pass_fits_its_column(longest: int, table: type, columns: list[str]) -> None:
    for name in columns:
        width = getattr(table.__table__.c[name].type, "length", None)  # type: ignore[attr-defined]
        assert width is None or longest <= width, name
    assert bounds.LARGEST_STOCK < 2**31


class Endless(io.RawIOBase):
    """A file that is never whole in memory: rows are made as they are asked for."""

    def __init__(self, rows: int) -> None:
        self.rows, self.given, self.ahead = rows, 0, HEADER

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        while len(self.ahead) < size and self.given < self.rows:
            self.given += 1
            self.ahead += b"h-%d,T,%s,1,\n" % (self.given, b"word " * 20)
        taken, self.ahead = self.ahead[:size], self.ahead[size:]
        return taken


def test_products_come_before_the_file_has_ended() -> None:
    stream = Endless(1_000_000)
    first = next(read(stream, "eur"))  # type: ignore[arg-type]
    assert isinstance(first, FeedProduct)
    assert stream.given < 2000


@given(st.binary(max_size=2000))
def test_any_bytes_give_products_or_errors(content: bytes) -> None:
    for item in parse(content) + parse(HEADER + content):
        assert isinstance(item, FeedProduct | RowError)
        assert "\x00" not in repr(item)


@given(st.lists(st.lists(st.text(max_size=12) | st.sampled_from(["a", "1.00", '"', "\r"]), max_size=6), max_size=8))
def test_any_rows_count_each_lost_product_at_most_once(rows: list[list[str]]) -> None:
    content = HEADER + "\n".join(",".join(row) for row in rows).encode("utf-8", "replace")
    items = parse(content)
    failed = sum(fails for _, _, fails in errors(items))
    assert failed + len(products(items)) <= content.count(b"\n") + content.count(b"\r") + 1
