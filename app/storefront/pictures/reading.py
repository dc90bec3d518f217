"""The process that reads merchants' pictures: one after the other from its input, pixels to its output.

Each has so many seconds of the processor; whoever takes more ends the process. Sees no secret, no database and no
network. Who asks is `apart.py`; Pillow is loaded with the first picture.
"""

import signal
import struct
import sys
from contextlib import suppress
from time import process_time
from typing import IO

REQUEST = struct.Struct(">dHHBBBI")
"""Seconds, width, height, red, green, blue, bytes; the picture's bytes follow."""
REPLY = struct.Struct(">d?I")
"""Seconds that it took, whether it is drawn, bytes: of its pixels (RGB), or of the reason in UTF-8."""
_MEMORY = 512 * 1024 * 1024
"""Bytes. The largest that we read take 300 MB."""
_LONGEST_REASON = 200


def serve(source: IO[bytes], sink: IO[bytes]) -> None:
    """Answer until `source` ends."""
    from app.storefront.pictures.drawing import photos

    while len(head := source.read(REQUEST.size)) == REQUEST.size:
        seconds, width, height, red, green, blue, length = REQUEST.unpack(head)
        content, began = source.read(length), process_time()
        _end_after(seconds)
        try:
            body, good = photos.read(content, (width, height), (red, green, blue)).tobytes(), True
        except Exception as error:  # Pillow's readers raise whatever they like
            body, good = f"{type(error).__name__}: {error}"[:_LONGEST_REASON].encode("utf-8", "replace"), False
        _end_after(0)
        sink.write(REPLY.pack(process_time() - began, good, len(body)) + body)
        sink.flush()


def main() -> None:
    """Bound what this process may take, then serve."""
    from PIL import AvifImagePlugin

    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    if sys.platform != "win32":
        import resource

        for kind, most in ((resource.RLIMIT_DATA, _MEMORY), (resource.RLIMIT_CORE, 0)):
            with suppress(OSError, ValueError):  # some systems know no such limit
                resource.setrlimit(kind, (most, most))
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
    serve(sys.stdin.buffer, sys.stdout.buffer)


def _end_after(seconds: float) -> None:
    """So many seconds of the processor, none of which Python has to notice; 0 for never. Where a system cannot do it,
    whoever asked looks at the clock."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_PROF, seconds)


if __name__ == "__main__":
    main()
