"""What any feed of products is read into, before anything is stored. Knows no format and no database.

The greatest lengths are those of the columns, or less: whatever a feed lets pass can be stored (a test compares them).
"""

from dataclasses import dataclass

LONGEST_NAME = 255  # a title, brand, SKU, tag or option, in characters
LONGEST_VARIANT_TITLE = 300  # all the options of a variant together
LONGEST_ID = 255
LONGEST_DESCRIPTION = 50_000
LONGEST_ADDRESS = 2_048
MOST_VARIANTS = 2_048
MOST_IMAGES = 250
MOST_TAGS = 250
LARGEST_STOCK = 1_000_000_000  # pieces of one variant


@dataclass(frozen=True, slots=True)
class FeedVariant:
    """A variant as a feed tells it; prices in minor units of the feed's currency."""

    external_id: str  # unique in its product, and the same each time the same feed is read
    title: str | None  # None for the only variant of a product without options
    sku: str | None
    price_minor: int | None  # None: shown but not for sale
    compare_at_minor: int | None  # always more than the price
    stock: int | None  # None: not counted, always to be had


@dataclass(frozen=True, slots=True)
class FeedProduct:
    """A product as a feed tells it: text is text, never HTML; images are http(s) addresses without repeats."""

    line: int  # physical line where it begins, the first is 1
    external_id: str
    title: str
    description: str | None
    brand: str | None
    url: str | None
    images: tuple[str, ...]
    tags: tuple[str, ...]
    variants: tuple[FeedVariant, ...]  # at least one
    published: bool = True  # False for drafts, archived and unlisted ones: not to be shown


@dataclass(frozen=True, slots=True)
class RowError:
    """What was wrong, where, in words for the merchant.

    `fails` is True on exactly one error of each product that was lost, so that counting them counts products. It
    is False on the further errors of the same product, and on notes, which lose nothing (an image left out).
    """

    line: int
    field: str  # the column as the file names it, or as the format does where the file has none
    detail: str
    fails: bool = True
