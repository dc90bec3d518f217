"""How far an embed moves the page around it while it arrives: the layout shifts that Chromium tells, summed up.

Each stands under a heading with words below it, as its makers say that it is to be pasted; ours comes from our server
and Isso from its own, both on loopback. The other peers come from their makers' services, which are not here.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import httpx
from playwright.sync_api import Browser, sync_playwright

from tests.bench.servers import PATIENCE
from tests.browser.demo import running
from tests.browser.foreign import Elsewhere
from tests.browser.shifts import shifts, watch
from tests.net import free_port, serving
from tests.shop import BROWSER

SCREENS: Final = ((390, 844), (1280, 900))
BELOW: Final = "<p>What stands below, and is to stay where it is.</p>" * 20
_ISSO: Final = '<script data-isso="{at}/" src="{at}/js/embed.min.js"></script><section id="isso-thread"></section>'
_INSTALL: Final = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"]


class NotMeasured(Exception):
    """What is missing for it, in words."""


def ours() -> float:
    """Of a wall on a friend's page, pasted with the line that keeps its room."""
    with _site() as (browser, folder), ExitStack() as started:
        demo = started.enter_context(running(folder, f"sqlite:///{folder / 'shift.db'}"))
        port = free_port()
        site = Elsewhere(f"http://friend.localhost:{port}", demo.url)
        key = {"Authorization": f"Bearer {demo.secret_key}"}
        listed = {"allowed_origins": [site.origin]}
        httpx.patch(f"{demo.url}/v1/merchant", json=listed, headers=key).raise_for_status()
        code = httpx.get(f"{demo.url}/v1/walls/{demo.wall}/embed-code", headers=key).raise_for_status().json()
        element = re.sub("<script.*?</script>", "", code["element"])  # every page of the friend's has it
        keeps = re.search(r"grapevine-wall \{.*?\}", str(code))
        started.enter_context(serving(site, port))
        address = site.write(f"<style>{keeps[0] if keeps else ''}</style><h1>A friend</h1>{element}{BELOW}")
        return _worst(browser, address, "grapevine-wall li.card:not(.bone)")


def issos(package: str) -> float:
    """Of a thread of comments. Raises `NotMeasured`."""
    with _site() as (browser, folder), ExitStack() as started:
        port = free_port()
        friend = f"http://localhost:{port}"
        at = started.enter_context(_isso(package, folder, friend))
        site = Elsewhere(friend, at)
        started.enter_context(serving(site, port))
        return _worst(browser, site.write(f"<h1>A friend</h1>{_ISSO.format(at=at)}{BELOW}"), ".isso-postbox")


def a_services(package: str) -> float:
    """Of what is drawn from answers of somebody's service."""
    raise NotMeasured("needs its service")


Measure = Callable[[str], float]


@contextmanager
def _site() -> Iterator[tuple[Browser, Path]]:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise NotMeasured("no Chromium here")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser, Path(folder)
        browser.close()


def _worst(browser: Browser, address: str, arrived: str) -> float:
    """The larger sum of two screens, once `arrived` is to be seen."""
    sums = []
    for width, height in SCREENS:
        context = browser.new_context(viewport={"width": width, "height": height}, user_agent=BROWSER)
        page = context.new_page()
        watch(page)
        page.goto(address)
        page.locator(arrived).first.wait_for()
        page.wait_for_load_state("networkidle")
        sums.append(sum(float(str(shift[0])) for shift in shifts(page)))
        context.close()
    return max(sums)


@contextmanager
def _isso(package: str, folder: Path, friend: str) -> Iterator[str]:
    """Isso's own server, from its package, for comments on pages of `friend`."""
    port, library = free_port(), folder / "isso"
    try:
        subprocess.run([*_INSTALL, str(library), package], check=True, capture_output=True, timeout=120)
    except subprocess.SubprocessError as error:
        raise NotMeasured("could not be had in this run") from error
    settings = folder / "isso.cfg"
    hosts = f"[general]\ndbpath = {folder / 'comments.db'}\nhost = {friend}\n"
    settings.write_text(f"{hosts}[server]\nlisten = http://localhost:{port}\n", "utf-8")
    command = [sys.executable, "-c", "from isso import main; main()", "-c", str(settings), "run"]
    environment = {**os.environ, "PYTHONPATH": str(library)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    at = f"http://localhost:{port}"
    try:
        _wait(f"{at}/js/embed.min.js")
        yield at
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _wait(address: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if httpx.get(address, timeout=2).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise NotMeasured("its server did not start")
