"""Takes out of a text what must not be kept beside it: keys, tokens, secrets, mail and people's addresses. Pure.

What stands in logs and in the audit trail goes through here once more, whoever wrote it: the last net, not the first.
"""

import re
from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import Final

_SECRET: Final = re.compile(
    r"\b(?:(?:sk|rk|pk)_(?:live_|test_)?[A-Za-z0-9]{8,}|(?:whsec|shp[a-z]{2})_[A-Za-z0-9+/=_-]{8,}"
    r"|vt_[A-Za-z0-9._-]{8,}|(?i:Bearer|Basic)\s+[^\s\"',;]+|gv_report=[^\s\"',;]+)"
)
"""Keys of ours and of Stripe's, secrets of webhooks, tokens of visitors, what is sent to prove them."""
_IN_ADDRESS: Final = re.compile(r"(?<=://)[^\s/@\"']+@")
"""A user and a password in an address."""
_MAIL: Final = re.compile(r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_IPV4: Final = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)")
_IPV6: Final = re.compile(
    r"(?<![\w:.])(?=[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:]{2,39}(?:\.\d{1,3}){0,3}(?![\w:]|\.\d)"
)
_OWN: Final = tuple(
    map(
        ip_network,
        (
            *("0.0.0.0/32", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"),
            *("::/127", "fc00::/7", "fe80::/10"),
        ),
    )
)
"""Machines beside this one, such as the database: of no shopper's, and an operator must read of them."""
_SHORTEST: Final = 8


class Redactor:
    """Knows the secrets of this server, and the forms of all others."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        """`known` secrets shorter than eight characters are left: they would be found in half of all words."""
        secrets = sorted({each for each in known if len(each) >= _SHORTEST}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, secrets))) if secrets else None

    def __call__(self, text: str) -> str:
        """`text` with a word in the place of each secret, mail and address."""
        if self._known is not None:
            text = self._known.sub("[secret]", text)
        return _IPV4.sub(_without_strangers, _IPV6.sub(_without_strangers, redacted(text)))


def redacted(text: str) -> str:
    """The same for who knows no secrets, and whose addresses are those of machines."""
    return _MAIL.sub("[mail]", _IN_ADDRESS.sub("[secret]@", _SECRET.sub("[secret]", text)))


def _without_strangers(found: re.Match[str]) -> str:
    try:
        address = ip_address(found[0])
    except ValueError:  # a version, a time, a place in a file
        return found[0]
    return found[0] if any(address in network for network in _OWN) else "[address]"
