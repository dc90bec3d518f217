"""A start imports what every request needs; what only some use is imported where it is used."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SELDOM = {
    "PIL",
    "alembic",
    "cryptography",
    "httpcore",
    "httpx",
    "numpy",
    "rich",
    "scipy",
    "segno",
    "stripe",
    "psycopg",  # on SQLite
}
_START = """
import sys
from app import main
from app.settings import load
main.application(load())
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_a_start_imports_nothing_that_is_heavy_and_seldom_used(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GRAPEVINE_")}
    environment |= {
        "GRAPEVINE_DATABASE_URL": f"sqlite:///{tmp_path}/none.db",
        "GRAPEVINE_DATA_DIR": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    told = subprocess.run(
        [sys.executable, "-c", _START], env=environment, cwd=tmp_path, check=True, stdout=subprocess.PIPE, text=True
    )
    imported = set(told.stdout.split())
    assert {"app", "fastapi", "sqlalchemy"} <= imported
    assert set() == imported & SELDOM
