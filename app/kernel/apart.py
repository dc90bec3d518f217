"""Processes of our own for what would cost the server too much: memory for good, or time that nobody bounds.

Knows not what they do.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[2]
_PASSED_ON: Final = frozenset({"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT"})
"""What such a process sees of the environment: nothing that is secret."""


def start(module: str) -> subprocess.Popen[bytes]:
    """Run `module` of ours; what it is asked goes in, and what it answers comes out. Raises `OSError` where the system
    has no room for it."""
    return subprocess.Popen(  # noqa: S603 - our own
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=_ROOT,
        env={
            **{name: value for name, value in os.environ.items() if name in _PASSED_ON},
            "PYTHONPATH": os.pathsep.join(sys.path),
        },
        start_new_session=True,  # Ctrl-C is for us
    )
