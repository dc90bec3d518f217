"""A Firefox that is driven by WebDriver BiDi (https://w3c.github.io/webdriver-bidi/), as Debian ships it.

Knows Firefox and nothing of Grapevine. Input is real: pointer and keys go through the browser's own event queue.
"""

import base64
import json
import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from websockets.sync.client import ClientConnection, connect

PATIENCE: Final = 15.0
"""Seconds after which what did not happen will not."""

KEYS: Final = {
    "Tab": "\ue004",
    "Backspace": "\ue003",
    "Enter": "\ue007",
    "Escape": "\ue00c",
    "Space": " ",
    "Shift": "\ue008",
}
"""Names of keys, and what WebDriver calls them (https://w3c.github.io/webdriver/#keyboard-actions)."""

_GLANCE: Final = 0.05
_LISTENING: Final = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
_QUIET: Final[Mapping[str, object]] = {  # nothing but what a test asks for, and nothing to the Internet
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.proxy.type": 0,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
}
_EVENTS: Final = ["log.entryAdded", "network.responseCompleted"]

_FIND: Final = """
const everywhere = (selector, root = document) => [
  ...root.querySelectorAll(selector),
  ...[...root.querySelectorAll("*")].flatMap((one) => (one.shadowRoot ? everywhere(selector, one.shadowRoot) : [])),
];
const find = (selector, words = "") =>
  everywhere(selector).find((one) => one.checkVisibility() && one.textContent.includes(words));
"""
_WATCH: Final = """() => {
  window.breaches = [];
  addEventListener("securitypolicyviolation", (event) =>
    window.breaches.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`));
}"""


class BrowserSaidNo(Exception):
    """A command of ours failed, or a script threw."""


@dataclass
class Firefox:
    """A running browser."""

    socket: ClientConnection
    heard: list[dict[str, Any]] = field(default_factory=list)
    _asked: int = 0

    def ask(self, method: str, **params: object) -> dict[str, Any]:
        """The result of one command; events that come meanwhile are kept in `heard`."""
        self._asked += 1
        self.socket.send(json.dumps({"id": self._asked, "method": method, "params": params}))
        while True:
            told = json.loads(self.socket.recv(timeout=2 * PATIENCE))
            if told.get("id") != self._asked:
                self.heard.append(told)
            elif told["type"] == "error":
                raise BrowserSaidNo(f"{method}: {told['error']}: {told['message']}")
            else:
                return dict(told["result"])

    def tab(self, locale: str | None = None) -> "Tab":
        """A tab of somebody new, whose storage is their own. `locale` is their language."""
        person = self.ask("browser.createUserContext")["userContext"]
        if locale:
            self.ask("emulation.setLocaleOverride", locale=locale, userContexts=[person])
        self.ask("script.addPreloadScript", functionDeclaration=_WATCH, userContexts=[person])
        opened = self.ask("browsingContext.create", type="tab", userContext=person)["context"]
        return Tab(self, opened)


