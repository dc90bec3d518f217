"""Calls of the API, as the page makes them and as a person would. Pure."""

import shlex
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

PATH: Final = "/reports"
"""Under which the report page stands."""
Parameters = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Call:
    """A GET of the API: a path such as `/v1/reports/funnel`, in clear, and its parameters."""

    path: str
    query: Parameters = ()

    @property
    def query_string(self) -> str:
        return urlencode(self.query, safe=":,()", quote_via=quote)

    @property
    def target(self) -> str:
        """Path and query, as they stand in an address."""
        query = self.query_string
        return quote(self.path, safe="/:@") + (f"?{query}" if query else "")

    def with_more(self, **query: str) -> "Call":
        """The same, asked with more."""
        return Call(self.path, (*self.query, *query.items()))

    def curl(self, own: str) -> str:
        """What a person types; the key stands in `$KEY`."""
        return f'curl -H "Authorization: Bearer $KEY" \\\n  {shlex.quote(own + self.target)}'

    @property
    def here(self) -> str:
        """Where the same answer is shown to who has signed in."""
        return PATH + self.target
