"""Scripts and styles without what only people read, by the tdewolff library: the one place that knows it.

The library is loaded when it is first used: it brings a runtime of its own (8 MiB), and a server whose packed files
are kept on disk never needs it.
"""

from importlib.metadata import version
from typing import Literal


class CannotMinify(ValueError):
    """The library cannot read the text; it says where."""


def script(text: str) -> str:
    """A JavaScript module. Names at its top level stay; those inside functions become short. Raises `CannotMinify`."""
    return _minified("text/javascript", text)


def style(text: str) -> str:
    """A style sheet. Raises `CannotMinify`."""
    return _minified("text/css", text)


def recipe() -> str:
    """By which edition of the library: another one may write the same otherwise."""
    return f"tdewolff-minify {version('tdewolff-minify')}"


def _minified(media_type: Literal["text/javascript", "text/css"], text: str) -> str:
    import minify  # type: ignore[import-untyped]

    if "\0" in text:
        raise CannotMinify("a NUL character ends the text for the library")
    try:
        return str(minify.string(media_type, text))
    except minify.MinifyError as error:
        raise CannotMinify(str(error).strip()) from error
