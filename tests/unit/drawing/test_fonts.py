"""A font draws only what it has; what none has is left out, never a box."""

import struct
from pathlib import Path

import pytest

from app.networks.wording import ELLIPSIS
from app.resources import WIDGETS
from app.storefront.pictures.drawing.coverage import Coverage, coverage
from app.storefront.pictures.drawing.faces import Faces, Weight
from app.storefront.pictures.drawing.letters import Letters, Style

FONTS = WIDGETS / "fonts"
OWN = Faces(FONTS, system=())
LETTERS = Letters(OWN)
STYLE = Style(Weight.BOLD, 40, "#000")


@pytest.mark.parametrize("weight", list(Weight))
def test_our_fonts_have_the_letters_and_currencies_of_europe(weight: Weight) -> None:
    for text in ("Straße Œuvre", "Žluťoučký kůň", "Ελληνικά", "Українська", "Tiếng Việt", "€$£¥₹₽₴₺₪₫₩", "–—…“”«»№"):
        assert text == LETTERS.readable(f"abc {text}", weight)[4:]


def test_our_fonts_are_small_and_free() -> None:
    assert all(file.stat().st_size < 200_000 for file in FONTS.glob("*.ttf"))
    assert "SIL Open Font License" in (FONTS / "OFL.txt").read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Party 🎉 cup", "Party cup"),
        ("👩‍👩‍👧 Family mug", "Family mug"),
        ("☕️ Mug 1️⃣", "Mug"),
        ("🇫🇷 Mug", "Mug"),
        ("Mug 手", "Mug"),
        ("手作り杯 mug", ""),
        ("🎉🎉", ""),
        ("...", ""),
        ("", ""),
        ("  a\n\tb\u202e\x00c  ", "a bc"),
        ("e\u0301", "é"),
    ],
)
def test_what_no_font_has_is_left_out(text: str, expected: str) -> None:
    letters = Letters(Faces(FONTS, system=()))
    assert expected.split() == letters.readable(text, Weight.BOLD).split()


def test_only_the_beginning_of_an_endless_title_is_looked_at() -> None:
    assert 160 == len(LETTERS.readable("x" * 5_000, Weight.BOLD))
    assert len(LETTERS.readable("e" + "\u0301" * 5_000, Weight.BOLD)) < 20


def test_a_price_loses_nothing_or_everything() -> None:
    assert "¥2,500" == LETTERS.price("￥2,500", Weight.BOLD)
    assert "" == LETTERS.price("2,500 円", Weight.BOLD)
    assert "" == LETTERS.price("", Weight.BOLD)


def test_scripts_that_must_be_shaped_are_left_out_where_nothing_shapes() -> None:
    assert Faces(FONTS, shapes=False).of("ف", Weight.BOLD) is None
    assert Faces(FONTS, shapes=False).of("क", Weight.BOLD) is None
    assert Faces(FONTS, shapes=False).of("я", Weight.BOLD) is not None
    unshaped = Letters(Faces(FONTS, system=(), shapes=False))
    assert unshaped.width("Mug", STYLE) == pytest.approx(LETTERS.width("Mug", STYLE), rel=0.1)


def test_fonts_of_the_system_step_in(tmp_path: Path) -> None:
    """Ours under another name, cut off, and something that is no font at all."""
    fonts = tmp_path / "ours"
    fonts.mkdir()
    for weight in Weight:
        (fonts / f"Inter-{weight}.ttf").write_bytes(b"no font")
    system = tmp_path / "system"
    system.mkdir()
    whole = (FONTS / f"Inter-{Weight.BOLD}.ttf").read_bytes()
    (system / "A-Sans-Bold.ttf").write_bytes(whole[:3000])
    (system / "B-Sans-Italic.ttf").write_bytes(whole)
    (system / "C-Sans-Bold.ttf").write_bytes(whole)
    (system / "D-Sans.txt").write_bytes(whole)
    (system / "E-Gone.ttf").symlink_to(tmp_path / "gone")
    faces = Faces(fonts, (str(system), str(tmp_path / "absent")))
    found = faces.of("a", Weight.TEXT)
    assert found is not None
    assert found is faces.of("a", Weight.BOLD)
    assert "Mug" == Letters(faces).readable("Mug 手", Weight.TEXT)
    assert None is Faces(fonts, ()).of("a", Weight.TEXT)


def test_a_line_is_broken_between_words_and_balanced() -> None:
    width = LETTERS.width("Hand-thrown espresso", STYLE)
    assert ["Hand-thrown", "espresso cup"] == LETTERS.lines("Hand-thrown espresso cup", STYLE, width)
    assert ["Mug"] == LETTERS.lines("Mug", STYLE, width)


