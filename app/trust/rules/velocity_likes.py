"""More likes of one visitor's, or from one network block, than people make. Pure."""

from typing import Final

from app.trust.found import About
from app.trust.rules import pace
from app.trust.rules.pace import judge
from app.trust.rules.rule import Rule

__all__ = ["RULE", "judge"]

RULE: Final = Rule("velocity_likes", (About.REFERRAL,), thresholds=pace.thresholds(60, 300, "likes"))
