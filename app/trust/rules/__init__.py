"""The rules by which something is doubted, each in a file of its own, and their registry. Pure.

A rule judges numbers that others have gathered (`trust/evidence.py`) and answers with the evidence for a doubt, or
with None. It knows neither who the people are nor where they are.
"""

from collections.abc import Mapping
from typing import Final

from app.trust.rules import (
    click_stuffing,
    coupon_site,
    duplicate_sharers,
    elsewhere,
    own_card,
    own_device,
    own_mail,
    refunds_in_series,
    too_fast,
    velocity_likes,
    velocity_shares,
    velocity_visits,
)
from app.trust.rules.rule import Do, Rule, Threshold

__all__ = ["RULES", "Do", "Rule", "Threshold"]

_ALL: Final = (
    *elsewhere.RULES,
    own_mail.RULE,
    own_card.RULE,
    own_device.RULE,
    too_fast.RULE,
    click_stuffing.RULE,
    velocity_visits.RULE,
    velocity_likes.RULE,
    velocity_shares.RULE,
    duplicate_sharers.RULE,
    coupon_site.RULE,
    refunds_in_series.RULE,
)
RULES: Final[Mapping[str, Rule]] = {rule.code: rule for rule in _ALL}
"""By code, in the order in which they are told."""
