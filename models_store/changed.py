"""A note in a store that something of it is another, for whoever follows it to look at once.

Nothing relies on it. A store that is filled by other means has none, and one that was made before
there were notes; what has changed is found there as well, by looks from time to time.
"""

import json
import os
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from models_store.names import is_asset_name

CHANGED = ".changed"
MAX_NOTE_BYTES = 64 * 1024
_REMEMBERED = 256  # changes in the note of a remote store


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


class Changes(NamedTuple):
    """What the note of a remote store tells.

    Parameters
    ----------
    latest : the last change; None where none is noted.
    assets : of which something has changed; None where that is not known.
    """

    latest: str | None
    assets: frozenset[str] | None


def with_change(note: bytes, asset: str | None) -> bytes:
    """The note of a remote store with one change more, of an asset or of any."""
    changes = [*_changes(note), (uuid.uuid4().hex, asset)]
    return json.dumps(changes[-_REMEMBERED:]).encode()


def changes_since(note: bytes, known: str | None) -> Changes:
    """What has changed since a change that was the latest; of unknown assets if it is forgotten."""
    changes = _changes(note)
    latest = changes[-1][0] if changes else None
    places = [place for place, (change, _) in enumerate(changes) if change == known]
    later = [asset for _, asset in changes[places[-1] + 1 :]] if places else [None]
    named = frozenset(it for it in later if it is not None and is_asset_name(it))
    return Changes(latest, named if len(named) == len(set(later)) else None)


def _changes(note: bytes) -> list[tuple[str, str | None]]:
    """Changes, the oldest first; none where they cannot be read."""
    try:
        return [(str(it), None if of is None else str(of)) for it, of in json.loads(note)]
    except (ValueError, TypeError, RecursionError):  # the last of brackets within brackets
        return []
