"""The page out of templates (widgets/pages/reports): complete without JavaScript, in one language. Knows no request."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader

from app.report_page.calls import Call
from app.report_page.charts.timeline import HEIGHT, WIDTH
from app.report_page.session import Reader
from app.report_page.speech import Speech
from app.storefront.pages.heads import Head
from app.storefront.pages.templates import NAME
from app.storefront.words import Words

_FOLDER: Final = "reports"


class ReportPages:
    """Renders. Threads may share it. `widgets` is the folder of pages and messages, `own` this server's address."""

    def __init__(self, widgets: Path, words: Words, assets: str, own: str) -> None:
        self._templates = Environment(loader=FileSystemLoader(widgets / "pages"), autoescape=True, auto_reload=False)
        self._common = words
        self._own_words = Words(widgets / "messages" / _FOLDER)
        self._assets = assets
        self._own = own
        self.words = cache(self._words)
        self.speech = cache(self._speech)

    def render(self, template: str, language: str, title: str, reader: Reader | None, **context: object) -> bytes:
        """The page of a template. Nobody but its reader is meant, so nothing of it is for machines."""
        text = self._templates.get_template(f"{_FOLDER}/{template}").render(
            words=self.words(language),
            assets=self._assets,
            shop={"name": reader.shop if reader else NAME},
            page=Head(title, robots="noindex"),
            json_ld=None,
            reader=reader,
            curl=self._curl,
            chart={"width": WIDTH, "height": HEIGHT},
            **context,
        )
        return text.encode()

    def _curl(self, call: Call) -> str:
        return call.curl(self._own)

    def _words(self, language: str) -> Mapping[str, str]:
        return {**self._common[language], **self._own_words[language]}

    def _speech(self, language: str) -> Speech:
        return Speech(language, self.words(language))
