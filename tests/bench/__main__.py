"""`python -m tests.bench`: measures, prints the page and writes it to `docs/performance.md`."""

import argparse
import sys
from pathlib import Path

from tests.bench import measure, report
from tests.bench.load import LONGEST
from tests.bench.servers import ROOT

PAGE = ROOT / "docs" / "performance.md"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each path is measured (default: 3)")
    parser.add_argument("--seconds", type=float, default=1.5, help="how long each time (default: 1.5)")
    parser.add_argument("--output", type=Path, default=PAGE, help="where the page goes (default: docs/performance.md)")
    given = parser.parse_args()
    if not (1 <= given.rounds <= 100 and 0 < given.seconds <= LONGEST):
        parser.error(f"from 1 to 100 rounds of at most {LONGEST:g} seconds")
    page = report.page(measure.everything(given.rounds, given.seconds, _say))
    given.output.write_text(page, "utf-8")
    print(page)


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
