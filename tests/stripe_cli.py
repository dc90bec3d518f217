"""Stripe's own command line (npm package `@stripe/cli`), downloaded once into var/ and run without the Internet.

It triggers events as Stripe's documentation shows them: it makes the objects over the API, in its own words.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import pytest

VERSION: Final = "1.52.0"
_KEPT: Final = Path(__file__).parents[1] / "var" / "stripe-cli"
_PATIENCE_TO_INSTALL: Final = 60  # seconds
_PATIENCE: Final = 30
_NOWHERE: Final = "http://127.0.0.1:9"  # a proxy that is not there: what would go out fails at once


class StripeCommandLine:
    """The installed command line. `home` is where it keeps its settings."""

    def __init__(self, binary: Path, home: Path) -> None:
        self._binary = binary
        self._home = home

    def trigger(self, event: str, *more: str, url: str, api_key: str) -> None:
        """Make `event` happen at the Stripe that is served at `url`. AssertionError tells what it said."""
        asked = [str(self._binary), "trigger", event, "--api-base", url, "--api-key", api_key, *more]
        done = subprocess.run(
            asked,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
            stdin=subprocess.DEVNULL,
            env={
                "HOME": str(self._home),
                "XDG_CONFIG_HOME": str(self._home),
                "PATH": os.defpath,
                "HTTPS_PROXY": _NOWHERE,
                "STRIPE_CLI_TELEMETRY_OPTOUT": "1",
            },
        )
        assert done.returncode == 0, f"{event}: {done.stdout}{done.stderr}"
        assert "Trigger succeeded" in done.stdout


def installed() -> Path:
    """The command line's program. Skips the test, saying why, where it cannot be had."""
    kept = _KEPT / VERSION
    found = _binary(kept)
    if found is None:
        _install(kept)
        found = _binary(kept)
    if found is None:
        pytest.skip("the npm package @stripe/cli has no program for this machine")
    return found


def _install(place: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed: Stripe's command line cannot be had")
    _KEPT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_KEPT) as fresh:
        options = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries", "0"]
        asked = [npm, "install", *options, "--prefix", fresh, f"@stripe/cli@{VERSION}"]
        try:
            subprocess.run(asked, capture_output=True, text=True, timeout=_PATIENCE_TO_INSTALL, check=True)
        except (subprocess.SubprocessError, OSError) as error:
            said = str(getattr(error, "stderr", None) or error)
            pytest.skip(f"the npm package @stripe/cli cannot be had: {said[-500:]}")
        if not place.exists():  # another process may have been quicker
            shutil.copytree(fresh, place.with_suffix(f".{os.getpid()}"), symlinks=True)
            place.with_suffix(f".{os.getpid()}").rename(place)


def _binary(place: Path) -> Path | None:
    programs = place.glob("node_modules/@stripe/cli-*/bin/stripe")
    return next((program for program in programs if os.access(program, os.X_OK)), None)
