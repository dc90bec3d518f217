"""What moves on a page while it arrives, told by the browser itself (https://wicg.github.io/layout-instability/)."""

import time
from typing import Final

from playwright.sync_api import Page, Route

WATCH: Final = """
window.shifted = [];
window.watchShifts = (buffered = false) => {
  const moved = ({ node, previousRect, currentRect }) =>
    [node?.outerHTML?.slice(0, 120) ?? "what is gone", previousRect.y, currentRect.y];
  new PerformanceObserver((list) => list.getEntries().forEach(({ value, sources }) =>
    window.shifted.push([value, ...sources.map(moved)]))).observe({ type: "layout-shift", buffered });
};
"""

FROM_THE_START: Final = "watchShifts(true);"
ONCE_THERE_ARE_ELEMENTS: Final = (
    "customElements.whenDefined('grapevine-product').then(() => setTimeout(watchShifts, 60));"
)
ONCE_THERE_ARE_CARDS: Final = "addEventListener('grapevine-ready', () => watchShifts());"
NOT_YET: Final = ""

_SETTLED: Final = "new Promise((done) => requestAnimationFrame(() => setTimeout(done, 150)))"


def watch(page: Page, begin: str = FROM_THE_START) -> None:
    """Watch every page that is opened from now on, and its frames; NOT_YET waits for `watchShifts()`."""
    page.add_init_script(WATCH + begin)


def shifts(page: Page) -> list[list[object]]:
    """Every shift of the layout until now, with what was moved from where to where, in the page and its frames."""
    page.evaluate(_SETTLED)
    return [shift for frame in page.frames for shift in frame.evaluate("window.shifted")]


def slowly(route: Route) -> None:
    """Let it come late."""
    time.sleep(0.2)
    route.continue_()
