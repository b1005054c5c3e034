"""Where a run keeps what it has finished, so that the same command goes on after a stop."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from training.evaluation.finished_units import FinishedUnits

UNFINISHED = Path("var/unfinished")


@contextmanager
def finished_units(place: Path, console: Console) -> Iterator[FinishedUnits[Any]]:
    """Fits that are kept until a run has written what it was asked for.

    They are beside neither results nor artifacts, which others may hand over: who can write these
    files can run what they say.

    Parameters
    ----------
    place : where the run writes, by which its folder is found again.
    console : to say that there are some of an earlier run.
    """
    name = hashlib.sha256(str(place.resolve()).encode()).hexdigest()[:16]
    finished = FinishedUnits[Any](UNFINISHED / name)
    if len(finished):
        console.print(
            f"an earlier run was stopped; what it finished is taken from {finished.folder} where "
            "data, settings and code are the same",
            markup=False,
        )
    yield finished
    shutil.rmtree(finished.folder, ignore_errors=True)
