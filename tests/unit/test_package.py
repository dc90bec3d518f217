"""`pip install .` gives a complete product: widgets, migrations, pages and pictures are in the wheel."""

import tomllib
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from app import main

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    built = next(WheelBuilder(str(ROOT)).build(directory=str(folder)))
    return set(zipfile.ZipFile(built).namelist())


def files(folder: str) -> set[Path]:
    return {
        path.relative_to(ROOT)
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name != "README.md"
    }


@pytest.mark.parametrize("folder", ["widgets", "migrations"])
def test_what_is_beside_the_code_is_in_the_wheel(wheel: set[str], folder: str) -> None:
    assert {f"app/_bundled/{path.as_posix()}" for path in files(folder)} <= wheel


def test_every_file_of_the_code_is_in_the_wheel(wheel: set[str]) -> None:
    assert {path.as_posix() for path in files("app")} <= wheel


def test_the_version_is_said_once_in_the_same_words() -> None:
    assert main.VERSION == tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]


def test_no_test_is_in_the_wheel(wheel: set[str]) -> None:
    assert set() == {name for name in wheel if name.startswith("tests/")}
