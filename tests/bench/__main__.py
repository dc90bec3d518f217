"""`python -m tests.bench`: measures, prints the page and writes it to `docs/performance.md`; `--part` for one part."""

import argparse
import sys
import traceback
from pathlib import Path

from tests.bench import page
from tests.bench.ground import Ground, Scale, laid
from tests.bench.load import LONGEST
from tests.bench.parts import PARTS, TITLES
from tests.bench.servers import ROOT

PAGE = ROOT / "docs" / "performance.md"


def main(words: list[str] | None = None) -> None:
    given = _understood(words)
    scale = Scale(
        rounds=given.rounds,
        seconds=given.seconds,
        requests=given.requests,
        streams=given.streams,
        millions=tuple(given.millions),
        orders=tuple(given.orders),
    )
    with laid(scale, _say) as ground:
        alone = given.part is not None and given.output.exists()
        text = given.output.read_text("utf-8") if alone else page.whole(page.head(ground), {})
        for name in given.part or PARTS:
            section = _section(ground, name)
            text = page.into(text, TITLES, PARTS[name].title, section)
            given.output.write_text(text, "utf-8")  # at once: who stops it keeps what was measured until then
            print(f"## {PARTS[name].title}\n{section}\n", flush=True)


def _section(ground: Ground, name: str) -> str:
    """What the part writes; one that fails does not lose the others."""
    try:
        return PARTS[name].section(ground)
    except Exception as error:
        traceback.print_exc()
        return f"**Not measured in this run: {type(error).__name__}.**"


def _understood(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    normal = Scale()
    parser.add_argument(
        "--part", action="append", choices=list(PARTS), help="only this, into its section; again for more"
    )
    parser.add_argument(
        "--rounds", type=int, default=normal.rounds, help="how often each path is measured (default: 3)"
    )
    parser.add_argument("--seconds", type=float, default=normal.seconds, help="how long each time (default: 1.5)")
    parser.add_argument(
        "--requests", type=int, default=normal.requests, help="until memory is looked at (default: 1000000)"
    )
    parser.add_argument("--streams", type=int, default=normal.streams, help="open at once (default: 10000)")
    parser.add_argument(
        "--millions",
        type=float,
        nargs="+",
        default=normal.millions,
        help="of facts below a report, by size (default: 1)",
    )
    parser.add_argument(
        "--orders", type=int, nargs="+", default=normal.orders, help="below a report, by size (default: 20000)"
    )
    parser.add_argument("--output", type=Path, default=PAGE, help="where the page goes (default: docs/performance.md)")
    given = parser.parse_args(words)
    if not (1 <= given.rounds <= 100 and 0 < given.seconds <= LONGEST):
        parser.error(f"from 1 to 100 rounds of at most {LONGEST:g} seconds")
    return given


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
