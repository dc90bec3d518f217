"""What does not fit into a screen."""

from playwright.sync_api import Page

_BEYOND = """() => {
  const inside = (one) => (one.shadowRoot ? all(one.shadowRoot) : []);
  const all = (root) => [...root.querySelectorAll("*")].flatMap((one) => [one, ...inside(one)]);
  const scrolls = (one) => one && (getComputedStyle(one).overflowX !== "visible" || scrolls(above(one)));
  const above = (one) => one.parentElement ?? one.getRootNode().host;
  const beyond = (one) => one.checkVisibility() && one.getBoundingClientRect().right > innerWidth + 1 && !scrolls(one);
  const wide = all(document.body).filter(beyond).map((one) => one.outerHTML.slice(0, 200));
  return [...(document.scrollingElement.scrollWidth > innerWidth ? ["the page"] : []), ...wide];
}"""
"""What reaches beyond the right edge of the screen and cannot be scrolled to on its own."""


def beyond(page: Page) -> list[str]:
    return [line for frame in page.frames for line in frame.evaluate(_BEYOND)]
