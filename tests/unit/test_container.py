"""The container runs as nobody, on a file system that it cannot write to, from packages that are held to hashes."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")


@pytest.fixture
def stages() -> list[list[str]]:
    """The instructions of the Dockerfile, of each stage."""
    text = (ROOT / "Dockerfile").read_text()
    lines = re.sub(r"\\\n\s*", "", re.sub(r"(?m)^#.*\n", "", text)).splitlines()
    instructions = [line for line in lines if line]
    starts = [place for place, line in enumerate(instructions) if line.startswith("FROM ")]
    return [instructions[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True)]


@pytest.fixture
def service() -> str:
    """What compose.yaml says of Grapevine itself."""
    text = (ROOT / "compose.yaml").read_text()
    return text.partition("\n  grapevine:\n")[2].partition("\n\n")[0]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_to_a_version_and_hashes(lock: str) -> None:
    packages = re.sub(r"\\\n\s*", "", (ROOT / lock).read_text()).splitlines()
    assert len(packages) > 20
    for package in packages:
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==\S+", package), package
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", package), package


def test_the_image_installs_only_what_is_held_to_its_hash(stages: list[list[str]]) -> None:
    installs = [line for stage in stages for line in stage if "pip install" in line]
    assert 2 == len(installs)
    assert "--require-hashes -r requirements.lock" in installs[0]
    assert "--no-deps ." in installs[1]


def test_the_image_runs_as_nobody_by_number(stages: list[list[str]]) -> None:
    *_, last = stages
    users = [line.removeprefix("USER ") for line in last if line.startswith("USER ")]
    assert ["10001:10001"] == users
    after = last[last.index("USER 10001:10001") + 1 :]
    assert not [line for line in after if line.startswith(("COPY", "ADD", "RUN"))]
    assert any("--shell /usr/sbin/nologin" in line for line in last)


def test_no_secret_and_nothing_of_the_working_copy_comes_into_the_image(stages: list[list[str]]) -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", "var", ".venv", "tests"} <= set(ignored)
    said = [line for stage in stages for line in stage if line.startswith(("ENV", "ARG"))]
    assert not re.search(r"(?i)secret|token|password|_key", " ".join(said))
    assert not [line for stage in stages for line in stage if line.startswith("ADD ") or line == "COPY . ."]


def test_what_sqlite_writes_beside_the_database_has_a_place(stages: list[list[str]]) -> None:
    *_, last = stages
    (environment,) = [line for line in last if line.startswith("ENV ")]
    assert "SQLITE_TMPDIR=/tmp" in environment
    assert "GRAPEVINE_DATA_DIR=/data" in environment
    assert "VOLUME /data" in last


def test_compose_lets_it_write_only_to_its_data_and_to_memory(service: str) -> None:
    assert "    read_only: true\n" in service
    (tmpfs,) = re.findall(r"tmpfs: \[(.*)\]", service)
    assert tmpfs.startswith('"/tmp:')
    assert {"noexec", "nosuid", "nodev"} <= set(tmpfs.strip('"').partition(":")[2].split(","))
    assert ["grapevine:/data"] == re.findall(r'volumes: \["(.*)"\]', service)
    assert 'cap_drop: ["ALL"]' in service
    assert 'security_opt: ["no-new-privileges:true"]' in service
    assert "privileged: true" not in service
