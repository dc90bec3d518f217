"""The languages that a browser asks for. Pure."""

LONGEST_HEADER = 200
"""Characters that are looked at."""


def accepted(accept_language: str | None) -> list[str]:
    """The tags (BCP 47, lower case) of an Accept-Language header, best first (RFC 9110, 12.5.4). What is refused
    (`q=0`) or cannot be read is left out."""
    weighed = []
    for part in (accept_language or "")[:LONGEST_HEADER].split(","):
        tag, _, parameters = part.partition(";")
        weight = _weight(parameters)
        if tag.strip() and weight > 0:
            weighed.append((weight, tag.strip().lower()))
    return [tag for _, tag in sorted(weighed, key=lambda each: -each[0])]  # of equal ones, the earlier


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0
