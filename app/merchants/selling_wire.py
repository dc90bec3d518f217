"""How a merchant's buyers pay, as JSON, in and out: the `checkout` of `/v1/merchant`."""

from collections import Counter
from typing import Annotated, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from app.kernel.http.wire import Amount, Body, Currency, Text, Wire
from app.merchants.selling import COUNTRIES, LONGEST, MOST_OPTIONS, SHORTEST, Selling, TaxBehavior


def _country(text: str) -> str:
    code = text.upper()
    if code not in COUNTRIES:
        raise PydanticCustomError("unknown_country", "is not a country of ISO 3166-1 in which Stripe takes addresses")
    return code


Country = Annotated[str, Field(max_length=20, examples=["DE"]), AfterValidator(_country)]
Days = Annotated[int, Field(ge=0, le=365, strict=True)]


class ShippingOptionBody(Body):
    """A way of shipping, and what it costs. Offered where the sale is in the same currency."""

    name: Annotated[Text, Field(min_length=1, max_length=100, examples=["Parcel"])]
    amount: Amount
    currency: Currency
    min_days: Days | None = None
    max_days: Days | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_days is not None and self.max_days is not None and self.min_days > self.max_days:
            raise PydanticCustomError("days_out_of_order", "min_days must not be more than max_days")
        return self


class ShippingBody(Body):
    """Where to buyers may have it sent, and how. Without options the address is asked for and shipping costs nothing;
    with some, a sale in a currency that none of them has is refused."""

    countries: Annotated[
        list[Country], Field(min_length=1, max_length=300, description="ISO 3166-1 alpha-2, as Stripe takes them.")
    ]
    options: Annotated[
        list[ShippingOptionBody],
        Field(max_length=100, description=f"At most {MOST_OPTIONS} in one currency; the first is offered first."),
    ] = []

    @model_validator(mode="after")
    def _few_enough(self) -> Self:
        self.countries = list(dict.fromkeys(self.countries))
        if any(count > MOST_OPTIONS for count in Counter(option.currency for option in self.options).values()):
            raise PydanticCustomError(
                "too_many_options", f"options must be at most {MOST_OPTIONS} in one currency, as Stripe offers no more"
            )
        return self


_PROMOTION_CODES = "Stripe's page asks for a promotion code, and takes every one of the account, whosever it is."
_AUTOMATIC_TAX = "Stripe computes the tax (Stripe Tax must be set up in the account)."
_TAX_BEHAVIOR = "Whether tax comes on top of prices, or is in them; counts with `automatic_tax`."
_EXPIRES = "How long a buyer has to pay, and stock is reserved; Stripe allows half an hour to a day, less a minute."
Minutes = Annotated[int, Field(ge=SHORTEST, le=LONGEST, strict=True, examples=[120])]


_EXAMPLE: JsonDict = {
    "promotion_codes": True,
    "automatic_tax": True,
    "tax_behavior": "inclusive",
    "shipping": {
        "countries": ["DE", "AT"],
        "options": [{"name": "Parcel", "amount": 490, "currency": "eur", "min_days": 2, "max_days": 4}],
    },
    "expires_after_minutes": 120,
}


class SellingPatch(Body):
    """The settings of checkouts to change; what is left out stays. `shipping` is replaced whole, `null` ends it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    promotion_codes: Annotated[bool, Field(strict=True, description=_PROMOTION_CODES)] | None = None
    automatic_tax: Annotated[bool, Field(strict=True, description=_AUTOMATIC_TAX)] | None = None
    tax_behavior: Annotated[TaxBehavior, Field(description=_TAX_BEHAVIOR)] | None = None
    shipping: ShippingBody | None = None
    expires_after_minutes: Annotated[Minutes, Field(description=_EXPIRES)] | None = None

    def changed(self, standing: Selling) -> Selling:
        """What stands, with what is said here."""
        said = {name: value for name, value in self.model_dump().items() if name in self.model_fields_set}
        return standing.changed(said, to_none=("shipping",))


class SellingOut(Wire):
    """How buyers pay."""

    promotion_codes: Annotated[bool, Field(description=_PROMOTION_CODES)]
    automatic_tax: Annotated[bool, Field(description=_AUTOMATIC_TAX)]
    tax_behavior: Annotated[TaxBehavior, Field(description=_TAX_BEHAVIOR)]
    shipping: ShippingBody | None
    expires_after_minutes: Annotated[int, Field(description=_EXPIRES)]

    @classmethod
    def of(cls, selling: Selling) -> "SellingOut":
        return cls.model_validate(selling.to_json())
