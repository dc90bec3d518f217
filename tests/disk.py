"""A disk that is full when a test says so, with what this machine allows."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class SmallDisk:
    """A file system of its own, in memory."""

    folder: Path

    def fill(self) -> None:
        """Leave no room on it."""
        with (self.folder / "filler").open("wb", buffering=0) as filler:
            for size in (64 * 1024, 1024, 1):
                try:
                    while True:
                        filler.write(b"x" * size)
                except OSError:
                    continue

    def free(self) -> None:
        """Give the room back."""
        (self.folder / "filler").unlink()


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Mount one on `folder`. Skips the test, saying so, where that is not allowed: it takes root's privileges."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "grapevine-test", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("a small disk cannot be mounted here: there is no `mount`")
    if done.returncode:
        pytest.skip("a small disk cannot be mounted here without privileges: " + done.stderr.decode().strip())
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@dataclass(frozen=True)
class Allowance:
    """How large the files of a process may grow: what stands for a full disk where no small one can be mounted.

    SQLite says "disk I/O error" then instead of "database or disk is full".
    """

    process: int

    def fill(self) -> None:
        """Let it write to no file."""
        _limit(self.process, 0)

    def free(self) -> None:
        _limit(self.process, resource.RLIM_INFINITY)


def _limit(process: int, most: int) -> None:
    assert sys.platform == "linux"
    hard = resource.prlimit(process, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(process, resource.RLIMIT_FSIZE, (most, hard))


def can_limit_files() -> bool:
    """Whether a process's files can be kept from growing here."""
    return sys.platform == "linux" and hasattr(resource, "prlimit") and os.path.exists("/proc/self/limits")
