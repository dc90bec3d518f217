"""Why nothing was fetched. Pure."""

from enum import StrEnum


class Reason(StrEnum):
    """A "no" has a reason."""

    FORBIDDEN = "forbidden"  # the address is of a form, or leads to a place, where we do not go
    UNREACHABLE = "unreachable"  # no such name, nobody listens, TLS or HTTP is broken
    TOO_SLOW = "too_slow"
    TOO_LARGE = "too_large"
    WRONG_TYPE = "wrong_type"
    TOO_MANY_REDIRECTS = "too_many_redirects"


class Refused(Exception):
    """Nothing was fetched; `reason` says why in one word, the message in a sentence for the log."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
