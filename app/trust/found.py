"""What a rule found: plain values, in which rules, the queue and attribution speak of doubts. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

Evidence = Mapping[str, str | int | list[str]]
"""Numbers, times (RFC 3339) and ids of ours; never an address, agent, mail, card, name or visitor."""


class About(StrEnum):
    """What a doubt is about: its id is one of a referral, of a visit (`clk_…`) or of an order (`ord_…`)."""

    REFERRAL = "referral"
    VISIT = "visit"
    ORDER = "order"


class Found(NamedTuple):
    """`rule` (its stable reason code) found something doubtful about `subject`."""

    about: About
    subject: str
    rule: str
    evidence: Evidence


def doubtful(about: About, subject: str, rule: str, evidence: Evidence | None) -> list[Found]:
    """What a rule judged of something, to be recorded: nothing where it has no evidence."""
    return [] if evidence is None else [Found(about, subject, rule, evidence)]
