"""The code of before a migration, as the history has it: what still runs while a new version comes."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
VERSIONS = "migrations/versions"
FOLDERS = ("app", "migrations", "widgets")


def older_code(folder: Path, before: str) -> Path:
    """Unpack there the code of just before the migration of this number came. Skips the test, saying so, where there is
    no history that goes back so far."""
    with tarfile.open(fileobj=io.BytesIO(_git("archive", _commit(before), *FOLDERS))) as archive:
        archive.extractall(folder, filter="data")
    assert not list((folder / VERSIONS).glob(f"{before}_*.py"))
    return folder


def _commit(before: str) -> str:
    """The parent of the first commit that has the migration. The migrations that are there must still be as they were:
    else a database of that code is not one that a new version can find."""
    came = _git("log", "--diff-filter=A", "--format=%H", "--", f"{VERSIONS}/{before}_*.py").decode().split()
    if not came:
        pytest.skip(f"migration {before} is not in the history of the code")
    commit = f"{came[-1]}^"
    changed = _git("diff", "--name-only", "--diff-filter=a", commit, "--", VERSIONS).decode().split()
    assert [] == changed, "migrations of before are not what they were"
    return commit


def _git(*words: str) -> bytes:
    try:
        return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no history of the code here, to take an older version from: {error}")
