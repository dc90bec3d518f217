"""Checkouts as JSON, and as a plain form, in and out (api.md)."""

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import parse_qsl

from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import PydanticCustomError

from app.kernel.errors import AppError, BadRequest, Invalid
from app.kernel.http.problems import from_validation
from app.kernel.http.wire import Body, PublicId, Text, Timestamp, Wire
from app.referrals.clicks import LONGEST_ADDRESS

FORM = "application/x-www-form-urlencoded"
_FORM_FIELDS = frozenset({"variant", "quantity", "wall", "click", "coupon", "success_url", "cancel_url"})
_MOST_ITEMS = 100


def _without_spaces(text: str) -> str:
    if not text.isprintable() or " " in text:
        raise PydanticCustomError("not_a_web_address", "must be an http or https address")
    return text


ReturnUrl = Annotated[Text, Field(max_length=2000), AfterValidator(_without_spaces)]


class ItemIn(Body):
    """A variant, and how many of it."""

    variant: PublicId
    quantity: Annotated[int, Field(ge=1, le=999, strict=True)] = 1


class CheckoutIn(Body):
    """What somebody wants to buy: variants of one merchant, priced in one currency."""

    items: Annotated[list[ItemIn], Field(min_length=1, max_length=_MOST_ITEMS)]
    wall: PublicId | None = None
    click: (
        Annotated[
            Text,
            Field(
                max_length=LONGEST_ADDRESS,
                description="`gv_click` as the page received it, or the landing address that holds it.",
            ),
        ]
        | None
    ) = None
    coupon: (
        Annotated[
            Text,
            Field(
                max_length=200,
                description="A code of yours, or the code or address of a friend's link, or a click.",
            ),
        ]
        | None
    ) = None
    success_url: Annotated[ReturnUrl, Field(description="On the merchant's `return_urls`.")] | None = None
    cancel_url: Annotated[ReturnUrl, Field(description="On the merchant's `return_urls`.")] | None = None


class CheckoutOut(Wire):
    """Where the buyer pays, and until when."""

    id: str
    url: str
    expires_at: Timestamp


class FormRefused(AppError):
    """A refusal for a person who sent a form: whoever shows pages shows it as one, with a link `back`."""

    def __init__(self, refusal: AppError, back: str | None) -> None:
        super().__init__(refusal.detail, retry_after=refusal.retry_after)
        self.status, self.code, self.title = refusal.status, refusal.code, refusal.title
        self.errors = refusal.errors
        self.back = back


def from_json(body: bytes) -> CheckoutIn:
    """Raises `BadRequest` for what is not JSON, `Invalid` naming the fields that are wrong."""
    return _checked(lambda: CheckoutIn.model_validate_json(body))


def from_form(body: bytes) -> CheckoutIn:
    """The same from a form: `variant` and `quantity`, which may be repeated in pairs. An empty field is none.

    Raises `BadRequest`, `Invalid`.
    """
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=3 * _MOST_ITEMS, errors="strict")
    except ValueError:
        raise BadRequest("The form cannot be read.") from None
    given: dict[str, list[str]] = {}
    for name, value in fields:
        if name not in _FORM_FIELDS:
            raise Invalid.field(f"/{name[:100]}", "is not a field of this form")
        given.setdefault(name, []).append(value.strip())
    variants, quantities = given.pop("variant", []), given.pop("quantity", [])
    if quantities and len(quantities) != len(variants):
        raise Invalid.field("/quantity", "must be given for each variant, or for none")
    for name, values in given.items():
        if len(values) > 1:
            raise Invalid.field(f"/{name}", "must be given once")
    pairs = zip(variants, quantities or ["1"] * len(variants), strict=True)
    items = [{"variant": variant, "quantity": _number(quantity)} for variant, quantity in pairs]
    rest = {name: values[0] for name, values in given.items() if values[0]}
    return _checked(lambda: CheckoutIn.model_validate({"items": items, **rest}))


def request_body() -> dict[str, Any]:
    """The OpenAPI description of both forms."""
    schema = CheckoutIn.model_json_schema()
    item = schema.pop("$defs")["ItemIn"]
    schema["properties"]["items"]["items"] = item
    fields = {name: field for name, field in schema["properties"].items() if name != "items"}
    form = {
        "type": "object",
        "properties": {**item["properties"], **fields},
        "required": ["variant"],
        "additionalProperties": False,
    }
    return {"required": True, "content": {"application/json": {"schema": schema}, FORM: {"schema": form}}}


def _number(text: str) -> int | str:
    """A number where the text is one; else the text, to be refused like any other."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else text


def _checked(parse: Callable[[], CheckoutIn]) -> CheckoutIn:
    try:
        return parse()
    except ValidationError as wrong:
        raise from_validation({**error, "loc": ("body", *error["loc"])} for error in wrong.errors()) from None
