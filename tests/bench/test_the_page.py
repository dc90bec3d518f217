"""What the benchmark makes of what it has measured, and that parts of it still run, in the smallest form."""

from collections import Counter
from contextlib import ExitStack
from pathlib import Path as File

import pytest
from sqlalchemy import update

from app.kernel.clock import from_micros
from app.kernel.database import Database
from app.kernel.periodic import PeriodicJob
from tests.bench import __main__ as command
from tests.bench import page, profiles, reports, rounds
from tests.bench.asked import Path, Target
from tests.bench.conftest import ANYWHERE
from tests.bench.ground import Ground, Kind, Scale
from tests.bench.load import Result
from tests.bench.parts import PARTS, TITLES
from tests.bench.reports import settled
from tests.bench.rounds import Row
from tests.bench.servers import Server
from tests.soak import SOAK

TINY = Scale(
    rounds=1, seconds=0.05, requests=400, streams=20, millions=(0.001,), orders=(20,), days=10, links=4, liked=8
)
NOWHERE = Server(1, 1, 0.1)
LIGHT = ("beacons", "reports")
"""Parts whose smallest form takes little."""


@pytest.fixture
def tiny(tmp_path: File, monkeypatch: pytest.MonkeyPatch) -> Ground:
    """Ground with one kind of database, since parts do the same on each, on which nothing is pinned."""
    made = Ground(ExitStack(), tmp_path, TINY, lambda _: None)
    monkeypatch.setattr(made, "cores", ANYWHERE)
    kind = Kind("SQLite", lambda name: f"sqlite:///{tmp_path / name}.db", is_sqlite=True)
    monkeypatch.setitem(made.__dict__, "kinds", [kind])  # else PostgreSQL would be started
    monkeypatch.setattr(reports, "settled", settled_soon)
    return made


def settled_soon(database: Database) -> None:
    """As `settled`, without the half a minute after its start that a server leaves its first jobs alone."""
    with database.transaction() as session:
        session.execute(update(PeriodicJob).values(due_at=from_micros(0)))
    settled(database)


@pytest.mark.soak
@pytest.mark.parametrize("name", [*LIGHT, "memory", "engine"] if SOAK else LIGHT)
def test_a_part_writes_its_table(tiny: Ground, name: str) -> None:
    written = PARTS[name].section(tiny)
    assert "| --- |" in written
    assert "not counted" not in written, "an answer was another than expected"


def test_the_page_has_every_part_in_its_order_and_says_last_what_figures_mean() -> None:
    text = page.whole("# Performance", dict.fromkeys(TITLES, "| figure |"))
    assert [*TITLES, page.MEANING_TITLE] == [line[3:] for line in text.splitlines() if line.startswith("## ")]


def test_a_part_replaces_its_own_section_and_no_other() -> None:
    before = page.whole("# Performance\n\nThis run.", {"Beacons": "old", "Start": "1.2 s\n\n### On SQLite\n| a |"})
    after = page.into(before, TITLES, "Beacons", "new\n\n### On SQLite\n| b |")
    assert before.replace("\nold", "\n" + "new\n\n### On SQLite\n| b |") == after


def test_a_part_that_was_never_measured_comes_where_it_belongs() -> None:
    before = page.whole("# Performance", {"Walls and links": "a", "Start": "b"})
    expected = page.whole("# Performance", {"Walls and links": "a", "Beacons": "new", "Start": "b"})
    assert expected == page.into(before, TITLES, "Beacons", "new")


def test_what_is_wanted_holds_only_where_all_of_it_does() -> None:
    wanted = (Target("of bare", 0.45), Target("a second", 2500), Target("ms at 99 %", 60))
    quick = _row(wanted, _result(answers=3000, p99=0.059), bare=6000)
    assert "| 0.50 | 0.45 of bare; 2,500 a second; under 60 ms at 99 % | holds |" in rounds.shown("On SQLite", [quick])
    slow = _row(wanted, _result(answers=3000, p99=0.061), bare=6000)
    assert "| **does not hold**: under 60 ms at 99 % |" in rounds.shown("On SQLite", [slow])


def test_times_the_usual_way_are_counted_by_what_each_has_of_bare() -> None:
    ours, usual = _row((), _result(answers=4000), bare=8000), _row((), _result(answers=100), bare=4000)
    assert 20 == ours.times(usual).median
    assert Target("times the usual way", 20).holds(ours.reached(Target("times the usual way", 20), usual))


def test_a_machine_that_had_other_work_is_told() -> None:
    row = _row((), _result(answers=4000), _result(answers=4000), bare=8000)
    row.beside[0] = 4000
    assert "The machine had other work meanwhile" in rounds.shown("On SQLite", [row])


def test_other_answers_than_expected_are_told_and_not_counted() -> None:
    row = _row((), Result(10, 1.0, 0.001, 0.002, 3, 0.5, {"503": 7}), bare=8000)
    assert "other answers than expected, not counted: 7 × 503" in rounds.shown("On SQLite", [row])


def test_time_is_counted_for_the_innermost_part_that_is_known() -> None:
    looks = [
        "main (app/cli.py:1);run (uvicorn/server.py:2);__call__ (app/fastlane.py:3) 5",
        "main (app/cli.py:1);_work (app/kernel/recorder.py:9);append (app/kernel/rollups/appending.py:4) 3",
        "boot (frozen:1) 2",
        "main (app/cli.py:1);_next_batch (app/kernel/recorder.py:9);Condition.wait (threading.py:327) 9",
    ]
    assert {"fast lane": 5, "counts (rollups)": 3, "the rest": 2} == profiles.by_part(looks)


def test_what_is_said_of_a_path_begins_with_the_two_parts_that_were_seen_most() -> None:
    looks = [Counter({"fast lane": 30, "the rest": 10, "SQLAlchemy": 60}), Counter({"fast lane": 4}), Counter[str]()]
    payload, link, beacons = profiles.said({"SQLite": looks, "PostgreSQL 15": looks[::-1]}).splitlines()
    most = "SQLAlchemy (60 %), then fast lane (30 %)"
    assert payload.startswith(f"* **The payload**: on SQLite {most}; on PostgreSQL 15 nothing was seen. What is sent")
    assert "on SQLite fast lane (100 %); on PostgreSQL 15 fast lane (100 %)." in link
    assert f"on PostgreSQL 15 {most}." in beacons


def test_only_a_reasonable_amount_can_be_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--rounds", "0"])
    assert "from 1 to 100 rounds" in capsys.readouterr().err


def _row(wanted: tuple[Target, ...], *runs: Result, bare: float) -> Row:
    row = Row(Path("a path", NOWHERE, ["GET"], 200, wanted=wanted), list(runs), [_result(answers=int(bare))])
    row.beside = [bare for _ in runs]
    return row


def _result(answers: int, p99: float = 0.002) -> Result:
    return Result(answers, 1.0, 0.001, p99, 3, 0.5, {})
