"""The widget's files: packed, immutable, and kept for pages that pin an older version."""

import hashlib
import os
import runpy
import shutil
from base64 import b64encode
from pathlib import Path

import pytest

from app.kernel.errors import NotFound
from app.resources import WIDGETS
from app.storefront.answers import Answer, Ask
from app.storefront.assets import files as assets
from app.storefront.assets.files import Assets
from app.storefront.assets.modules import CannotPack
from app.storefront.assets.versions import MOST, PackedFile, Versions, archive_of
from app.storefront.headers import IMMUTABLE, NO_STORE

PLAIN = Ask("GET", {}, b"")
ENTRY = "elements/grapevine.js"


@pytest.fixture
def widgets(tmp_path: Path) -> Path:
    """A copy of the widget that a test may change."""
    return Path(shutil.copytree(WIDGETS, tmp_path / "widgets"))


def upgraded(widgets: Path, kept: Path) -> Assets:
    """The server after an upgrade that changed the widget."""
    with (widgets / ENTRY).open("a", encoding="utf-8") as file:
        file.write('\nglobalThis.upgraded = "yes";\n')
    return Assets(widgets, kept)


def body(answer: Answer) -> tuple[bytes, bool]:
    """What is sent, and whether caches may keep it for good."""
    assert (IMMUTABLE in answer.headers) is not (NO_STORE in answer.headers)
    return answer.body, IMMUTABLE in answer.headers


def test_a_version_goes_on_being_served_after_an_upgrade(widgets: Path, tmp_path: Path) -> None:
    before = Assets(widgets, tmp_path / "kept")
    old = before.file(PLAIN, before.hash, ENTRY).body
    after = upgraded(widgets, tmp_path / "kept")
    assert before.hash != after.hash
    assert (old, True) == body(after.file(PLAIN, before.hash, ENTRY))
    new = after.file(PLAIN, after.hash, ENTRY).body
    assert b"upgraded" in new
    assert (new, True) == body(before.file(PLAIN, after.hash, ENTRY))  # another process is not yet there


def test_a_version_that_is_not_kept_gets_the_files_of_today_and_no_cache_keeps_them(tmp_path: Path) -> None:
    made = Assets(WIDGETS, tmp_path)
    today = made.file(PLAIN, made.hash, ENTRY).body
    assert (today, False) == body(made.file(PLAIN, "0123456789abcdef", ENTRY))


def test_the_integrity_is_that_of_the_entry(tmp_path: Path) -> None:
    made = Assets(WIDGETS, tmp_path)
    sent = made.file(PLAIN, made.hash, ENTRY).body
    assert f"sha384-{b64encode(hashlib.sha384(sent).digest()).decode()}" == made.integrity
    assert f"/assets/{made.hash}/{ENTRY}" == made.entry


def test_the_second_start_takes_what_the_first_has_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Assets(WIDGETS, tmp_path)
    monkeypatch.setattr("app.storefront.assets.packing.packed", lambda *_: pytest.fail("packed again"))
    assets._packed.cache_clear()  # what this process remembers, another one would not
    second = Assets(WIDGETS, tmp_path)
    assert first.file(PLAIN, first.hash, ENTRY).body == second.file(PLAIN, second.hash, ENTRY).body


def test_files_may_be_packed_ahead_of_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "kept"
    assert not assets.are_kept(WIDGETS, kept)
    monkeypatch.setattr("sys.argv", ["assets", str(WIDGETS), str(kept)])
    runpy.run_module("app.storefront.assets", run_name="__main__")
    assert assets.are_kept(WIDGETS, kept)


@pytest.mark.parametrize("torn", [b"", b"PK", b"\0" * 1000])
def test_a_torn_archive_is_packed_anew(tmp_path: Path, torn: bytes) -> None:
    first = Assets(WIDGETS, tmp_path)
    archive = tmp_path / f"{first.hash}.zip"
    whole = archive.read_bytes()
    archive.write_bytes(torn)
    again = Assets(WIDGETS, tmp_path)
    assert first.file(PLAIN, first.hash, ENTRY).body == again.file(PLAIN, again.hash, ENTRY).body
    assert whole == archive.read_bytes()


def test_one_turned_bit_is_noticed(tmp_path: Path) -> None:
    versions = Versions(tmp_path)
    versions.keep("a" * 16, archive_of({"elements/x.js": PackedFile(b"body", b"packed")}))
    assert {"elements/x.js": PackedFile(b"body", b"packed")} == versions.load("a" * 16)
    path = tmp_path / f"{'a' * 16}.zip"
    path.write_bytes(path.read_bytes().replace(b"body", b"bodz", 1))
    assert versions.load("a" * 16) is None


@pytest.mark.parametrize("folder", ["/proc/grapevine", "/dev/null/assets"])
def test_a_disk_that_cannot_be_written_to_stops_nothing(folder: str) -> None:
    made = Assets(WIDGETS, Path(folder))
    assert b"customElements" in made.file(PLAIN, made.hash, ENTRY).body
    assert body(made.file(PLAIN, "0123456789abcdef", ENTRY))[1] is False


def test_only_the_newest_versions_are_kept_and_the_one_in_use_among_them(tmp_path: Path) -> None:
    versions = Versions(tmp_path)
    archive = archive_of({"elements/x.js": PackedFile(b"body", b"packed")})
    names = [f"{number:016x}" for number in range(MOST + 5)]
    for number, name in enumerate(names):
        versions.keep(name, archive)
        os.utime(tmp_path / f"{name}.zip", (1000 + number, 1000 + number))
    versions.keep(names[5], None)  # used again: it was about to be the next to go
    versions.keep("f" * 16, archive)
    left = {file.stem for file in tmp_path.iterdir()}
    assert MOST == len(left)
    assert {names[5], "f" * 16, names[-1]} <= left
    assert names[6] not in left


@pytest.mark.parametrize("version", ["", "..", "0" * 15, "0" * 17, "g" * 16, "../../../../etc/passwd", "A" * 16])
def test_what_is_no_version_is_not_looked_for(tmp_path: Path, version: str) -> None:
    with pytest.raises(NotFound):
        Assets(WIDGETS, tmp_path).file(PLAIN, version, ENTRY)


def test_modules_are_served_packed_only(tmp_path: Path) -> None:
    made = Assets(WIDGETS, tmp_path)
    with pytest.raises(NotFound):
        made.file(PLAIN, made.hash, "elements/dom.js")


def test_style_sheets_of_pages_are_minified(tmp_path: Path) -> None:
    made = Assets(WIDGETS, tmp_path)
    sheet = made.file(PLAIN, made.hash, "styles/page.css").body
    assert b"/*" not in sheet
    assert b"\n" not in sheet


def test_a_module_that_cannot_be_packed_stops_the_start_and_is_named(widgets: Path, tmp_path: Path) -> None:
    (widgets / "elements" / "wall.js").write_text('import lit from "lit";\n', encoding="utf-8")
    with pytest.raises(CannotPack, match=r"widgets/elements/wall\.js cannot be packed: .*import lit"):
        Assets(widgets, tmp_path / "kept")
