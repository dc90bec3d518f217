"""HTML of a feed to text: what a merchant wrote, without its markup. Knows no feed and no product."""

import html
import re

_LINES = {"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "dt", "dd"}
_LINES |= {"table", "blockquote", "pre", "section", "article", "header", "footer", "figure", "figcaption", "hr"}
_CELLS = {"td", "th"}
_UNSEEN = {"script", "style", "template", "noscript", "iframe", "object", "title", "textarea", "select", "svg"}
_TAG = re.compile(r"</?([a-z][a-z0-9]*)>")
_BULLET = re.compile(r"•\s+")
_MARKUP = re.compile(r"<[a-zA-Z/!?]")
_INVISIBLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def from_html(source: str) -> str:
    """Plain text of an HTML fragment: a paragraph, list item or line break is a line, entities are decoded,
    what is not shown (scripts, styles, comments) is dropped. Text without markup keeps its own lines.
    """
    import nh3  # when a catalogue comes in

    safe = _INVISIBLE.sub("", source)
    if _MARKUP.search(safe):
        safe = " ".join(safe.split())
    kept = nh3.clean(
        safe, tags=_LINES | _CELLS, clean_content_tags=_UNSEEN, attributes={}, link_rel=None, strip_comments=True
    )
    # A paragraph inside a list item would leave the bullet alone on its line.
    return lines(_BULLET.sub("• ", html.unescape(_TAG.sub(_as_space, kept))))


def lines(text: str) -> str:
    """`text` with tidy white space: no empty lines, no runs of spaces, nothing invisible."""
    rows = (" ".join(row.split()) for row in _INVISIBLE.sub("", text).splitlines())
    return "\n".join(row for row in rows if row and row != "•")


def one_line(text: str) -> str:
    """`text` on one line: for titles, brands and other names."""
    return " ".join(_INVISIBLE.sub(" ", text).split())


def _as_space(tag: re.Match[str]) -> str:
    if tag[0] == "<li>":
        return "\n• "
    return " " if tag[1] in _CELLS else "\n"
