"""Coupon codes, as they are compared: trimmed, whatever their case (attribution.md, rule 5). Pure."""

LONGEST = 600
"""Characters of a normalised code: one of 200 may become three times as long ("ΐ" is three when its case is folded)."""


def normalised(code: str) -> str:
    """The form in which codes that are the same are the same text."""
    return code.strip().casefold()


def key_of(code: str | None) -> str | None:
    """The same of a code that may be absent; None of nothing but spaces."""
    return normalised(code or "") or None
