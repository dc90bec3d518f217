"""The code of before the newest migrations, as the history has it: what still runs while a new version comes."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def older_code(folder: Path) -> Path:
    """Unpack it there. Skips the test, saying so, where there is no history that goes back so far."""
    with tarfile.open(fileobj=io.BytesIO(_git("archive", _before(), "app", "migrations", "widgets"))) as archive:
        archive.extractall(folder, filter="data")
    return folder


def _before() -> str:
    """The last commit whose migrations are all as they still are, and not all there are: one that is not released may
    have been bettered since."""
    for migration in sorted((ROOT / "migrations" / "versions").glob("[0-9]*.py"), reverse=True):
        added = _git("log", "--diff-filter=A", "--format=%H", "--", str(migration)).decode().split()
        commit = f"{added[-1]}^" if added else "HEAD"  # it is not committed yet
        if not _git("diff", "--name-only", "--diff-filter=a", commit, "--", str(migration.parent)):
            return commit
    pytest.skip("no version of before in the history of the code")


def _git(*words: str) -> bytes:
    try:
        return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no history of the code here, to take an older version from: {error}")
