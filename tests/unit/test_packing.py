"""Packing: which files come out of an import graph, and what is refused. That they run alike is shown in Chromium."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.resources import WIDGETS
from app.storefront.assets import minified
from app.storefront.assets.modules import CannotPack
from app.storefront.assets.packing import packed
from app.storefront.encodings import smallest

ROOT = Path(__file__).parents[2]
ENTRY = "main.js"
FIRST_PAINT = 6 * 1024
"""Bytes in brotli, of everything that a wall needs at first paint."""
LOADER = len(f'import "./assets/{16 * "0"}/elements/grapevine.js";\n')


def pack(**sources: str) -> dict[str, str]:
    return packed({f"{name}.js": text for name, text in sources.items()}, ENTRY)


def imports(text: str) -> set[str]:
    return set(re.findall(r'from"\./([\w-]+\.js)"', text))


def of_ours() -> dict[str, str]:
    return {file.name: file.read_text("utf-8") for file in (WIDGETS / "elements").glob("*.js")}


def test_the_first_paint_weighs_at_most_six_kilobytes() -> None:
    entry = packed(of_ours(), "grapevine.js")["grapevine.js"].encode()
    assert len(smallest(entry)) + LOADER <= FIRST_PAINT


def test_every_module_of_ours_is_in_a_file_and_every_file_finds_its_neighbours() -> None:
    files = packed(of_ours(), "grapevine.js")
    assert {"grapevine.js", "shop.js"} <= files.keys()
    for text in files.values():
        assert files.keys() >= imports(text) | set(re.findall(r'import\("\./([\w-]+\.js)"\)', text))


def test_what_the_first_paint_imports_is_one_file() -> None:
    files = pack(
        main='import { a } from "./a.js";\nconsole.log(a);\n',
        a='import { b } from "./b.js";\nexport const a = b + 1;\n',
        b="export const b = 1;\n",
    )
    assert {ENTRY} == files.keys()
    assert not imports(files[ENTRY])


def test_what_is_imported_later_is_a_file_with_what_it_alone_needs() -> None:
    files = pack(
        main='import { a } from "./a.js";\na(() => import("./later.js"));\n',
        a="export function a() {}\n",
        later='import { a } from "./a.js";\nimport { own } from "./own.js";\nexport const go = () => a(own);\n',
        own='export const own = "mine alone";\n',
    )
    assert {ENTRY, "later.js"} == files.keys()
    assert {ENTRY} == imports(files["later.js"])
    assert "mine alone" in files["later.js"]
    assert re.search(r"export\{\w as go\}", files["later.js"])


def test_what_two_later_files_need_is_there_once() -> None:
    files = pack(
        main='const one = () => import("./one.js");\nconst two = () => import("./two.js");\none(two);\n',
        one='import { shared } from "./shared.js";\nexport const first = shared;\n',
        two='import { shared } from "./shared.js";\nexport const second = shared;\n',
        shared='import { deep } from "./deep.js";\nexport const shared = { deep };\n',
        deep='export const deep = "only here";\n',
    )
    assert {ENTRY, "one.js", "two.js", "shared.js"} == files.keys()
    assert ["shared.js"] == [name for name, text in files.items() if "only here" in text]


def test_what_nobody_imports_stands_alone_with_copies() -> None:
    files = pack(
        main='import { a } from "./a.js";\na();\n',
        a="export function a() {}\n",
        shop='import { a } from "./a.js";\na();\n',
    )
    assert {ENTRY, "shop.js"} == files.keys()
    assert not imports(files["shop.js"])


def test_a_page_script_that_has_to_do_with_the_elements_shares_theirs() -> None:
    files = pack(
        main='import { a } from "./a.js";\na();\n',
        a="export function a() {}\n",
        page='import "./main.js";\nimport { a } from "./a.js";\na();\n',
    )
    assert {ENTRY} == imports(files["page.js"])


def test_types_are_no_file() -> None:
    assert {ENTRY} == pack(main="console.log(1);\n", types="/** @typedef {string} Text */\nexport {};\n").keys()


def test_later_files_of_another_version_cannot_be_linked_by_accident() -> None:
    """The letters by which the first file hands things out mean others in another version."""

    def of(names: list[str]) -> dict[str, str]:
        taken = ", ".join(names)
        return pack(
            main='import "./a.js";\nconst go = () => import("./later.js");\ngo();\n',
            a="".join(f"export const {name} = '{name}';\n" for name in names),
            later=f'import {{ {taken} }} from "./a.js";\nexport const all = [{taken}];\n',
        )

    def mark(text: str) -> str:
        return str(re.findall(r"\$[0-9a-f]{4}", text)[0])

    old, new = of(["one", "two"]), of(["one", "three"])
    assert mark(old[ENTRY]) == mark(old["later.js"])
    assert mark(old[ENTRY]) != mark(new["later.js"])


def test_styles_are_minified_where_they_stand() -> None:
    files = pack(
        main='import { sheet } from "./fine-styles.js";\nconsole.log(sheet);\n',
        **{"fine-styles": "/* not `this  one` */\nexport const sheet = `\n.a  { color : red ; }\n`;\n"},
    )
    assert ".a{color:red}" in files[ENTRY]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('import a from "./a.js";\n', "of this form"),
        ('import * as a from "./a.js";\n', "of this form"),
        ('import { a } from "lit";\n', "of this form"),
        ('import { a as b } from "./a.js";\n', "another name"),
        ('import { a } from "./none.js";\n', "there is no none.js"),
        ('import { b } from "./a.js";\n', "a.js does not export b"),
        ("export default 1;\n", "of this form"),
        ("export let x = 1;\n", "of this form"),
        ('export * from "./a.js";\n', "of this form"),
        ('export { a } from "./a.js";\n', "of this form"),
        ("const { x } = globalThis;\n", "of this form"),
        ("const x = await fetch('/');\n", "waits at the top level"),
        ("const go = (name) => import(name);\n", "must name its module"),
        ('const go = () => import("./none.js");\n', "there is no none.js"),
        ('import { a } from "./a.js";\nconst go = () => import("./a.js");\n', "part of the first paint"),
        ("const x = ;\n", "line 1"),
        ("function go(x) {\n  const [y] = (() => x)();\n  return y;\n}\n", "before its neighbours"),
        ('import { a } from "./a.js";\nimport { twice } from "./b.js";\nconsole.log(a, twice);\n', "declared twice"),
    ],
)
def test_what_is_not_understood_is_refused(text: str, why: str) -> None:
    others = {"a": "export const a = 1;\nexport function twice() {}\n", "b": "export function twice() {}\n"}
    with pytest.raises(CannotPack, match=f"widgets/elements/.*cannot be packed: .*{re.escape(why)}"):
        pack(main=text, **others)


def test_files_in_a_circle_are_refused() -> None:
    with pytest.raises(CannotPack, match="in a circle"):
        pack(
            main='const go = () => [import("./one.js"), import("./two.js")];\ngo();\n',
            one='import { two } from "./two.js";\nexport const one = () => two;\n',
            two='import { one } from "./one.js";\nexport const two = () => one;\n',
        )


def test_every_process_packs_the_same_bytes() -> None:
    """Pages pin them by their hash, and the next request may go to another process."""
    script = (
        "import hashlib; from app.resources import WIDGETS; from app.storefront.assets.packing import packed;"
        "sources = {file.name: file.read_text('utf-8') for file in (WIDGETS / 'elements').glob('*.js')};"
        "print(hashlib.sha256(repr(sorted(packed(sources, 'grapevine.js').items())).encode()).hexdigest())"
    )
    digests = {
        subprocess.check_output([sys.executable, "-c", script], env={**os.environ, "PYTHONHASHSEED": seed}, cwd=ROOT)
        for seed in ("1", "2")
    }
    assert 1 == len(digests)


def test_what_ends_a_text_for_the_library_is_refused() -> None:
    with pytest.raises(minified.CannotMinify):
        minified.script("const a = '\0';")
