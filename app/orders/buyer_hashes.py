"""What an order brings by which its buyer could be known again (mail, card), as it is kept: as hashes, keyed with the
server's secret for each merchant apart. Pure.

So of one merchant's orders it can be seen which are the same person's. Nobody reads a mail or a card in them, and two
merchants' hashes of one person have nothing in common.
"""

import re
from typing import Final

from app.kernel.signing import Signer

_GMAIL: Final = frozenset({"gmail.com", "googlemail.com"})
_FINGERPRINT: Final = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)


def mail_hash(signer: Signer, merchant_id: int, mail: str | None) -> str | None:
    """How a mail address is remembered; None for what is no address. All spellings under which mail reaches the same
    box are one (`box_of`)."""
    box = box_of(mail) if mail else None
    return None if box is None else signer.hash(f"mail:{merchant_id}", box)


def card_hash(signer: Signer, merchant_id: int, fingerprint: str | None) -> str | None:
    """How a card is remembered, by Stripe's fingerprint of it; None for what is none."""
    if fingerprint is None or _FINGERPRINT.fullmatch(fingerprint) is None:
        return None
    return signer.hash(f"card:{merchant_id}", fingerprint)  # its case counts


def box_of(mail: str) -> str | None:
    """The box behind a mail address: without spaces around it, in lower case, without a `+tag` (RFC 5233), and at
    Gmail, whose boxes have no dots, without them. None for what is no address.

    Tags are taken off everywhere, since most who host mail deliver them so: who calls himself `me+2@` is seen. Where
    somebody's host does otherwise, two people of one host must have names that differ in nothing but that.
    """
    name, _, host = mail.strip().casefold().rpartition("@")
    host = host.rstrip(".")
    name = name.partition("+")[0] or name
    if host in _GMAIL:
        name, host = name.replace(".", "") or name, "gmail.com"
    return f"{name}@{host}" if name and host and not any(sign.isspace() for sign in name + host) else None
