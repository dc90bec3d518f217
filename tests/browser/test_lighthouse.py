"""Google's Lighthouse (npm) judges the pages of a real server as it judges anybody's: speed, accessibility, practice,
search engines. It simulates a slow line and device, yet how long scripts hold a page up is the machine's own time: it
runs alone, and a page that seems slow is measured a second time before it is called slow."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.browser.journeys import ON_ONE_DATABASE
from tests.browser.places import Places
from tests.shop import JSON
from tests.soak import SOAK
from tests.web import tools

pytestmark = [*ON_ONE_DATABASE, pytest.mark.slow, pytest.mark.soak, pytest.mark.alone]

LEAST: Final = 95
RUNS: Final = [
    ("wall", "phone"),
    ("product", "desktop"),
    *([("wall", "desktop"), ("product", "phone")] if SOAK else []),
]


@pytest.fixture(scope="module")
def debugging_port(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A Chromium that Lighthouse may drive."""
    profile = tmp_path_factory.mktemp("lighthouse")
    flags = ["--headless", "--no-sandbox", "--disable-background-networking", "--remote-debugging-port=0"]
    command = [chromium, *flags, f"--user-data-dir={profile}", "about:blank"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield _told(profile / "DevToolsActivePort")
    finally:
        process.terminate()
        process.wait(20)


def _told(file: Path) -> int:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if file.exists() and (lines := file.read_text("utf-8").split()):
            return int(lines[0])
        time.sleep(0.05)
    raise RuntimeError("Chromium did not start")


def judged(address: str, form: str, port: int) -> JSON:
    """The scores, and what they come from when one is too low. Only its speed is given a second chance."""
    found: JSON = tools.node("lighthouse.mjs", address, form, str(port))
    if found["scores"]["performance"] < LEAST:
        found = tools.node("lighthouse.mjs", address, form, str(port))
    return found


@pytest.mark.parametrize(("name", "form"), RUNS)
def test_lighthouse_is_pleased(places: Places, debugging_port: int, name: str, form: str) -> None:
    found = judged(places.of(name), form, debugging_port)
    low = {category: score for category, score in found["scores"].items() if score < LEAST}
    assert ({}, 4) == (low, len(found["scores"])), "\n".join(found["failures"] + found["warnings"])
