"""`/docs` and `/openapi.json`: the API's page and its document, made when they are first asked for and kept packed."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape

from app.storefront.answers import Answer, Ask, Header, Prepared
from app.storefront.headers import NO_SNIFFING, REVALIDATED, only_encrypted, script_free_headers
from app.storefront.reference import document

HTML: Final = "text/html; charset=utf-8"
JSON: Final = "application/json"


class Reference:
    """Answers with the document that `describe` gives, and with a page of it. `templates` is the folder of pages.

    Both are the same for everybody. They take a while the first time: not for the event loop.
    """

    def __init__(self, templates: Path, assets: str, describe: Callable[[], dict[str, Any]], own: str) -> None:
        self._templates = templates
        self._assets = assets
        self._describe = describe
        self._page = _Once(self._render, HTML, script_free_headers(own))
        self._document = _Once(self._written, JSON, [NO_SNIFFING, *only_encrypted(own)])

    def page(self, ask: Ask) -> Answer:
        """The page, for eyes."""
        return self._page.answer(ask)

    def document(self, ask: Ask) -> Answer:
        """The document, for programs (OpenAPI 3.1)."""
        return self._document.answer(ask)

    def _written(self) -> bytes:
        return json.dumps(self._describe(), ensure_ascii=False, separators=(",", ":")).encode()

    def _render(self) -> bytes:
        environment = Environment(loader=FileSystemLoader(self._templates), autoescape=True)
        environment.filters["said"] = said
        told = self._describe()
        page = environment.get_template("reference.html").render(
            assets=self._assets,
            info=told["info"],
            groups=document.groups(told),
            schemas=document.schemas(told),
        )
        return page.encode()


class _Once:
    """An answer that is made for who asks first; who asks meanwhile waits for it."""

    def __init__(self, make: Callable[[], bytes], media_type: str, headers: Sequence[Header]) -> None:
        self._make = make
        self._media_type = media_type
        self._headers = [REVALIDATED, *headers]
        self._making = Lock()
        self._ready: Prepared | None = None

    def answer(self, ask: Ask) -> Answer:
        with self._making:
            if self._ready is None:
                self._ready = Prepared(self._make(), self._media_type, self._headers)
        return self._ready.answer(ask)


def said(text: str) -> Markup:
    """Text with what stands between backticks as code."""
    parts = [str(escape(part)) for part in text.split("`")]
    return Markup("".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts)))  # noqa: S704 - escaped above  # nosec B704
