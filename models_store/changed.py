"""A note in a store that something of it is another, for whoever follows it to look at once.

Nothing relies on it. A store that is filled by other means has none, and one that was made before
there were notes; what has changed is found there as well, by looks from time to time.
"""

import os
import time
from contextlib import suppress
from pathlib import Path

CHANGED = ".changed"


def note_change(root: Path) -> None:
    """Note that a store has changed, once it has; where that cannot be written, it is not noted."""
    now = time.time_ns()
    with suppress(OSError):
        descriptor = os.open(root / CHANGED, os.O_WRONLY | os.O_CREAT, 0o666)
        try:
            # Not the file system's own clock, for which two changes may come in one tick.
            os.utime(descriptor, ns=(now, now))
        finally:
            os.close(descriptor)
