"""How long a text is for a network, and how it is cut: graphemes, never halves of one.

Pure. Follows the rules of Unicode's UAX #29 that matter for people's captions (marks, emoji sequences, flags,
Hangul); the standard library has no segmentation of its own.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator

ELLIPSIS = "…"
_ZWJ = "\u200d"
# A letter under a thousand accents is one grapheme; no honest caption needs so many.
_MOST_MARKS = 16
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+")


def plain(text: str) -> str:
    """`text` without control characters, direction overrides, lone surrogates; line ends are line feeds."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return _CONTROL.sub("", lines).strip()


def one_line(text: str) -> str:
    """`plain` text on one line: what may stand in a mail's subject or a title."""
    return " ".join(plain(text).split())


def graphemes(text: str) -> Iterator[str]:
    """What a reader calls characters, in order; together they are `text` again, less marks beyond sixteen."""
    cluster = ""
    for char in text:
        if cluster and _joins(cluster, char):
            if len(cluster) <= _MOST_MARKS:
                cluster += char
            continue
        if cluster:
            yield cluster
        cluster = char
    if cluster:
        yield cluster


def weight_on_x(grapheme: str) -> int:
    """X counts an emoji as two, and most scripts outside Europe as two a character (its text library, v3)."""
    if any("\U0001f000" <= char <= "\U0001faff" or char == "\ufe0f" for char in grapheme):
        return 2
    return sum(1 if _is_light_on_x(ord(char)) else 2 for char in grapheme)


def one_each(_grapheme: str) -> int:
    """The plain measure: every grapheme counts one."""
    return 1


def length(text: str, measure: Callable[[str], int] = one_each) -> int:
    """Length of `text` in graphemes, or in what `measure` counts."""
    return sum(measure(grapheme) for grapheme in graphemes(text))


def fit(text: str, room: int, measure: Callable[[str], int] = one_each) -> str:
    """`text` if it fits into `room`, else cut at a word or grapheme, with an ellipsis; may be empty."""
    kept: list[str] = []
    used, shorter = 0, 0
    for grapheme in graphemes(text):
        used += measure(grapheme)
        if used > room:
            break
        kept.append(grapheme)
        if used + measure(ELLIPSIS) <= room:
            shorter = len(kept)
    else:
        return "".join(kept)
    head = "".join(kept[:shorter])
    at_word = head.rfind(" ")
    # A cut at a word reads better, but not when the only word is a very long one.
    if at_word > len(head) * 2 // 3 and not text[len(head) : len(head) + 1].isspace():
        head = head[:at_word]
    return head.rstrip(" \n.,;:!?-") + ELLIPSIS if head.strip() else ""


def _joins(cluster: str, char: str) -> bool:
    last = cluster[-1]
    if char == _ZWJ or "\U0001f3fb" <= char <= "\U0001f3ff" or "\U000e0020" <= char <= "\U000e007f":
        return True
    if unicodedata.category(char) in {"Mn", "Me", "Mc"}:
        return True
    if last == _ZWJ:
        return char >= "\u2190" and unicodedata.category(char) in {"So", "Sm"}
    if _is_flag_half(last) and _is_flag_half(char):
        return len(cluster) == 1
    return (last, char) == ("\r", "\n") or _is_hangul_tail(last, char)


def _is_flag_half(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _is_hangul_tail(last: str, char: str) -> bool:
    leads = "\u1100" <= last <= "\u115f"
    vowel_or_syllable = "\u1160" <= last <= "\u11ff" or "\uac00" <= last <= "\ud7a3"
    return ("\u1160" <= char <= "\u11ff" and (leads or vowel_or_syllable)) or (
        leads and ("\u1100" <= char <= "\u115f" or "\uac00" <= char <= "\ud7a3")
    )


def _is_light_on_x(code: int) -> bool:
    return code <= 0x10FF or 0x2000 <= code <= 0x200D or 0x2010 <= code <= 0x201F or 0x2032 <= code <= 0x2037
