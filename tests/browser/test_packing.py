"""Packed modules do what the modules do, and minified style sheets mean the same. Needs no server."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Route

from app.resources import WIDGETS
from app.storefront.assets import minified
from app.storefront.assets.packing import packed

pytestmark = pytest.mark.browser
Arrive = Callable[..., BrowserContext]

MODULES = {
    "main.js": """
import "./first.js";
import { Counter, tick } from "./counter.js";
import { seen } from "./seen.js";
const helper = (text) => `main ${text} \\` ${`nested ${text}`}`;
tick();
seen(helper("began"), Counter.name.length > 0, new Counter().next());
export const settled = Promise.all([import("./one.js"), import("./two.js")]).then(async ([{ one }, two]) => {
  seen("same instance", one() === two.default2, Object.keys(two).join());
  await two.more();
});
""",
    "first.js": """
import { seen } from "./seen.js";
// The page's own `open` and `status`, although neighbours have names of their own for them.
seen("open", typeof open, open.name, "status" in globalThis, typeof status);
const helper = (text) => `first ${text}`;
seen(helper("in order"));
""",
    "counter.js": """
import { seen } from "./seen.js";
const open = (count) => "our own " + count;
let count = 0;
export function tick() {
  count += 1;
  seen(open(count), new.target, typeof arguments);
}
export class Counter {
  #value = 40;
  static made = 0;
  next() {
    return (this.#value += ++Counter.made, [this.#value, count]);
  }
}
""",
    "seen.js": """
const log = (globalThis.log = globalThis.log ?? []);
const status = { of: "seen" };
export const seen = (...what) => log.push(JSON.stringify([...what, status.of, new URL(import.meta.url).origin]));
""",
    "one.js": """
import { shared } from "./shared.js";
import { tick } from "./counter.js";
tick();
const helper = () => shared;
export const one = helper;
""",
    "two.js": """
import { seen } from "./seen.js";
import { shared, deep } from "./shared.js";
const helper = /["'`]/.test("`") ? shared : null;
export { shared };
export const default2 = helper;
export async function more() {
  const { last } = await import("./last.js");
  seen("last", last(deep));
}
""",
    "shared.js": """
import { seen } from "./seen.js";
export const deep = { n: 1 };
export const shared = { deep };
seen("shared is evaluated once");
""",
    "last.js": """
import { Counter } from "./counter.js";
import { deep } from "./shared.js";
export const last = (other) => [other === deep, new Counter().next()];
""",
}


@pytest.fixture
def page(person: Arrive) -> Page:
    """An empty page."""
    return person().new_page()


def told(page: Page, origin: str, files: dict[str, str]) -> list[str]:
    """What the modules have said, served from `origin`."""

    def serve(route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        if name in files:
            route.fulfill(content_type="text/javascript", body=files[name])
        else:
            route.fulfill(content_type="text/html", body="<!doctype html><title>Modules</title>")

    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.route(f"{origin}/**", serve)
    page.goto(f"{origin}/")
    said: list[str] = page.evaluate("async () => { await (await import('./main.js')).settled; return globalThis.log; }")
    assert not errors
    return said


def test_packed_modules_say_what_the_modules_say(person: Arrive) -> None:
    files = packed(MODULES, "main.js")
    assert {"main.js", "one.js", "two.js", "shared.js", "last.js"} == files.keys()
    origin = "http://modules.localhost"
    as_they_are = told(person().new_page(), origin, MODULES)
    assert 8 <= len(as_they_are)
    assert as_they_are == told(person().new_page(), origin, files)


def sheets() -> dict[str, str]:
    """Every style sheet of ours, by the name of its file."""
    pages = {file.name: file.read_text("utf-8") for file in sorted((WIDGETS / "styles").glob("*.css"))}
    elements = sorted((WIDGETS / "elements").glob("*styles.js"))
    return pages | {file.name: _template(file) for file in elements}


def _template(file: Path) -> str:
    text = file.read_text("utf-8")
    return text[text.index("`\n") + 1 : text.rindex("`")]


def test_minified_style_sheets_mean_the_same(page: Page) -> None:
    """As the browser reads them: rule for rule, and each property as it takes effect on an element."""
    script = """(pair) => pair.map((text) => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(text);
      const probe = document.body.appendChild(document.createElement("i"));
      const usual = (value) => value.replace(/\\s*([,/])\\s*/g, "$1").replace(/["']/g, "").toLowerCase();
      const read = (rule) => {
        const said = [rule.selectorText ?? rule.conditionText ?? rule.cssText.split("{")[0]];
        for (const name of rule.style ?? []) {
          probe.style.cssText = "";
          probe.style.setProperty(name, rule.style.getPropertyValue(name));
          const value = name.startsWith("--") ? rule.style.getPropertyValue(name) : getComputedStyle(probe)[name];
          // "none" for a background is written "0 0": nothing is drawn, wherever it begins.
          const shown = name.startsWith("background-position") ? value.replace("0%", "0px") : value;
          said.push([name, usual(shown), rule.style.getPropertyPriority(name)]);
        }
        return [...said, ...[...(rule.cssRules ?? [])].map(read)];
      };
      return [...sheet.cssRules].map(read);
    })"""
    page.goto("about:blank")
    for name, text in sheets().items():
        as_it_is, small = page.evaluate(script, [text, minified.style(text)])
        assert 5 < len(as_it_is), name
        assert len(as_it_is) == len(small), name
        for rule, other in zip(as_it_is, small, strict=True):
            assert rule == other, name
