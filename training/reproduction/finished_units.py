"""Finished units on disk, so that a run that was stopped goes on where it ended."""

import json
from pathlib import Path

from training.reproduction.files import write_atomically
from training.reproduction.units import Unit, UnitResult


class FinishedUnits:
    """A folder of finished units, one file each.

    A file's name holds the digest of all that its content depends on: data, configuration, seed
    and code. Where one of them has changed, the name is another, and the old file is not read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, unit: Unit, digest: str | None = None) -> Path:
        """Where a unit's result is; by its digest as it is now, unless another is given."""
        return self.folder / f"{unit.name}-{(digest or unit.digest)[:16]}.json"

    def read(self, unit: Unit) -> UnitResult | None:
        """What came of a unit; None where it is not finished, or its file is damaged."""
        try:
            content = json.loads(self.path(unit).read_bytes())
            if content["digest"] != unit.digest:
                return None
            trained = UnitResult.from_json(content["trained"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        return trained if len(trained.forecasts) == len(unit.test) else None

    def write(self, unit: Unit, trained: UnitResult, digest: str) -> None:
        """Keep what came of a unit that had ``digest`` when its training began."""
        content = {"digest": digest, "trained": trained.to_json()}
        write_atomically(self.path(unit, digest), json.dumps(content).encode())


def finish(unit: Unit, digest: str, parts: FinishedUnits) -> str:
    """Run a unit and keep what comes of it; its name. For a worker process.

    The digest is that of the run's beginning. A worker that took it from the files of code as they
    are when it gets there would file what old code has trained under the name of new code.
    """
    parts.write(unit, unit.run(), digest)
    return unit.name
