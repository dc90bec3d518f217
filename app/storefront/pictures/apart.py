"""Reads merchants' pictures in a process of its own, which ends when one of them costs too much.

A few bytes can ask for hours of work (scans of a JPEG, hidden frames of an AVIF), and no reader can be told to stop.
What comes back is checked: pixels of the wanted size, or words for the log. Knows no card.
"""

import logging
import subprocess
from contextlib import suppress
from threading import Lock, Timer
from typing import IO, TYPE_CHECKING

from app.kernel import apart
from app.storefront.pictures.reading import REPLY, REQUEST

if TYPE_CHECKING:  # Pillow is loaded when the first one is drawn
    from PIL import Image

    from app.storefront.pictures.drawing.photos import Color

log = logging.getLogger(__name__)

SECONDS_OF_ONE = 2.0
"""Of a processor, for one picture. The largest that we read take half a second."""
SECONDS_OF_A_CARD = 3.0
"""For all pictures of a card."""
_PATIENCE = 10.0
"""Seconds by the clock, beyond those of a processor, on a machine that has much else to do."""
_LONGEST_REASON = 1_000


class Apart:
    """One such process, begun with the first picture and again after its end. Any number of threads may ask."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._one_at_a_time = Lock()
        self._closed = False

    def read(
        self, content: bytes, size: tuple[int, int], ground: "Color", seconds: float
    ) -> "tuple[Image.Image | None, float]":
        """As `photos.picture`, and the seconds of a processor that it took. None, too, for what takes more than
        `seconds`, or ends the process; then these are what it took."""
        with self._one_at_a_time:
            try:
                process = self._running()
            except OSError as error:
                log.warning("no picture can be read: %s", error)
                return None, 0.0
            try:
                return self._asked(process, content, size, ground, seconds)
            except (OSError, EOFError, ValueError) as error:
                log.warning("a picture of %d bytes costs too much, or ended its reader: %r", len(content), error)
                self._end()
                return None, seconds

    def close(self) -> None:
        """End the process, whatever it is doing. Nothing is read any more."""
        self._closed = True
        process = self._process
        if process is not None:
            process.kill()  # who waits for it now waits no longer
        with self._one_at_a_time:
            self._end()

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is not None and self._process.poll() is not None:
            self._end()
        if self._closed:
            raise ProcessLookupError("this is the end")
        if self._process is None:
            self._process = apart.start("app.storefront.pictures.reading")
        return self._process

    def _asked(
        self,
        process: "subprocess.Popen[bytes]",
        content: bytes,
        size: tuple[int, int],
        ground: "Color",
        seconds: float,
    ) -> "tuple[Image.Image | None, float]":
        from PIL import Image

        assert process.stdin is not None
        assert process.stdout is not None
        alarm = Timer(seconds + _PATIENCE, process.kill)
        alarm.daemon = True
        alarm.start()
        try:
            process.stdin.write(REQUEST.pack(seconds, *size, *ground, len(content)))
            process.stdin.write(content)
            process.stdin.flush()
            spent, good, length = _reply(process.stdout)
            if length > (size[0] * size[1] * 3 if good else _LONGEST_REASON):
                raise ValueError(f"{length} bytes for {size}")
            body = _exactly(process.stdout, length)
        finally:
            alarm.cancel()
        if good:
            return Image.frombytes("RGB", size, body), spent
        log.info("a picture cannot be drawn: %s", body.decode("utf-8", "replace"))
        return None, spent

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            with suppress(OSError):  # what is left cannot be written any more
                process.communicate()


class OfOneCard:
    """Reads the pictures of one card, as `photos.picture` does, within its share of time."""

    def __init__(self, apart: Apart) -> None:
        self._apart = apart
        self._left = SECONDS_OF_A_CARD

    @property
    def is_too_dear(self) -> bool:
        """Whether something was left out because it costs too much."""
        return self._left <= 0

    def __call__(self, content: bytes, size: tuple[int, int], ground: "Color") -> "Image.Image | None":
        if self.is_too_dear:
            return None
        allowed = min(SECONDS_OF_ONE, self._left)
        image, spent = self._apart.read(content, size, ground, allowed)
        self._left = 0.0 if image is None and spent >= allowed else self._left - spent
        return image


def _reply(source: IO[bytes]) -> tuple[float, bool, int]:
    return REPLY.unpack(_exactly(source, REPLY.size))


def _exactly(source: IO[bytes], count: int) -> bytes:
    found = source.read(count)
    if len(found) < count:
        raise EOFError("the reader ended")
    return found
