"""Packs the files of a folder of widgets into the folder where a server will look for them (console.py)."""

import sys
from pathlib import Path

from app.storefront.assets.files import Assets

Assets(*(Path(folder) for folder in sys.argv[1:]))
