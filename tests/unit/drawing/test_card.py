"""The card is drawn whatever is on it, always 1200 x 630 and below 300 KB, and shows what it should."""

import io
import time

import numpy as np
import pytest
from PIL import Image

from app.resources import WIDGETS
from app.storefront.pictures.drawing.card import Card
from app.storefront.pictures.drawing.faces import Faces
from app.storefront.pictures.drawing.facts import CardFacts

CARD = Card(Faces(WIDGETS / "fonts"))
RED = Image.new("RGB", (600, 600), "#c81e1e")
MOST = 300_000


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def draw(facts: CardFacts, *contents: bytes | None) -> Image.Image:
    """The card, checked for what holds for each."""
    drawn, _ = CARD.draw(facts, contents)
    assert len(drawn) < MOST
    with Image.open(io.BytesIO(drawn)) as image:
        assert ("PNG", (1200, 630)) == (image.format, image.size)
        return image.convert("RGB")


def colors(image: Image.Image) -> set[str]:
    return {f"#{red:02x}{green:02x}{blue:02x}" for _, (red, green, blue) in image.getcolors(2**20) or []}  # type: ignore[misc]


def has_ink(image: Image.Image, box: tuple[int, int, int, int]) -> bool:
    """Whether something is written there."""
    return len(colors(image.crop(box))) > 1


@pytest.mark.parametrize("kind", ["white", "grey", "coloured", "coarse"])
def test_noise_stays_below_300_kb(kind: str) -> None:
    rng = np.random.default_rng(1)
    noise = {
        "white": rng.integers(0, 256, (700, 700, 3)),
        "grey": np.repeat(rng.integers(0, 256, (700, 700, 1)), 3, axis=2),
        "coloured": rng.normal(128, 40, (700, 700, 3)).clip(0, 255),
        "coarse": np.kron(rng.integers(0, 256, (350, 350, 3)), np.ones((2, 2, 1), dtype=int)),
    }[kind].astype(np.uint8)
    draw(CardFacts("Noise", "Vine & Thread", ("x",), "€1.00"), png(Image.fromarray(noise)))


def test_a_photograph_is_drawn_as_it_is() -> None:
    x, y = np.meshgrid(np.linspace(0, 1, 700), np.linspace(0, 1, 700))
    photo = np.stack([x * 255, y * 255, (1 - x) * 255], axis=2).astype(np.uint8)
    card = draw(CardFacts("Dawn", "Vine", ("x",)), png(Image.fromarray(photo)))
    shown = np.asarray(card.crop((0, 0, 690, 630)).resize((69, 63), Image.Resampling.BOX)).astype(int)
    meant = np.asarray(Image.fromarray(photo).crop((0, 24, 700, 663)).resize((69, 63), Image.Resampling.BOX)).astype(
        int
    )
    assert np.abs(shown - meant).mean() < 6


@pytest.mark.parametrize(
    "title",
    [
        "x",
        "x" * 5_000,
        "Mug " * 1_250,
        "🎉",
        "",
        " ",
        "手作りのコップ",
        "فنجان قهوة 250 مل (Espresso)",
        "e" + "\u0301" * 5_000,
        "\ud800",
        "\x00\u202e",
        "Tea\nbowl",
        "<b>&amp;",
        "ﷺ" * 300,
        "\u200d" * 300,
        "한국어",
        "ไทย",
        "हिन्दी",
    ],
    ids=range(18),
)
def test_any_title_makes_a_card(title: str) -> None:
    began = time.perf_counter()
    card = draw(CardFacts(title, "Vine & Thread", ("x",), "€24.00"), png(RED))
    assert has_ink(card, (742, 130, 1148, 480)) or has_ink(card, (52, 130, 458, 480))
    assert time.perf_counter() - began < 5


def test_nothing_at_all_makes_a_card() -> None:
    assert not has_ink(draw(CardFacts("", "")), (0, 0, 1200, 500))


def test_an_unreadable_title_gives_way_to_the_shops_name() -> None:
    """Without any font of the system."""
    own = Card(Faces(WIDGETS / "fonts", system=()))
    by_name, _ = own.draw(CardFacts("Vine & Thread", "Vine & Thread"), [])
    assert by_name == own.draw(CardFacts("手作り", "Vine & Thread"), [])[0]
    assert by_name == own.draw(CardFacts("🎉", "Vine & Thread"), [])[0]


def test_the_picture_fills_its_side_and_survives_a_square_cut() -> None:
    card = draw(CardFacts("Mug", "Vine & Thread", ("x",), "€24.00"), png(RED))
    assert {"#c81e1e"} == colors(card.crop((0, 0, 690, 630)))
    square = card.crop((285, 0, 915, 630))
    assert (200, 30, 30) == square.getpixel((0, 315)) == square.getpixel((400, 315))


