"""One module of widgets/elements, read as far as packing needs: what it imports, exports and declares. Pure.

Only the forms of widgets/README.md ("Serving and packing") are understood; anything else is refused, never guessed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.storefront.assets import minified

_IMPORT = re.compile(r'^import (?:\{([^}]*)\} from )?"\./([\w-]+\.js)";\n?', re.M)
_EXPORT_LIST = re.compile(r"^export \{([^}]*)\};\n?", re.M)
_EXPORT = re.compile(r"^export (?=(?:const|class|(?:async )?function\*?) ([\w$]+))", re.M)
_OTHER = re.compile(r"^(?:import(?! ?[.(])|export)\b.*", re.M)
_AWAIT = re.compile(r"^(?=[^\s*/])(?!.*\basync\b).*\bawait\b.*", re.M)
_DECLARED = re.compile(r"^(?:const|let|var|class|(?:async )?function\*?) ([\w$]+)", re.M)
_UNPACKED = re.compile(r"^(?:const|let|var) [\[{].*", re.M)
_MOVED = re.compile(r"\b(?:const|let|var)\s*[\[{][^;=]*=\s*\((?:async )?(?:\([^()]*\)|\w+)\s*=>.*")
_LATER = re.compile(r'\bimport\((?:"\./([\w-]+\.js)"\))?')
_NAME = re.compile(r"[A-Za-z_$][\w$]*")
_STYLE = re.compile(r"(?:(?<== )|(?<=\())`([^`\\$]*)`")  # not those of comments
_PIECE = re.compile(r"""[^"'`{}]+|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|.""", re.S)
_TEMPLATE = re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*(\$\{|`)", re.S)
_FREE = re.compile(r"(?<![\w$.#])[A-Za-z_$][\w$]*(?![\w$:])")


class CannotPack(ValueError):
    """A module is written in a way that the packer does not understand; the message names it and the line."""

    def __init__(self, module: str, why: str) -> None:
        super().__init__(f"widgets/elements/{module} cannot be packed: {why}")


@dataclass(frozen=True)
class Module:
    """`imports` maps a neighbour to the names taken from it; `later` are neighbours that are imported when used.

    `body` is the module without its imports and the word `export`. `names` are those of its top level that it
    declares itself, `free` all words that may mean something outside it.
    """

    name: str
    body: str
    imports: dict[str, tuple[str, ...]]
    later: tuple[str, ...]
    exports: tuple[str, ...]
    names: tuple[str, ...]
    free: frozenset[str]
    empty: bool

    @property
    def known(self) -> frozenset[str]:
        """The names whose meaning it has from itself or from a neighbour."""
        return frozenset(self.names).union(*self.imports.values())


def read(name: str, text: str) -> Module:
    """The module `name`. Raises `CannotPack`."""
    text = _styled(name, text)
    imports: dict[str, tuple[str, ...]] = {}
    for names, neighbour in _IMPORT.findall(text):
        imports[neighbour] = imports.get(neighbour, ()) + tuple(_names(name, names))
    exports = [each for names in _EXPORT_LIST.findall(text) for each in _names(name, names)]
    exports += _EXPORT.findall(text)
    body = _EXPORT.sub("", _EXPORT_LIST.sub("", _IMPORT.sub("", text)))
    for form, why in ((_OTHER, "of this form"), (_AWAIT, "which waits at the top level"), (_UNPACKED, "of this form")):
        if found := form.search(body):
            raise CannotPack(name, f"it has a line {why}: {found[0].strip()}")
    if found := _MOVED.search(body):
        raise CannotPack(name, f"the library would move this before its neighbours; name the function: {found[0]}")
    short = _minified(name, f"(()=>{{{body}\n}})()")
    return Module(
        name=name,
        body=body,
        imports=imports,
        later=tuple(_later(name, short)),
        exports=tuple(exports),
        names=tuple(_DECLARED.findall(body)),
        free=frozenset(_FREE.findall("".join(_code(short)))),
        empty=not imports and not exports and not _minified(name, body),
    )


def _styled(name: str, text: str) -> str:
    """In `styles.js` and `*-styles.js` templates are style sheets: most of what the elements weigh."""
    if not name.endswith("styles.js"):
        return text
    return _STYLE.sub(lambda found: f"`{minified.style(found[1])}`", text)


def _names(module: str, listed: str) -> Iterator[str]:
    for name in listed.replace("\n", " ").strip().rstrip(",").split(","):
        if _NAME.fullmatch(name.strip()):
            yield name.strip()
        elif listed.strip():
            raise CannotPack(module, f"it gives a thing another name: {name.strip()}")


def _later(module: str, short: str) -> Iterator[str]:
    for found in _LATER.finditer(short):
        if not found[1]:
            raise CannotPack(module, f"an import() must name its module: {found[0]}{short[found.end() :][:40]}")
        yield found[1]


def _code(short: str) -> Iterator[str]:
    """What is neither a string nor the text of a template. (A quote in a regular expression may hide some of it.)"""
    open_braces: list[bool] = []  # whether each is that of a template
    at = 0
    while found := _PIECE.match(short, at):
        piece, at = found[0], found.end()
        if piece == "`" or (piece == "}" and open_braces and open_braces.pop()):
            text = _TEMPLATE.match(short, at)
            at = text.end() if text else at
            if text and text[1] == "${":
                open_braces.append(True)
            yield " "
        elif piece == "{":
            open_braces.append(False)
            yield piece
        elif piece[0] in "\"'":
            yield '""'
        else:
            yield piece


def _minified(module: str, text: str) -> str:
    try:
        return minified.script(text)
    except minified.CannotMinify as error:
        raise CannotPack(module, str(error)) from error
