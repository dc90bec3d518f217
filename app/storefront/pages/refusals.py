"""Which friendly page says a refusal: its words are for people, so the technical detail stays away. Pure."""

from typing import Literal

from app.kernel.errors import AppError

Kind = Literal[
    "not_found",
    "gone",
    "busy",
    "refused",
    "sold_out",
    "too_many",
    "quantity",
    "coupon",
    "not_for_sale",
    "unpayable",
    "till_away",
    "unreadable",
    "error",
    "home",
]
"""Each has its words: `page_<kind>_title` and `_text`."""

_BY_STATUS: dict[int, Kind] = {400: "unreadable", 404: "not_found", 409: "busy", 410: "gone", 429: "busy", 503: "busy"}
_BY_CODE: dict[str, Kind] = {
    "out_of_stock": "sold_out",
    "checkout_refused": "unpayable",
    "checkout_unavailable": "till_away",
}
_BY_FIELD: dict[str, Kind] = {
    "quantity": "quantity",
    "coupon": "coupon",
    "variant": "not_for_sale",
    "items": "unreadable",
}
"""Of the first field that a form got wrong, by the last part of its pointer."""


def kind_of(error: AppError) -> Kind:
    """The page that fits."""
    # The detail begins with the first pointer (RFC 6901), also in a refusal that was kept and is given again.
    pointer = error.detail.partition(":")[0]
    field = pointer.rpartition("/")[2] if pointer.startswith("/") else ""
    if error.code == "out_of_stock" and field == "quantity":
        return "too_many"
    if error.code in _BY_CODE:
        return _BY_CODE[error.code]
    if error.status == 422 and field in _BY_FIELD:
        return _BY_FIELD[field]
    otherwise: Kind = "refused" if error.status < 500 else "error"
    return _BY_STATUS.get(error.status, otherwise)
