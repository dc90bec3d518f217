"""Whether tests run in their long form: `make soak` sets SOAK. What has such a form is marked `soak`."""

import os
from typing import Final

SOAK: Final = bool(os.environ.get("SOAK"))
