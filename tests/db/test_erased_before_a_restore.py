"""Who was erased stays erased, also where an older backup is put back."""

import json
import random
from contextlib import suppress
from pathlib import Path

import pytest

from app import main
from app.erasing import erasure_of
from app.kernel.database import Database
from app.kernel.errors import NotFound
from app.kernel.outbox import Worker
from app.privacy.erasure import TOPIC
from tests.conftest import SECRET, settings_for
from tests.db.changing import World
from tests.db.conftest import Run
from tests.db.forgetting import places
from tests.db.test_erasure import WHO_LEFT, erase, without_names


def lived_in(database: Database) -> World:
    world = World(database, random.Random(11))
    world.keep_policies(0)
    for _ in range(60):
        with suppress(NotFound):
            world.something()
    world.catch_up()
    return world


def test_who_was_erased_since_the_backup_is_erased_again(
    database: Database, grapevine: Run, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRAPEVINE_SECRET", SECRET)
    world = lived_in(database)
    assert 0 == grapevine("backup", file).exit_code
    here = main.assemble(settings_for(database.url.render_as_string(hide_password=False), tmp_path), world.clock)
    forgets = erasure_of(here)
    names = erase(forgets, world.merchant, "v1")
    Worker(here.database, here.clock, here.outbox, {TOPIC: forgets.run}).run_due()
    here.reports.close()
    here.database.close()
    assert places(database, world.merchant, names) <= WHO_LEFT
    before = without_names(world.books())
    database.close()

    told = grapevine("restore", file, "--replace")
    assert (0, True) == (told.exit_code, "were erased again" in told.output), told.output
    assert places(database, world.merchant, names) <= WHO_LEFT
    assert before == without_names(world.books())
    assert world.computed() == world.books()
    database.close()
    assert "were erased again" not in grapevine("restore", file, "--check").output


def test_a_list_of_those_who_left_names_nobody_and_is_enough_for_another_machine(
    database: Database, grapevine: Run, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRAPEVINE_SECRET", SECRET)
    world = lived_in(database)
    assert 0 == grapevine("backup", file).exit_code
    here = main.assemble(settings_for(database.url.render_as_string(hide_password=False), tmp_path), world.clock)
    names = erase(erasure_of(here), world.merchant, "v2")
    here.reports.close()
    here.database.close()
    said = grapevine("leavers").output
    assert not [name for name in names if f'"{name}"' in said]
    (listed := tmp_path / "leavers").write_text(said)
    assert len(names) <= len([json.loads(line) for line in said.splitlines()])

    monkeypatch.setenv("GRAPEVINE_DATABASE_URL", new := f"sqlite:///{tmp_path / 'new.db'}")
    told = grapevine("restore", file, "--leavers", listed)
    assert (0, True) == (told.exit_code, "were erased again" in told.output), told.output
    other = Database(new)
    assert places(other, world.merchant, names) <= WHO_LEFT
    other.close()
    listed.write_text("no list")
    monkeypatch.setenv("GRAPEVINE_DATABASE_URL", f"sqlite:///{tmp_path / 'third.db'}")
    assert "no list of `grapevine leavers`" in grapevine("restore", file, "--leavers", listed).stderr
