"""Bought through the link of somebody who has bought with the same card. Pure."""

from typing import Final

from app.trust.found import About, Evidence
from app.trust.rules.rule import Rule
from app.trust.rules.same_buyer import SameBuyer, told

RULE: Final = Rule("own_card", (About.VISIT, About.ORDER))


def judge(seen: SameBuyer) -> Evidence | None:
    """Doubtful where the sharer has bought with the card of this order and is not known to be its buyer."""
    return told(seen)
