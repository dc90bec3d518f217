"""How many files and connections this process may have open at once. Knows nothing of what they are for.

A server needs one for each line that is open; systems give a process 1,024 unless it asks for more.
"""

import logging
import sys
from typing import Final

log = logging.getLogger(__name__)

RESERVE: Final = 300
"""For all that is no stream: the database's connections, files, and requests that come and go."""
_OF_FEW: Final = 4
"""Where there is hardly more than the reserve, one part in so many is for streams."""


def ask_for_all() -> None:
    """Ask the system for as many as it lets us have; processes that are begun from here on have them too."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == hard:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError) as refusal:  # such as macOS, whose kernel has a limit below a hard one of infinity
        log.debug("no more than %d files may be open at once: %s", soft, refusal)
    else:
        log.debug("%d files may be open at once, where there were %d", hard, soft)


def room_for(most: int) -> int:
    """How many of `most` lines may be open for good, so that there is still room for everything else."""
    if sys.platform == "win32":
        return most
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return most
    return max(1, min(most, max(soft - RESERVE, soft // _OF_FEW)))
