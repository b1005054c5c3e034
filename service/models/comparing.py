"""Models are compared by another process, where that would keep requests waiting.

To compare 28 models takes a third of a second of Python, in which every request waits for the
interpreter again and again, and on a busy machine for a thread that has it and does not run. So
what is about to serve is compared by a process that is started for it, with a lower priority. It
reads a `Job` and writes what it found, both pickled; of files it reads those of the store, by
digests that the service has verified.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import structlog

from models_store import Refusal, Store
from models_store.comparison import Compared, compare_at, excluded_as_refused
from models_store.rack import Rack
from models_store.stored_comparisons import keep
from volatility.errors import RoughcastError

log = structlog.get_logger("service")

FEW = 6  # models that are compared within some hundredths of a second, sooner than a process starts
_PATIENCE = 120  # seconds, on a machine that does much else
_NICE = 10


class Job(NamedTuple):
    """What is to be compared.

    Parameters
    ----------
    root : folder of the store.
    asset : whose models.
    versions : version and digest of each, by name.
    champion, refused, horizons : as in :func:`models_store.comparison.compare_at`.
    is_kept : whether what is found is written into the store, if that can be written.
    """

    root: Path
    asset: str
    versions: Mapping[str, tuple[int, str]]
    champion: str | None
    refused: tuple[Refusal, ...]
    horizons: tuple[int, ...]
    is_kept: bool = False


def compared_elsewhere(
    store: Store, asset: str, rack: Rack, horizons: Collection[int]
) -> Compared | None:
    """How the models of a rack compare, found out by another process.

    Returns
    -------
    None where it is to be found out here: there is nothing to compare or there are few models, one
    of them has not been verified, or the other process cannot tell.
    """
    serving = [place.card for place in rack.places.values() if place.serves]
    versions = {it.model: (it.version, it.sha256) for it in serving if it is not None}
    if not horizons or len(serving) <= FEW or len(versions) < len(serving):
        return None
    root, refused = store.root.absolute(), rack.refusals
    # What is not signed would not be read again where signatures count.
    is_kept = not store.trusted.keys
    job = Job(root, asset, versions, rack.champion, refused, tuple(horizons), is_kept)
    try:
        answer = subprocess.run(  # noqa: S603 - our own interpreter, and this very module
            [sys.executable, "-c", f"from {__name__} import main; main()"],
            input=pickle.dumps(job),
            capture_output=True,
            check=True,
            timeout=_PATIENCE,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        found = pickle.loads(answer.stdout)  # noqa: S301 - written by this very module
    except (OSError, subprocess.SubprocessError, pickle.PickleError, EOFError) as error:
        log.warning("models not compared by another process", asset=asset, reason=repr(error))
        return None
    return found if isinstance(found, Compared) else None


def compare(job: Job) -> Compared | None:
    """Compare models by what they say of themselves; None where one cannot be read."""
    store = Store(job.root)
    try:
        models = {
            model: store.evidence(job.asset, model, *version)
            for model, version in job.versions.items()
        }
    except RoughcastError:
        return None
    found = compare_at(models, job.champion, (), job.horizons)
    if job.is_kept:
        keep(store, job.asset, found, job.versions, job.champion)
    left_out = tuple(map(excluded_as_refused, job.refused))
    return replace(
        found,
        comparisons={
            horizon: replace(it, others=(*it.others, *left_out))
            for horizon, it in found.comparisons.items()
        },
    )


def main() -> None:
    """Read a job, and write what was found."""
    os.nice(_NICE)
    job = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by this very module
    sys.stdout.buffer.write(pickle.dumps(compare(job)))


if __name__ == "__main__":
    main()