def test_what_is_written_keeps_clear_of_the_edges() -> None:
    card = draw(
        CardFacts("Mug " * 100, "Vine & Thread " * 20, ("x",), "€9,999,999,999.00", "€19,999,999,999.00"), png(RED)
    )
    for box in ((690, 0, 1200, 40), (690, 590, 1200, 630), (690, 0, 735, 630), (1155, 0, 1200, 630)):
        assert not has_ink(card, box)


def test_reading_from_the_right_turns_the_card_round() -> None:
    if not Faces(WIDGETS / "fonts").of("ק", "SemiBold"):  # type: ignore[arg-type]
        pytest.skip("no font of this machine has Hebrew")
    card = draw(CardFacts("ספל קפה", "Vine & Thread", ("x",), "€24.00", "€32.00"), png(RED))
    assert (200, 30, 30) == card.getpixel((1190, 315))
    assert has_ink(card, (300, 130, 458, 480))


def test_the_accent_is_the_ground_of_the_price_and_of_a_card_without_a_picture() -> None:
    facts = CardFacts("Mug", "Vine & Thread", (), "€24.00", accent="#0b6bcb")
    assert (11, 107, 203) == draw(facts).getpixel((1190, 10))
    assert "#0b6bcb" in colors(draw(facts, png(RED)).crop((690, 500, 1200, 600)))


def test_a_dark_theme_makes_a_dark_card() -> None:
    facts = CardFacts("Mug", "Vine & Thread", ("x",), dark=True)
    ground = draw(facts, png(RED)).getpixel((1190, 10))
    assert isinstance(ground, tuple)
    assert max(ground) < 60


def test_a_sale_a_price_and_sold_out_look_different() -> None:
    said = [
        CardFacts("Mug", "Vine"),
        CardFacts("Mug", "Vine", price="€24.00"),
        CardFacts("Mug", "Vine", price="€24.00", before="€32.00"),
        CardFacts("Mug", "Vine", price="€24.00", sold_out="Sold out"),
        CardFacts("Mug", "Vine", sold_out="Sold out"),
        CardFacts("Mug", "Vine", price="€24,000,000,000.00", before="€32,000,000,000.00"),
    ]
    assert len(said) == len({CARD.draw(facts, [png(RED)])[0] for facts in said})
    assert len(said) == len({facts.digest for facts in said})


def test_a_price_whose_currency_cannot_be_drawn_is_left_out() -> None:
    own = Card(Faces(WIDGETS / "fonts", system=()))
    without, _ = own.draw(CardFacts("Mug", "Vine"), [])
    assert without == own.draw(CardFacts("Mug", "Vine", price="2,500 円"), [])[0]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_a_wall_shows_up_to_four_pictures(count: int) -> None:
    tones = ["#c81e1e", "#1ec81e", "#1e1ec8", "#c8c81e"][:count]
    card = draw(CardFacts("Wall", "Vine", ("x",) * count), *(png(Image.new("RGB", (600, 600), tone)) for tone in tones))
    assert set(tones) <= colors(card.crop((0, 0, 690, 630)))


def test_pictures_that_cannot_be_drawn_are_left_out_and_reported() -> None:
    facts = CardFacts("Wall", "Vine", ("x",) * 3)
    whole, is_whole = CARD.draw(CardFacts("Wall", "Vine", ("x",)), [png(RED)])
    assert is_whole
    assert (whole, False) == CARD.draw(facts, [None, png(RED), b"broken"])
    assert (CARD.draw(CardFacts("Wall", "Vine"), [])[0], False) == CARD.draw(facts, [None, b"broken", b""])


def test_the_digest_changes_with_everything_that_is_drawn() -> None:
    base = CardFacts("Mug", "Vine", ("a",), "€1", "€2", "Sold out", "#5b2a86", False)
    others = [
        CardFacts("Mugs", "Vine", ("a",), "€1", "€2", "Sold out", "#5b2a86", False),
        CardFacts("Mug", "Vines", ("a",), "€1", "€2", "Sold out", "#5b2a86", False),
        CardFacts("Mug", "Vine", ("b",), "€1", "€2", "Sold out", "#5b2a86", False),
        CardFacts("Mug", "Vine", ("a", "b"), "€1", "€2", "Sold out", "#5b2a86", False),
        CardFacts("Mug", "Vine", ("a",), "€3", "€2", "Sold out", "#5b2a86", False),
        CardFacts("Mug", "Vine", ("a",), "€1", None, "Sold out", "#5b2a86", False),
        CardFacts("Mug", "Vine", ("a",), "€1", "€2", "Épuisé", "#5b2a86", False),
        CardFacts("Mug", "Vine", ("a",), "€1", "€2", "Sold out", "#5b2a87", False),
        CardFacts("Mug", "Vine", ("a",), "€1", "€2", "Sold out", "#5b2a86", True),
    ]
    assert base.digest == CardFacts("Mug", "Vine", ("a",), "€1", "€2", "Sold out").digest
    assert 10 == len({facts.digest for facts in [base, *others]})
    assert 32 == len(base.digest)
