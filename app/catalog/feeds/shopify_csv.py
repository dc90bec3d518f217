"""Shopify's product export: variants and images over several rows, in the column names of old and new exports.

Turns rows into feed products; knows no database and no network, and fetches no image. Columns as in Shopify's
help, "Using CSV files to import and export products".
"""

from collections.abc import Iterator, Mapping
from typing import BinaryIO

from app.catalog.feeds.items import LONGEST_ID, FeedProduct, RowError
from app.catalog.feeds.rows import read_rows
from app.catalog.feeds.shopify_product import Builder, Cells
from app.catalog.feeds.text import one_line
from app.kernel.money import exponent

# What we call a column, and every name under which Shopify has exported it, in lower case.
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "handle": ("handle", "url handle"),
    "title": ("title",),
    "body": ("body (html)", "body html", "body", "description"),
    "vendor": ("vendor",),
    "tags": ("tags",),
    "published": ("published", "published on online store"),
    "status": ("status",),
    "option1 name": ("option1 name",),
    "option1": ("option1 value",),
    "option2": ("option2 value",),
    "option3": ("option3 value",),
    "sku": ("variant sku", "sku"),
    "tracker": ("variant inventory tracker", "inventory tracker"),
    "quantity": ("variant inventory qty", "inventory quantity", "inventory qty"),
    "policy": ("variant inventory policy", "inventory policy", "continue selling when out of stock"),
    "price": ("variant price", "price"),
    "compare_at": ("variant compare at price", "compare-at price", "compare at price"),
    "image": ("image src", "product image url"),
    "position": ("image position",),
    "variant_image": ("variant image", "variant image url"),
}
_OURS = {name: ours for ours, names in _COLUMNS.items() for name in names}


def read(stream: BinaryIO, currency: str) -> Iterator[FeedProduct | RowError]:
    """Products of a Shopify export with prices in `currency`, in the file's order, and what was wrong with others.

    One product is held at a time, and the handles that went by. A product with an error is left out and the others
    are not; a file that is no such export gives one error. ValueError for a `currency` that does not exist.
    """
    exponent(currency)
    product: Builder | None = None
    seen: set[str] = set()
    for row in _read_cells(stream):
        if isinstance(row, RowError):
            yield row
            continue
        handle = one_line(row["handle"])
        if not handle or len(handle) > LONGEST_ID:
            detail = f"longer than {LONGEST_ID} characters" if handle else "missing: this row belongs to no product"
            yield RowError(row.line, row.name("handle"), detail)
            continue
        if product is None or product.handle != handle:
            if product:
                yield from product.finish()
            product = Builder(handle, row.line, currency)
            if handle in seen:
                product.fail(row, "handle", "seen before: the rows of a product must stand together")
            seen.add(handle)
        product.add(row)
    if product:
        yield from product.finish()


def _read_cells(stream: BinaryIO) -> Iterator[Cells | RowError]:
    header: list[str] | None = None
    for row in read_rows(stream):
        if isinstance(row, RowError):
            yield row
            if header is None and row.fails:
                return
        elif header is None:
            header = [one_line(name) for name in row.fields]
            missing = {"handle", "title"} - {_OURS.get(name.lower(), "") for name in header}
            if missing:
                columns = " or ".join(f'"{name.capitalize()}"' for name in sorted(missing))
                yield RowError(row.line, "header", f"not a Shopify product export: no column {columns}")
                return
        else:
            yield _cells(row.line, row.fields, header)
    if header is None:
        yield RowError(1, "header", "not a Shopify product export: there is no row in it")


def _cells(line: int, fields: list[str], header: list[str]) -> Cells:
    values: dict[str, str] = {}
    names: dict[str, str] = {}
    for name, value in zip(header, fields, strict=False):
        ours = _OURS.get(name.lower())
        if ours and ours not in values:
            values[ours], names[ours] = value.strip(), name
    surplus = any(field.strip() for field in fields[len(header) :])
    return Cells(line, values, names, surplus)
