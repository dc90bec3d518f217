"""The strings that a person reads, by language, and which language to speak. Reads its files once."""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from app.kernel.languages import LONGEST_HEADER, accepted
from app.networks.catalogue import BY_ID

DEFAULT = "en"
_ONLY_ON_PAGES = ("page_", "embed_")

Messages = Mapping[str, str]


class Words:
    """All languages of `folder`, one file each."""

    def __init__(self, folder: Path) -> None:
        self._messages: dict[str, Messages] = {
            file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))
        }
        self._languages = tuple(self._messages)

    def __getitem__(self, language: str) -> Messages:
        return self._messages[language]

    def for_widgets(self, language: str) -> Messages:
        """Those that elements need; what only pages and frames of ours say is left out."""
        return {key: text for key, text in self[language].items() if not key.startswith(_ONLY_ON_PAGES)}

    def asked(self, accept_language: str | None) -> str:
        """The language that the visitor likes best of ours."""
        return preferred((accept_language or "")[:LONGEST_HEADER], self._languages)

    def of_locale(self, locale: str | None, otherwise: str) -> str:
        """The language of `locale` (BCP 47) where there is one and we speak it."""
        language = (locale or "").partition("-")[0].lower()
        return language if language in self._messages else otherwise


def network_name(network: str, words: Messages) -> str:
    """A network as people call it: most have one name in all languages. Pages alone say what is never offered."""
    known = BY_ID.get(network)
    said = words.get(f"network_{network}") or words.get(f"page_network_{network}")
    return said or (known.name if known else network)


@lru_cache(maxsize=2048)
def preferred(accept_language: str, languages: tuple[str, ...]) -> str:
    """The best of `languages` by an Accept-Language header, else English."""
    spoken = (tag.partition("-")[0] for tag in accepted(accept_language))
    return next((language for language in spoken if language in languages), DEFAULT)
