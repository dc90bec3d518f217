"""How many lines a server keeps open, by what the system lets it have open."""

import resource

import pytest

from app.kernel.open_files import RESERVE, room_for


@pytest.mark.parametrize(
    ("soft", "room"),
    [
        (1024, 1024 - RESERVE),
        (20_000, 10_000),
        (resource.RLIM_INFINITY, 10_000),
        (RESERVE + 200, 200),
        (RESERVE, RESERVE // 4),
        (64, 16),
        (3, 1),
    ],
)
def test_there_is_always_room_for_something_else(monkeypatch: pytest.MonkeyPatch, soft: int, room: int) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, soft))
    assert room == room_for(10_000)
