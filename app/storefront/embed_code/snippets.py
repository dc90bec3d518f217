"""What a merchant pastes to put a wall into a page, for each kind of page, and how it is done there. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Literal, get_args
from urllib.parse import urlencode

from app.walls.looks import Layout, Scheme, layout_of, scheme_of

Design = Literal["element", "element_pinned", "iframe", "wordpress", "shopify", "ghost", "notion", "link"]
DESIGNS: tuple[Design, ...] = get_args(Design)
"""The kinds, in the order in which they are offered."""
FRAMED: frozenset[Design] = frozenset({"iframe", "wordpress", "notion"})
"""Those that show a frame of ours; the others run the element or lead to the hosted page."""

MOST_BONES = 12
"""For how many cards an embedded wall keeps room while it loads."""

_STEPS: Mapping[Design, tuple[str, ...]] = {
    "element": ("paste", "room", "listed"),
    "element_pinned": ("paste", "pinned", "room", "listed"),
    "iframe": ("paste", "framed"),
    "wordpress": ("wordpress_paste", "wordpress_otherwise", "framed"),
    "shopify": ("shopify_open", "shopify_paste", "room", "listed", "shopify_connect"),
    "ghost": ("ghost_card", "ghost_paste", "listed"),
    "notion": ("notion_block", "notion_paste", "notion_listed"),
    "link": ("link_use",),
}
_TALLEST = 1200
_GRID_COLUMNS = 3
_ROOM: Mapping[Layout, int] = {"grid": 400, "list": 190, "carousel": 460, "single": 620}
"""CSS pixels of a row of cards, by layout, in a column of text; a carousel and a single card have one row."""


@dataclass(frozen=True)
class SnippetChoice:
    """What the merchant chose instead of the wall's own; None where they chose nothing."""

    layout: Layout | None = None
    theme: Scheme | None = None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "SnippetChoice":
        """The choice in a query; what makes no sense is as if it were not there."""
        return cls(layout_of(query.get("layout")), scheme_of(query.get("theme")))

    @property
    def attributes(self) -> dict[str, str]:
        """By name, in the order in which they are written."""
        return {name: value for name, value in (("layout", self.layout), ("theme", self.theme)) if value}


@dataclass(frozen=True)
class Server:
    """Where things are: the server's own address, and the packed entry (a path) with its hash."""

    own: str
    entry: str
    integrity: str


@dataclass(frozen=True)
class Shown:
    """The wall that is to be embedded, and how many cards are on it."""

    wall_id: str
    title: str
    layout: Layout
    cards: int


@dataclass(frozen=True)
class Snippet:
    """What to paste, and what to do there, step by step."""

    code: str
    steps: tuple[str, ...]


def snippets(server: Server, wall: Shown, choice: SnippetChoice, words: Mapping[str, str]) -> dict[Design, Snippet]:
    """Every kind of snippet, with its steps in the language of `words`."""
    loader = f'<script type="module" src="{server.own}/embed.js"></script>'
    pinned = (
        f'<script type="module" src="{server.own}{server.entry}" integrity="{server.integrity}"'
        ' crossorigin="anonymous"></script>'
    )
    element, page = _element(server, wall, choice), f"{server.own}/w/{wall.wall_id}"
    steps = dict(_STEPS)
    if choice.attributes:  # an address that is pasted brings the wall's own look, whatever was chosen here
        steps["wordpress"] = ("wordpress_html", "framed")
    codes: dict[Design, str] = {
        "element": f"{loader}\n{element}",
        "element_pinned": f"{pinned}\n{element}",
        "iframe": _iframe(server, wall, choice),
        "wordpress": _iframe(server, wall, choice) if choice.attributes else page,
        "shopify": f"{loader}\n{element}",
        "ghost": f"{loader}\n{element}",
        "notion": frame_address(server.own, wall, choice),
        "link": page,
    }
    kept = f"grapevine-wall {{ display: flow-root; min-block-size: {height(wall, choice)}px }}"
    return {
        design: Snippet(
            codes[design], tuple(words[f"embed_code_{step}"].replace("{css}", kept) for step in steps[design])
        )
        for design in DESIGNS
    }


def frame_address(own: str, wall: Shown, choice: SnippetChoice) -> str:
    """The address of the frame of a wall."""
    query = f"?{urlencode(choice.attributes)}" if choice.attributes else ""
    return f"{own}/embed/walls/{wall.wall_id}{query}"


def height(wall: Shown, choice: SnippetChoice) -> int:
    """CSS pixels that the wall needs in a column of text, about; what does not fit a frame is scrolled to."""
    layout = choice.layout or wall.layout
    cards = max(1, wall.cards)
    rows = {"grid": -(-cards // _GRID_COLUMNS), "list": cards}.get(layout, 1)
    return min(_TALLEST, rows * _ROOM[layout] + 60)


def room(wall: Shown, choice: SnippetChoice) -> int:
    """For how many cards the element keeps room while it loads."""
    return 1 if (choice.layout or wall.layout) == "single" else max(1, min(MOST_BONES, wall.cards))


def _element(server: Server, wall: Shown, choice: SnippetChoice) -> str:
    attributes = {"wall": wall.wall_id, "cards": str(room(wall, choice)), **choice.attributes}
    written = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
    link = f'<a href="{server.own}/w/{wall.wall_id}">{escape(wall.title)}</a>'
    return f"<grapevine-wall{written}>{link}</grapevine-wall>"


def _iframe(server: Server, wall: Shown, choice: SnippetChoice) -> str:
    # Never loading=lazy: in a tab that starts hidden, Safari would not load it at all.
    return (
        f'<iframe src="{escape(frame_address(server.own, wall, choice))}" title="{escape(wall.title)}" width="100%"'
        f' height="{height(wall, choice)}" style="border:0"></iframe>'
    )
