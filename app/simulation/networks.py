"""Through which networks the people of a world pass the word on, and where they are seen to come from. Data; pure."""

from typing import Final

import numpy as np

from app.networks.catalogue import BY_ID, ONSITE
from app.simulation.chance import Chance, Ints

_SHARED: Final = {
    "whatsapp": 26, "copy": 14, "instagram": 11, "facebook": 10, "messenger": 6, "telegram": 6, "x": 5,
    "pinterest": 5, "email": 5, "tiktok": 4, "sms": 3, "reddit": 2, "mastodon": 2, "qr": 1,
}  # fmt: skip
_NEVER_SEEN: Final = frozenset({"copy", "qr", "sms", ONSITE})
"""What leaves no trace of itself: who comes so is seen to come from elsewhere, or from nowhere."""

NETWORKS: Final = ("", ONSITE, *_SHARED)
"""By number; 0 is none."""
ON_SITE: Final = 1
SHARED_TO: Final = np.array([0, 0, *_SHARED.values()], dtype=np.float64)
"""How often each is chosen to share to."""
FIRST_SHAREABLE: Final = 2


def _seen(shared_to: str) -> list[float]:
    """How often somebody who follows a link that was shared there is seen to come from each; the first is unseen."""
    elsewhere = {name: 0.0 if name in _NEVER_SEEN else weight / 100 for name, weight in _SHARED.items()}
    if shared_to in _NEVER_SEEN:
        return [0.55, 0.0, *(0.6 * weight for weight in elsewhere.values())]
    return [0.45, 0.0, *(0.45 if name == shared_to else 0.12 * weight for name, weight in elsewhere.items())]


_SEEN: Final = np.cumsum([[1.0] * len(NETWORKS), *(_seen(name) for name in NETWORKS[1:])], axis=1)
assert set(NETWORKS[1:]) <= set(BY_ID), "a network of the world is one of the catalogue"


def seen_from(shared_to: Ints, chance: Chance) -> Ints:
    """From which network each is seen to come who follows a link that was shared to `shared_to`; 0: unseen."""
    drawn = chance.uniform(len(shared_to)) * _SEEN[shared_to, -1]
    return np.asarray((_SEEN[shared_to] <= drawn[:, None]).sum(axis=1), dtype=np.int64)
