"""Pictures are read in a process of their own, which ends when one costs too much, and is begun again."""

import io
import os
import signal
import struct
import sys
import time
import zlib
from collections.abc import Iterator
from threading import Thread

import pytest
from PIL import Image

from app.storefront.pictures import apart as module
from app.storefront.pictures.apart import Apart, OfOneCard
from app.storefront.pictures.drawing import photos
from app.storefront.pictures.reading import REPLY, REQUEST, serve

SIZE, WHITE, RED = (60, 40), (255, 255, 255), (200, 30, 30)


def png(color: tuple[int, int, int] = RED, side: int = 90) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side), color).save(out, "PNG")
    return out.getvalue()


def dear() -> bytes:
    """A small picture with 600,000 empty chunks: a second of work and more, in 7 MB."""
    chunk = struct.pack(">I4sI", 0, b"aaAa", zlib.crc32(b"aaAa"))
    return png()[:33] + chunk * 600_000 + png()[33:]


@pytest.fixture
def apart() -> Iterator[Apart]:
    made = Apart()
    yield made
    made.close()


def test_it_reads_as_we_do_here(apart: Apart) -> None:
    for content in (png(), png((9, 9, 200), 1), png(side=20)):
        here = photos.picture(content, SIZE, WHITE)
        there, spent = apart.read(content, SIZE, WHITE, 5)
        assert here is not None
        assert there is not None
        assert ("RGB", SIZE, here.tobytes()) == (there.mode, there.size, there.tobytes())
        assert 0 <= spent < 5


@pytest.mark.parametrize("content", [b"", b"no picture", png()[:40]], ids=["nothing", "text", "half"])
def test_what_is_no_picture_ends_nothing(apart: Apart, content: bytes) -> None:
    image, spent = apart.read(content, SIZE, WHITE, 5)
    assert image is None
    assert spent < 5
    assert apart.read(png(), SIZE, WHITE, 5)[0] is not None


def test_what_costs_too_much_is_given_up_and_the_next_is_read(apart: Apart) -> None:
    apart.read(png(), SIZE, WHITE, 5)
    began = time.process_time()
    assert (None, 0.1) == apart.read(dear(), SIZE, WHITE, 0.1)
    assert time.process_time() - began < 0.5  # it was not we who worked
    assert apart.read(png(), SIZE, WHITE, 5)[0] is not None


def test_what_hangs_without_working_is_ended_by_the_clock(apart: Apart, monkeypatch: pytest.MonkeyPatch) -> None:
    apart.read(png(), SIZE, WHITE, 5)
    assert apart._process is not None
    monkeypatch.setattr(module, "_PATIENCE", 0.2)
    os.kill(apart._process.pid, signal.SIGSTOP)
    assert (None, 0.1) == apart.read(png(), SIZE, WHITE, 0.1)
    monkeypatch.undo()
    assert apart.read(png(), SIZE, WHITE, 5)[0] is not None


def test_a_reader_that_somebody_ended_meanwhile_costs_no_picture(apart: Apart) -> None:
    apart.read(png(), SIZE, WHITE, 5)
    assert apart._process is not None
    os.kill(apart._process.pid, signal.SIGKILL)
    apart._process.wait(10)
    assert apart.read(png(), SIZE, WHITE, 5)[0] is not None


def test_where_no_process_can_be_begun_nothing_is_read_but_it_cost_nothing(
    apart: Apart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it is tried again soon."""
    monkeypatch.setattr(sys, "executable", "/nowhere")
    read = OfOneCard(apart)
    assert read(png(), SIZE, WHITE) is None
    assert not read.is_too_dear
    monkeypatch.undo()
    assert read(png(), SIZE, WHITE) is not None


def test_closing_ends_what_is_being_read(apart: Apart) -> None:
    apart.read(png(), SIZE, WHITE, 5)
    content, found = dear(), list[object]()
    reading = Thread(target=lambda: found.append(apart.read(content, SIZE, WHITE, 60)[0]))
    reading.start()
    time.sleep(0.1)
    began = time.monotonic()
    apart.close()
    reading.join(10)
    assert time.monotonic() - began < 5
    assert [None] == found
    assert (None, 0.0) == apart.read(png(), SIZE, WHITE, 5)
    assert apart._process is None


def test_nothing_secret_is_passed_on(apart: Apart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPEVINE_SECRET", "not to be seen")
    apart.read(png(), SIZE, WHITE, 5)
    assert apart._process is not None
    try:
        with open(f"/proc/{apart._process.pid}/environ", "rb") as file:
            seen = file.read()
    except FileNotFoundError:
        pytest.skip("this system does not show the environment of a process")
    assert b"PYTHONPATH=" in seen
    assert b"GRAPEVINE" not in seen


def test_a_card_has_so_much_time_for_all_its_pictures(apart: Apart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS_OF_ONE", 0.1)
    read = OfOneCard(apart)
    assert read(png(), SIZE, WHITE) is not None
    assert read(b"no picture", SIZE, WHITE) is None
    before = read.is_too_dear
    assert read(dear(), SIZE, WHITE) is None
    assert (False, True) == (before, read.is_too_dear)
    assert read(png(), SIZE, WHITE) is None
    assert OfOneCard(apart)(png(), SIZE, WHITE) is not None


def test_the_reader_answers_one_after_the_other_until_there_is_no_more() -> None:
    """Its side of the line, in this process."""
    asked = [REQUEST.pack(30, *SIZE, *WHITE, len(content)) + content for content in (png(), b"x")]
    said = io.BytesIO()
    serve(io.BytesIO(b"".join(asked) + b"cut off"), said)
    spent, good, length = REPLY.unpack_from(said.getvalue())
    assert (True, 60 * 40 * 3) == (good, length)
    assert 0 <= spent < 30
    rest = said.getvalue()[REPLY.size + length :]
    _, good, length = REPLY.unpack_from(rest)
    assert (False, length) == (good, len(rest) - REPLY.size)
    assert rest[REPLY.size :].startswith(b"UnidentifiedImageError: ")
