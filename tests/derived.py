"""What the server makes of its facts by itself, some time after: tests that compare tables look at the facts."""

from typing import Final

DERIVED: Final = frozenset({"rollups", "rollup_deltas", "rollup_checks", "credit_sums", "credit_marks"})
"""Tables."""
