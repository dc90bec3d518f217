"""`/me`: the page on which a sharer sees what their word did.

It is the same for everybody: who somebody is only their browser knows, which keeps the token and sends it as a header
to `GET /v1/me`. So the page says nothing of anybody, and no token is ever in an address that a server gets.
"""

from app.storefront import headers
from app.storefront.answers import Answer, Ask, Prepared
from app.storefront.pages.answers import HTML, Hosted
from app.storefront.parts import Parts


class MePage:
    """Answers with the page, in the reader's language."""

    def __init__(self, parts: Parts, hosted: Hosted) -> None:
        self._parts = parts
        self._hosted = hosted
        self._ready: dict[str, Prepared] = {}

    async def answer(self, ask: Ask) -> Answer:
        """The page, of which there is one in each language."""
        language = self._hosted.language(ask)
        ready = self._ready.get(language)
        if ready is None:
            body = self._parts.pages.me(language)
            about = [headers.REVALIDATED, headers.BY_LANGUAGE, *self._parts.common]
            ready = self._ready[language] = Prepared(body, HTML, about, None)
        return ready.answer(ask)
