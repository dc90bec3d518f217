"""One product of a Shopify export, gathered from its rows: checks what each cell says and keeps every complaint.

Knows what Shopify means by its columns; knows no file and no database.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from urllib.parse import urlsplit

from app.catalog.feeds.items import (
    LARGEST_STOCK,
    LONGEST_ADDRESS,
    LONGEST_DESCRIPTION,
    LONGEST_ID,
    LONGEST_NAME,
    LONGEST_VARIANT_TITLE,
    MOST_IMAGES,
    MOST_TAGS,
    MOST_VARIANTS,
    FeedProduct,
    FeedVariant,
    RowError,
)
from app.catalog.feeds.text import from_html, one_line
from app.kernel.money import parse_decimal

_QUANTITY = re.compile(r"-?[0-9]{1,40}", re.ASCII)
_POSITION = re.compile(r"[0-9]{1,6}", re.ASCII)
_OPTIONS = ("option1", "option2", "option3")
_VARIANT_FACTS = (*_OPTIONS, "sku", "price")
_HIDDEN = {"draft", "archived", "unlisted"}
_NO = {"false", "no", "0"}
_SELLS_ON = {"continue", "true", "yes", "1"}
_MOST_COMPLAINTS = 20
_LAST = 1_000_000  # sorts behind every position that a file can give


@dataclass(frozen=True, slots=True)
class Cells:
    """A row by our names of the columns; what is not there is empty."""

    line: int
    values: Mapping[str, str]
    names: Mapping[str, str]
    surplus: bool  # there were more fields than the header has

    def __getitem__(self, column: str) -> str:
        return self.values.get(column, "")

    def name(self, column: str) -> str:
        """The column as the file names it."""
        return self.names.get(column, column)


class Builder:
    """Gathers the rows of one handle; `finish` gives the product, or what was wrong with it."""

    def __init__(self, handle: str, line: int, currency: str) -> None:
        self.handle = handle
        self._line = line
        self._currency = currency
        self._first: Cells | None = None
        self._variants: dict[str, FeedVariant] = {}
        self._images: dict[str, int] = {}
        self._errors: list[RowError] = []
        self._notes: list[RowError] = []

    def fail(self, cells: Cells, column: str, detail: str) -> None:
        """The product is lost, for this reason; only the first one counts as a failure."""
        if len(self._errors) < _MOST_COMPLAINTS:
            self._errors.append(RowError(cells.line, cells.name(column), detail, fails=not self._errors))

    def add(self, cells: Cells) -> None:
        """Take one more row: of the product itself, of a variant, of an image, or of all at once."""
        if cells.surplus:
            self.fail(cells, "row", "more fields than the header: perhaps a comma without quotation marks")
            return
        if self._first is None:
            self._first = cells
        self._add_image(cells, "image", _position(cells["position"]))
        self._add_image(cells, "variant_image", _LAST)
        if any(cells[fact] for fact in _VARIANT_FACTS):
            self._add_variant(cells)

    def finish(self) -> Iterator[FeedProduct | RowError]:
        """The product with its notes, or its errors."""
        product = self._product(self._first) if self._first else None
        yield from self._errors or self._notes
        if product and not self._errors:
            yield product

    def _product(self, first: Cells) -> FeedProduct:
        if not first["title"]:
            self.fail(first, "title", "missing")
        if not self._variants:
            self._add_variant(first)
        description = from_html(first["body"])
        if len(description) > LONGEST_DESCRIPTION:
            self.fail(first, "body", f"longer than {LONGEST_DESCRIPTION} characters")
        return FeedProduct(
            line=self._line,
            external_id=self.handle,
            title=self._name(first, "title"),
            description=description or None,
            brand=self._name(first, "vendor") or None,
            url=None,  # an export does not say under which domain the shop stands
            images=tuple(sorted(self._images, key=self._images.__getitem__)),
            tags=self._tags(first),
            variants=tuple(self._variants.values()),
            published=first["published"].lower() not in _NO and first["status"].lower() not in _HIDDEN,
        )

    def _add_variant(self, cells: Cells) -> None:
        title = self._variant_title(cells)
        key = title or ""
        if key in self._variants:
            self.fail(cells, "option1", f"two variants with the same options: {title or 'none'}")
        elif len(self._variants) >= MOST_VARIANTS:
            self.fail(cells, "option1", f"more than {MOST_VARIANTS} variants")
        else:
            price = self._price(cells, "price")
            before = self._price(cells, "compare_at")
            self._variants[key] = FeedVariant(
                external_id=_variant_id(self.handle, title),
                title=title,
                sku=self._name(cells, "sku") or None,
                price_minor=price,
                # Shopify exports "0.00", or the price itself, where nothing was reduced.
                compare_at_minor=before if before and price is not None and before > price else None,
                stock=self._stock(cells),
            )

    def _variant_title(self, cells: Cells) -> str | None:
        values = [self._name(cells, option) for option in _OPTIONS if cells[option]]
        title = None if [value.lower() for value in values] == ["default title"] else " / ".join(values) or None
        if title and len(title) > LONGEST_VARIANT_TITLE:
            self.fail(cells, "option1", f"the options together are longer than {LONGEST_VARIANT_TITLE} characters")
        return title

    def _price(self, cells: Cells, column: str) -> int | None:
        if not cells[column]:
            return None
        try:
            return parse_decimal(cells[column], self._currency)
        except ValueError as error:
            self.fail(cells, column, str(error))
            return None

    def _stock(self, cells: Cells) -> int | None:
        untracked = "tracker" in cells.values and not cells["tracker"]
        if untracked or "quantity" not in cells.values or cells["policy"].lower() in _SELLS_ON:
            return None
        quantity = cells["quantity"] or "0"
        if not _QUANTITY.fullmatch(quantity):
            self.fail(cells, "quantity", f"{quantity[:40]!r} is not a whole number")
            return None
        pieces = max(0, int(quantity))
        if pieces > LARGEST_STOCK:
            self.fail(cells, "quantity", f"more than {LARGEST_STOCK} pieces")
        return pieces

    def _add_image(self, cells: Cells, column: str, position: int) -> None:
        address = cells[column]
        if not address or (address in self._images and self._images[address] <= position):
            return
        problem = _wrong_with(address)
        if not problem and len(self._images) >= MOST_IMAGES:
            problem = f"more than {MOST_IMAGES} images"
        if not problem:
            self._images[address] = position
        elif len(self._notes) < _MOST_COMPLAINTS:
            self._notes.append(RowError(cells.line, cells.name(column), f"left out: {problem}", fails=False))

    def _tags(self, cells: Cells) -> tuple[str, ...]:
        tags: dict[str, str] = {}
        for tag in filter(None, map(one_line, cells["tags"].split(","))):
            tags.setdefault(tag.casefold(), tag)
        if len(tags) > MOST_TAGS or any(len(tag) > LONGEST_NAME for tag in tags):
            self.fail(cells, "tags", f"more than {MOST_TAGS} tags, or one longer than {LONGEST_NAME} characters")
        return tuple(tags.values())

    def _name(self, cells: Cells, column: str) -> str:
        name = one_line(cells[column])
        if len(name) > LONGEST_NAME:
            self.fail(cells, column, f"longer than {LONGEST_NAME} characters")
        return name


def _variant_id(handle: str, title: str | None) -> str:
    """Shopify exports no id of a variant: its options are what stays the same from one export to the next."""
    readable = f"{handle}:{title}" if title else handle
    if len(readable) <= LONGEST_ID:
        return readable
    return f"{handle[:200]}:{blake2b(readable.encode('utf-8', 'replace'), digest_size=16).hexdigest()}"


def _position(text: str) -> int:
    return int(text) if _POSITION.fullmatch(text) else _LAST - 1


def _wrong_with(address: str) -> str | None:
    if len(address) > LONGEST_ADDRESS:
        return f"an address longer than {LONGEST_ADDRESS} characters"
    try:
        parts = urlsplit(address)
        is_web = parts.scheme.lower() in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        is_web = False
    if not is_web or not address.isprintable() or " " in address:
        return f"{address[:80]!r} is not an http or https address"
    return None