def test_what_has_no_spaces_is_broken_anywhere() -> None:
    lines, style = LETTERS.fitting("x" * 100, STYLE, (60, 40), 300, 400)
    assert 40 == style.size
    assert 6 >= len(lines)
    assert all(LETTERS.width(line, style) <= 300 for line in lines)


def test_the_largest_size_that_fits_in_few_lines_is_taken() -> None:
    assert 60 == LETTERS.fitting("Mug", STYLE, (60, 40), 300, 400)[1].size
    lines, style = LETTERS.fitting("A mug for every day of the week", STYLE, (60, 40), 300, 400)
    assert (2, 40) == (len(lines), style.size)


def test_a_title_too_long_for_the_smallest_size_ends_in_an_ellipsis() -> None:
    lines, _ = LETTERS.fitting("A mug for every day " * 8, STYLE, (60, 40), 300, 150)
    assert 3 == len(lines)
    assert lines[-1].endswith(ELLIPSIS)
    assert not lines[-1].endswith(f" {ELLIPSIS}")


def test_a_name_is_shortened_and_a_price_shrunk_to_its_line() -> None:
    assert "Vine & Thread" == LETTERS.shortened("Vine & Thread", STYLE, 400)
    shortened = LETTERS.shortened("Vine & Thread of the Old Town", STYLE, 300)
    assert shortened.endswith(ELLIPSIS)
    assert LETTERS.width(shortened, STYLE) <= 300
    assert ELLIPSIS == LETTERS.shortened("Vine", STYLE, 1)
    assert STYLE == LETTERS.shrunk("€1", STYLE, 300)
    assert LETTERS.width("€1" * 40, LETTERS.shrunk("€1" * 40, STYLE, 300)) <= 300


def test_chinese_and_japanese_are_broken_between_signs(tmp_path: Path) -> None:
    """Fonts of ours stand for theirs: what counts is where lines may break."""
    text = "手作り、コップ"
    faces = Faces(FONTS, system=())
    faces.of = lambda grapheme, weight: faces._own[weight]  # type: ignore[method-assign]
    letters = Letters(faces)
    lines = letters.lines(text, STYLE, letters.width("手作り、", STYLE))
    assert 2 == len(lines)
    assert not lines[1].startswith("、")


def test_characters_are_kept_as_ranges() -> None:
    covered = Coverage([1, 2, 3, 7, 7, 5])
    assert [1, 2, 3, 7] == [code for code in range(10) if code in covered]


def _font(*tables: bytes, platform: int = 3, encoding: int = 10) -> bytes:
    """A font of nothing but character maps."""
    records, body = b"", b""
    for number, table in enumerate(tables):
        offset = 4 + 8 * len(tables) + len(body)
        records += struct.pack(">HHI", platform, encoding - number, offset)
        body += table
    cmap = struct.pack(">HH", 0, len(tables)) + records + body
    return struct.pack(">IHHHH", 0x10000, 1, 0, 0, 0) + struct.pack(">4sIII", b"cmap", 0, 28, len(cmap)) + cmap


def _groups(*groups: tuple[int, int, int]) -> bytes:
    body = b"".join(struct.pack(">III", *group) for group in groups)
    return struct.pack(">HHIII", 12, 0, 16 + len(body), 0, len(groups)) + body


def test_a_character_map_of_all_planes_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.ttf"
    path.write_bytes(_font(_groups((65, 67, 0), (0x1F600, 0x1F601, 9))))
    covered = coverage(path)
    assert [66, 67, 0x1F600, 0x1F601] == [code for code in (64, 65, 66, 67, 68, 0x1F600, 0x1F601) if code in covered]


@pytest.mark.parametrize(
    "font",
    [
        b"",
        b"x" * 11,
        _font(),
        _font(b"\0\6" + b"\0" * 20),
        _font(_groups((65, 67, 1)), platform=1, encoding=0),
        _font(_groups((65, 67, 1)))[:-4],
        struct.pack(">IHHHH", 0x10000, 0, 0, 0, 0),
    ],
    ids=range(7),
)
def test_what_is_no_font_is_refused(tmp_path: Path, font: bytes) -> None:
    path = tmp_path / "x.ttf"
    path.write_bytes(font)
    with pytest.raises(ValueError, match=r".+"):
        coverage(path)


def test_the_first_font_of_a_collection_is_read(tmp_path: Path) -> None:
    font = _font(_groups((65, 67, 1)))
    head = struct.pack(">4sIII", b"ttcf", 0x10000, 1, 16)
    moved = font[:20] + struct.pack(">I", 28 + len(head)) + font[24:]
    path = tmp_path / "x.ttc"
    path.write_bytes(head + moved)
    assert 65 in coverage(path)
