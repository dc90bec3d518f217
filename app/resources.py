"""Where the files are that come with the code: widgets and migrations. Imports nothing of ours.

In a checkout they stand beside `app/`; in an installed wheel inside it, under `app/_bundled/`.
"""

from pathlib import Path

_APP = Path(__file__).parent
_ROOT = _APP / "_bundled" if (_APP / "_bundled").is_dir() else _APP.parent

WIDGETS = _ROOT / "widgets"
MIGRATIONS = _ROOT / "migrations"
