"""The modules of widgets/elements, packed without a bundler (widgets/README.md, "Serving and packing"). Pure.

What a page needs at its first paint becomes one file, and so does each module that is imported when it is used, with
what it alone needs. Files share one instance of everything, as the modules do: a name is imported from the file it
is in. All is derived from the imports; nothing is listed by hand but the entry.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.storefront.assets import minified, modules
from app.storefront.assets.modules import CannotPack, Module, read

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def recipe() -> bytes:
    """What decides, beside the sources, how the packed files look: this code, and the edition of the library."""
    own = [Path(file).read_bytes() for file in (__file__, modules.__file__, minified.__file__)]
    return b"\0".join([*own, minified.recipe().encode()])


def packed(sources: Mapping[str, str], entry: str) -> dict[str, str]:
    """The packed files by name, of modules by name.

    There is a file for `entry`, for each module that some `import()` names, for each that two files need and
    `entry` does not, and for each that nobody imports. The last kind stands alone, with copies of what it needs,
    unless it imports `entry` or something later: then it belongs to the elements and shares theirs.
    Raises `CannotPack`.
    """
    graph = Graph({name: read(name, text) for name, text in sources.items()})
    alone = sorted(graph.alone(entry))
    files = {root: _write(File(root, graph.needed(root)), graph, {}) for root in alone}
    return files | _sharing(graph, entry, graph.roots(entry) - set(alone))


def _sharing(graph: "Graph", entry: str, roots: set[str]) -> dict[str, str]:
    """The files that share: that of `entry`, and those of `roots`."""
    first = graph.needed(entry)
    for root in sorted(roots & {*first} - {entry}):
        raise CannotPack(root, "it is part of the first paint, and yet some import() asks for it")
    split = graph.split(roots - {entry}, first)
    files = [File(entry, first), *(File(root, members) for root, members in sorted(split.items()))]
    home = {name: file for file in files for name in file.members}
    _in_order(files, home, graph)
    shared = {name for file in files[1:] for target, name in file.outside(graph) if home[target].root == entry}
    files[0].short = _shortened(sorted(shared - {*graph.modules[entry].exports}))
    for file in files:
        file.public |= {name for other in files for target, name in other.outside(graph) if home[target] is file}
    return {file.root: _write(file, graph, home) for file in files}


class Graph:
    """Who needs whom."""

    def __init__(self, all_modules: dict[str, Module]) -> None:
        self.modules = all_modules
        for module in all_modules.values():
            for name, taken in [*module.imports.items(), *((later, ()) for later in module.later)]:
                if name not in all_modules:
                    raise CannotPack(module.name, f"there is no {name}")
                for missing in set(taken) - set(all_modules[name].exports):
                    raise CannotPack(module.name, f"{name} does not export {missing}")

    def needed(self, root: str, without: Iterable[str] = ()) -> list[str]:
        """`root` and all that it imports, in the order in which a browser would evaluate them; less `without`."""
        found: list[str] = []
        seen = set(without) - {root}

        def visit(name: str) -> None:
            seen.add(name)
            for neighbour in self.modules[name].imports:
                if neighbour not in seen:
                    visit(neighbour)
            found.append(name)

        visit(root)
        return found

    def roots(self, entry: str) -> set[str]:
        """The modules that must be files: the entry, what is imported later, and what nobody imports."""
        later = {name for module in self.modules.values() for name in module.later}
        return {entry} | later | {name for name in self._unimported() if not self.modules[name].empty}

    def alone(self, entry: str) -> set[str]:
        """The entries that have nothing to do with the elements."""

        def concerns(name: str) -> bool:
            return any(each == entry or self.modules[each].later for each in self.needed(name))

        later = {name for module in self.modules.values() for name in module.later}
        return {name for name in self.roots(entry) - later if not concerns(name)} - {entry}

    def split(self, roots: set[str], first: Iterable[str]) -> dict[str, list[str]]:
        """The members of each file beside the first. What two of them need becomes a file of its own."""
        while True:
            files = {root: self.needed(root, {*first, *roots}) for root in roots}
            uses = Counter(name for members in files.values() for name in members)
            shared = {name for name, times in uses.items() if times > 1}
            tops = {
                name for file in files.values() for each in file if each not in shared for name in self._imports(each)
            }
            if not shared:
                return files
            roots = roots | (shared & tops)

    def _imports(self, name: str) -> Iterable[str]:
        return self.modules[name].imports

    def _unimported(self) -> set[str]:
        imported = {each for module in self.modules.values() for each in [*module.imports, *module.later]}
        return set(self.modules) - imported


@dataclass(eq=False)
class File:
    """A packed file in the making: `public` are names that it must export, `short` how some of them are called."""

    root: str
    members: list[str]
    public: set[str] = field(default_factory=set)
    short: dict[str, str] = field(default_factory=dict)

    def outside(self, graph: Graph) -> list[tuple[str, str]]:
        """(module, name) of what it imports from other files; no name where a module is imported for what it does."""
        found = dict.fromkeys(
            (target, name)
            for member in self.members
            for target, names in graph.modules[member].imports.items()
            if target not in self.members
            for name in names or ("",)
        )
        return list(found)


def _shortened(names: list[str]) -> dict[str, str]:
    """Short names for what the first file hands to the later ones.

    One of them tells of the whole list: a later file of another version, whose letters may mean other things, then
    fails to link instead of running wild.
    """
    mark = "$" + hashlib.sha256(" ".join(names).encode()).hexdigest()[:4]
    return {name: mark if at == 0 else _letter(at) for at, name in enumerate(names)}


def _letter(at: int) -> str:
    return _LETTERS[at] if at < len(_LETTERS) else f"${at}_"


def _in_order(files: list[File], home: Mapping[str, File], graph: Graph) -> None:
    """Raise `CannotPack` where files import each other in a circle: none of them could begin."""
    needs = {file.root: {home[target].root for target, _ in file.outside(graph)} for file in files}
    while ready := [root for root, others in needs.items() if not others & needs.keys()]:
        for root in ready:
            del needs[root]
    for root in needs:
        raise CannotPack(root, f"it and others import each other in a circle: {', '.join(sorted(needs))}")


def _write(file: File, graph: Graph, home: Mapping[str, File]) -> str:
    """The text of a file: one function, in which every name may be short, and what comes into and out of it."""
    taken = [(home[target], name) for target, name in file.outside(graph)]
    named = [name for _, name in taken if name]
    rest = {*graph.modules[file.root].exports, *file.public} - file.short.keys() - {""}
    given = [*file.short, *sorted(rest)]
    inside = [_letter(at) for at in range(len(given) + len(named))]
    outs, ins = inside[: len(given)], inside[len(given) :]
    body = "\n".join(_scoped(file, graph, named))
    text = "".join(_imports(taken, dict(zip(named, ins, strict=True)))) + _function(
        "$file", named, ins, body, given, outs
    )
    if given:
        names = (_renamed(own, file.short.get(name, name)) for own, name in zip(outs, given, strict=True))
        text += f"export{{{','.join(names)}}}"
    try:
        return minified.script(text)
    except minified.CannotMinify as error:
        raise CannotPack(file.root, str(error)) from error


def _function(
    name: str, takes: Iterable[str], of: Iterable[str], body: str, gives: Iterable[str], to: Iterable[str]
) -> str:
    """A scope of its own around `body`: takes names, each the value of an expression, and gives names to others.

    Named and then called: what a function gives that is called where it stands, the library may move before the
    declarations that it needs.
    """
    gives = ",".join(gives)
    declared = f"const {name}=({','.join(takes)})=>{{{body}\n{f'return[{gives}]' if gives else ''}}};"
    called = f"{name}({','.join(of)});"
    return declared + (f"const[{','.join(to)}]={called}" if gives else called)


def _imports(taken: list[tuple[File, str]], local: Mapping[str, str]) -> Iterator[str]:
    for other in dict.fromkeys(other for other, _ in taken):
        names = {other.short.get(name, name): local[name] for each, name in taken if each is other and name}
        if other.short:  # the mark, whether or not it is used
            names.setdefault(next(iter(other.short.values())), "_")
        listed = ",".join(_renamed(name, own) for name, own in names.items())
        yield f'import{{{listed}}}from"./{other.root}";' if listed else f'import"./{other.root}";'


def _renamed(name: str, other: str) -> str:
    return name if name == other else f"{name} as {other}"


def _scoped(file: File, graph: Graph, taken: list[str]) -> Iterator[str]:
    """The members' bodies, one after the other. Where a name means something else to a neighbour, the module gets a
    scope of its own, into which the page's own meaning is handed. Raises `CannotPack` where two hand the name out."""
    members = [graph.modules[member] for member in file.members]
    owners = Counter([*taken, *(name for module in members for name in module.names)])
    for at, module in enumerate(members):
        own = [name for name in module.names if name in module.exports]
        for name in (name for name in own if owners[name] > 1):
            raise CannotPack(module.name, f"{name} is declared twice in what {file.root} is made of")
        theirs = sorted((module.free - module.known) & owners.keys())
        private = {name for name in module.names if name not in own}
        meant = {name for other in members if other is not module for name in other.free - other.known}
        if theirs or private & meant or any(owners[name] > 1 for name in private):
            called = f"$module{at}"
            yield _function(called, theirs, (f"globalThis.{name}" for name in theirs), module.body, own, own)
        else:
            yield module.body
