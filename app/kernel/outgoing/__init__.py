"""Requests to addresses that others gave: a merchant's picture, a merchant's page, where a merchant wants to be told
something. All go through one `Guard`.

It resolves a name once and connects to exactly the address that it has judged; what is not on the public internet is
refused, at every redirect anew; time, size, redirects and types are bounded. Knows no domain and no database.
"""

from app.kernel.outgoing.guard import Answered, Fetched, Guard
from app.kernel.outgoing.refusals import Reason, Refused

__all__ = ["Answered", "Fetched", "Guard", "Reason", "Refused"]
