"""How a merchant's buyers pay: promotion codes, tax, shipping, time. Pure: knows no session, no HTTP, not Stripe's API.

What Stripe takes is from its OpenAPI document, `POST /v1/checkout/sessions` (a test compares the two).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from app.merchants.kept import KeptSettings

TaxBehavior = Literal["exclusive", "inclusive"]

SHORTEST, USUAL, LONGEST = 30, 120, 1440
"""Minutes that a buyer has to pay: Stripe allows half an hour to a day."""
_MARGIN = timedelta(minutes=1)
"""Kept at both ends, since a request takes time and clocks differ a little."""
MOST_OPTIONS = 5
"""Ways of shipping that a session offers at most."""

_COUNTRIES = """
    AC AD AE AF AG AI AL AM AO AQ AR AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CD
    CF CG CH CI CK CL CM CN CO CR CV CW CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FO FR GA GB GD GE GF GG GH
    GI GL GM GN GP GQ GR GS GT GU GW GY HK HN HR HT HU ID IE IL IM IN IO IQ IS IT JE JM JO JP KE KG KH KI KM KN KR KW KY
    KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MK ML MM MN MO MQ MR MS MT MU MV MW MX MY MZ NA NC NE NG NI NL
    NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO
    SR SS ST SV SX SZ TA TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VA VC VE VG VN VU WF WS XK YE YT
    ZA ZM ZW ZZ
"""
COUNTRIES = frozenset(_COUNTRIES.split())
"""Where Stripe lets a buyer live: ISO 3166-1, less those under embargo, and a few of Stripe's own."""


@dataclass(frozen=True)
class ShippingOption:
    """A way of shipping: what it costs, in minor units, and how many days it takes, where that is said."""

    name: str
    amount: int
    currency: str
    min_days: int | None = None
    max_days: int | None = None


@dataclass(frozen=True)
class Shipping:
    """Buyers say where to: an address in one of these countries; and how, of the options in the sale's currency."""

    countries: tuple[str, ...]
    options: tuple[ShippingOption, ...] = ()

    def options_in(self, currency: str) -> tuple[ShippingOption, ...]:
        """The ways of shipping a sale in that currency."""
        return tuple(option for option in self.options if option.currency == currency)


@dataclass(frozen=True)
class Selling(KeptSettings):
    """A merchant's settings for checkouts, and what holds where nothing was set."""

    promotion_codes: bool = False
    automatic_tax: bool = False
    tax_behavior: TaxBehavior = "exclusive"
    shipping: Shipping | None = None
    expires_after_minutes: int = USUAL

    @property
    def lives(self) -> timedelta:
        """How long a session is open, as Stripe takes it."""
        wanted = timedelta(minutes=self.expires_after_minutes)
        return min(max(wanted, timedelta(minutes=SHORTEST) + _MARGIN), timedelta(minutes=LONGEST) - _MARGIN)

    @classmethod
    def _read(cls, kept: Mapping[str, Any]) -> dict[str, Any]:
        shipping = kept.get("shipping")
        return {**kept, "shipping": None if shipping is None else _shipping(shipping)}


def _shipping(kept: Mapping[str, Any]) -> Shipping:
    return Shipping(tuple(kept["countries"]), tuple(ShippingOption(**option) for option in kept["options"]))