@dataclass(frozen=True)
class Tab:
    """A page, or a frame in one."""

    browser: Firefox
    context: str

    def goto(self, address: str) -> None:
        """Open `address`, and wait until it is loaded."""
        self.browser.ask("browsingContext.navigate", context=self.context, url=address, wait="complete")

    def size(self, width: int, height: int) -> None:
        """Measures of the viewport, in CSS pixels."""
        measures = {"width": width, "height": height}
        self.browser.ask("browsingContext.setViewport", context=self.context, viewport=measures)

    def do(self, body: str, *given: object) -> Any:
        """What an async function with this `body` returns, as JSON; `given` are its `given`.

        It may call `everywhere(selector)`: all elements of a CSS selector, in whatever open shadow trees they stand;
        and `find(selector, words)`: the first that is visible and has `words`.
        """
        declared = (
            f"async (all) => {{ {_FIND} const run = async (...given) => {{ {body} }};"
            " return JSON.stringify((await run(...JSON.parse(all))) ?? null); }"
        )
        told = self.browser.ask(
            "script.callFunction",
            functionDeclaration=declared,
            target={"context": self.context},
            arguments=[{"type": "string", "value": json.dumps(given)}],
            awaitPromise=True,
        )
        if told["type"] == "exception":
            raise BrowserSaidNo(told["exceptionDetails"]["text"])
        return json.loads(told["result"]["value"])

    def wait(self, expression: str, *given: object) -> Any:
        """The value of a JavaScript `expression` once it is true; AssertionError when it never is."""
        deadline = time.monotonic() + PATIENCE
        seen: Any = None
        while time.monotonic() < deadline:
            try:
                if seen := self.do(f"return {expression}", *given):
                    return seen
            except BrowserSaidNo as error:  # the page was on its way to the next
                seen = error
            time.sleep(_GLANCE)
        raise AssertionError(f"it never came to {expression} {given}: {seen}")

    def find(self, selector: str, words: str = "") -> None:
        """Wait until that is to be seen."""
        self.wait("Boolean(find(...given))", selector, words)

    def click(self, selector: str, words: str = "") -> None:
        """Press the middle of the first such element with the pointer, once it is to be seen."""
        self.find(selector, words)
        x, y = self.do(
            "const one = find(...given); one.scrollIntoView({ block: 'center', behavior: 'instant' });"
            "const box = one.getBoundingClientRect();"
            "return [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)]",
            selector,
            words,
        )
        pressed = [
            {"type": "pointerMove", "x": x, "y": y},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        self._act({"type": "pointer", "id": "mouse", "actions": pressed})

    def press(self, *names: str) -> None:
        """Press keys one after another, by their names in KEYS or as what they write."""
        keys = [KEYS.get(name, name) for name in names]
        pressed = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._act({"type": "key", "id": "keyboard", "actions": pressed})

    def _act(self, source: dict[str, object]) -> None:
        self.browser.ask("input.performActions", context=self.context, actions=[source])

    def frame(self) -> "Tab":
        """The first frame in this page, once there is one."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            tree = self.browser.ask("browsingContext.getTree", root=self.context)["contexts"][0]
            if tree["children"]:
                return Tab(self.browser, tree["children"][0]["context"])
            time.sleep(_GLANCE)
        raise AssertionError("there is no frame in the page")

    def picture(self, path: Path) -> None:
        """Write what is seen, as PNG."""
        shot = self.browser.ask("browsingContext.captureScreenshot", context=self.context)["data"]
        path.write_bytes(base64.b64decode(shot))

    def calls(self, part: str) -> list[int]:
        """How the calls of this page were answered whose address has `part`; asking for leave to call is none."""
        return [
            told["response"]["status"]
            for told in self._told("network.responseCompleted")
            if part in told["request"]["url"] and told["request"]["method"] != "OPTIONS"
        ]

    def answered(self, part: str) -> list[int]:
        """The same, once there is one."""
        deadline = time.monotonic() + PATIENCE
        while not (found := self.calls(part)) and time.monotonic() < deadline:
            time.sleep(_GLANCE)
        return found

    def complaints(self) -> list[str]:
        """Errors that were logged or thrown in this page, and breaches of its policy."""
        logged = [str(told["text"]) for told in self._told("log.entryAdded") if told["level"] == "error"]
        return logged + list(self.do("return window.breaches ?? []"))

    def _told(self, event: str) -> Iterator[dict[str, Any]]:
        self.browser.ask("session.status")  # so that what was told until now is heard
        for told in self.browser.heard:
            params = told.get("params", {})
            place = params.get("context") or params.get("source", {}).get("context")
            if told.get("method") == event and place == self.context:
                yield params


@contextmanager
def running(program: str, folder: Path, preferences: Mapping[str, object]) -> Iterator[Firefox]:
    """Start Firefox with a fresh profile in `folder` and these preferences (as in about:config)."""
    wanted = {**_QUIET, **preferences}
    profile = folder / "profile"
    profile.mkdir(parents=True)
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in wanted.items()]
    (profile / "user.js").write_text("".join(lines), "utf-8")
    command = [program, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"]
    log = folder / "firefox.log"
    environment = os.environ | {"HOME": str(folder), "MOZ_CRASHREPORTER_DISABLE": "1"}
    with log.open("wb") as written:
        process = subprocess.Popen(command, stdout=written, stderr=subprocess.STDOUT, env=environment)
    try:
        address = _address(process, log)
        with connect(f"{address}/session", max_size=None, proxy=None, open_timeout=PATIENCE) as socket:
            browser = Firefox(socket)
            browser.ask("session.new", capabilities={})
            browser.ask("session.subscribe", events=_EVENTS)
            yield browser
    finally:
        process.terminate()
        process.wait(2 * PATIENCE)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + 4 * PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        if said := _LISTENING.search(log.read_text("utf-8", "replace")):
            return said[1]
        time.sleep(_GLANCE)
    raise RuntimeError(f"Firefox did not start:\n{log.read_text('utf-8', 'replace')}")
