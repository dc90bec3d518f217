"""What others wrote to judge web pages by, from npm: installed once into var/web (see the Makefile), run without the
Internet. Tests that need it are skipped, saying so, where it is not.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

HERE: Final = Path(__file__).parent
ROOM: Final = HERE.parents[1] / "var" / "web"
_PATIENCE: Final = 100  # seconds


def package(name: str) -> Path:
    """The folder of an installed npm package."""
    if not (ROOM / ".installed").exists():
        pytest.skip(
            "the npm packages of tests/web are not installed: `make var/web/.installed`, with npm and its registry"
        )
    return ROOM / "node_modules" / name


def node(script: str, *given: str, said: str = "", **variables: str) -> Any:
    """The JSON that a module of this folder writes; `said` is its standard input. AssertionError tells what went wrong.

    The module is run where the packages are, so that it finds them.
    """
    package(".")
    program = shutil.which("node")
    if program is None:
        pytest.skip("node is not installed")
    shutil.copy(HERE / script, ROOM / script)
    done = subprocess.run(
        [program, script, *given],
        input=said,
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        check=False,
        cwd=ROOM,
        env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(ROOM), "NO_PROXY": "*", **variables},
    )
    assert done.returncode == 0, f"{script}: {done.stdout}{done.stderr}"
    return json.loads(done.stdout)
