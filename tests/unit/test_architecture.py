"""The rules of the house that an import checker cannot see, held against the code itself."""

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path.relative_to(ROOT).as_posix() for path in (ROOT / "app").rglob("*.py") if "_bundled" not in path.parts
)


@cache
def parsed(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text())


def dotted(node: ast.expr) -> str:
    """`a.b.c` of a chain of names, `?` for what is no name."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def calls(file: str) -> Iterator[tuple[str, int]]:
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.Call):
            yield dotted(node.func), node.lineno


def imports(file: str) -> Iterator[tuple[str, int]]:
    """Each imported module, and each name imported from one, in full."""
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert not node.level, f"{file}:{node.lineno}: imports are absolute here"
            yield node.module, node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def offences(found: Callable[[str], Iterator[tuple[str, int]]], bad: Callable[[str], bool], *allowed: str) -> list[str]:
    """Where something bad was found outside the allowed files (or folders, with a slash at their end)."""
    return [
        f"{file}:{line}: {name}"
        for file in FILES
        if not any(file == each or (each.endswith("/") and file.startswith(each)) for each in allowed)
        for name, line in found(file)
        if bad(name)
    ]


def test_only_the_database_begins_and_commits() -> None:
    bad = (".commit", ".begin", ".rollback")
    assert not offences(calls, lambda name: name.endswith(bad), "app/kernel/database.py", "app/migrate.py", "app/demo/")


def test_only_the_database_makes_engines_and_connections() -> None:
    bad = {"create_engine", "create_async_engine", "sessionmaker", "sqlite3.connect", "psycopg.connect"}
    assert not offences(
        calls, lambda name: name in bad or name.endswith(".create_engine"), "app/kernel/engines.py", "app/demo/"
    )


def test_only_one_room_knows_stripes_library() -> None:
    assert not offences(imports, lambda name: name.split(".")[0] == "stripe", "app/orders/stripe/")


def test_the_hot_path_goes_through_no_slow_middleware() -> None:
    """`@app.middleware` costs more than the whole rest of the way (architecture.md, Two kinds of request)."""
    assert not offences(calls, lambda name: name.endswith(".middleware"))
    assert not offences(imports, lambda name: "BaseHTTPMiddleware" in name or name == "starlette.middleware.base")


def test_only_the_clock_asks_what_time_it_is() -> None:
    bad = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns")
    assert not offences(
        calls,
        lambda name: any(name == each or name.endswith("." + each) for each in bad),
        "app/kernel/clock.py",
        "app/demo/",
    )
    assert not offences(imports, lambda name: name == "time.time", "app/kernel/clock.py", "app/demo/")


def test_only_the_command_line_knows_the_demonstration() -> None:
    assert not offences(imports, lambda name: name.startswith("app.demo"), "app/cli.py", "app/demo/")


def test_pure_files_know_no_database_no_http_and_no_clock() -> None:
    pure = {
        "app/kernel/money.py",
        "app/kernel/ids.py",
        "app/kernel/errors.py",
        "app/kernel/signing.py",
        "app/merchants/keys.py",
        "app/merchants/origins.py",
        "app/privacy/tokens.py",
        "app/privacy/signals.py",
        "app/networks/intents.py",
        "app/networks/observed.py",
        "app/referrals/bots.py",
        "app/kernel/periods.py",
        "app/reports/formats.py",
        *(file for file in FILES if file.startswith("app/attribution/engine/")),
    }
    assert pure <= set(FILES)
    heavy = {"sqlalchemy", "fastapi", "starlette", "pydantic", "uvicorn", "httpx"}
    assert not [
        f"{file}:{line}: {name}" for file in sorted(pure) for name, line in imports(file) if name.split(".")[0] in heavy
    ]


@pytest.mark.parametrize("file", FILES)
def test_a_file_says_what_it_is_for(file: str) -> None:
    text = (ROOT / file).read_text()
    assert ast.get_docstring(parsed(file)), f"{file}: begin with what it is for"
    assert len(text.splitlines()) <= 300, f"{file}: {len(text.splitlines())} lines: more than can be seen at once"
