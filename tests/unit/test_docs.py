"""The documentation says what the code does: every setting and every error code is listed, and nothing else."""

import re
from pathlib import Path

import app.main  # noqa: F401  # imports every domain, so that every error is known
from app.kernel.errors import AppError
from app.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"


def all_errors(kind: type[AppError] = AppError) -> set[type[AppError]]:
    return {kind}.union(*(all_errors(each) for each in kind.__subclasses__()))


def test_every_setting_is_documented_and_none_that_does_not_exist() -> None:
    documented = set(re.findall(r"^\| `(GRAPEVINE_\w+)`", (DOCS / "settings.md").read_text("utf-8"), re.MULTILINE))

    assert {f"GRAPEVINE_{name.upper()}" for name in Settings.model_fields} == documented


def test_every_error_code_is_documented_with_its_status() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \|", (DOCS / "errors.md").read_text("utf-8"), re.MULTILINE)

    assert {(error.code, str(error.status)) for error in all_errors()} == set(rows)


def test_every_link_between_documents_leads_somewhere() -> None:
    root = DOCS.parent
    for document in [*root.glob("*.md"), *DOCS.rglob("*.md"), root / "widgets" / "README.md"]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"
