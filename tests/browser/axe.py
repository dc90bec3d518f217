"""axe-core (npm), run in a page: what it finds against WCAG 2.2 AA and good practice, in light and in the dark."""

from functools import lru_cache
from typing import Any, Final

from playwright.sync_api import Page

from tests.web import tools

_TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_COLOURS: Final = ["color-contrast", "link-in-text-block"]
"""The rules that a colour scheme can breach; the others were looked at in light."""

_RUN: Final = """async (only) => {
  const { violations } = await axe.run(document, { runOnly: only, resultTypes: ["violations"] });
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ html, failureSummary, target }) =>
    `${id}: ${help}: ${target}: ${html.slice(0, 300)}: ${failureSummary.replaceAll("\\n", " ")}`));
}"""
_PAINT: Final = """{
  const one = document.documentElement;
  const clear = (part) => getComputedStyle(part).backgroundColor === "rgba(0, 0, 0, 0)";
  if (clear(one) && clear(document.body)) one.style.backgroundColor = "Canvas";
}"""
"""The browser paints its own canvas behind a page without a background; axe-core would take it for white."""


@lru_cache
def _source() -> str:
    return (tools.package("axe-core") / "axe.min.js").read_text("utf-8")


def found(page: Page, scheme: str = "light") -> str:
    """What is wrong with the page and its frames in this colour scheme, a line for each place; empty is right."""
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    only: dict[str, Any] = {"type": "tag", "values": _TAGS}
    if scheme == "dark":
        only = {"type": "rule", "values": _COLOURS}
    for frame in page.frames:
        if not frame.evaluate("Boolean(window.axe)"):
            frame.evaluate(_source())
        frame.evaluate(_PAINT)
    lines: list[str] = page.evaluate(_RUN, only)
    return "".join(f"{scheme}: {line}\n" for line in lines)
