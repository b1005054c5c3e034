"""Kill writers at random moments, and look for what they had acknowledged.

``python -m benchmarks.kills`` takes about twelve minutes. A quarter of the kills each are of a
service that bars are put to by four clients over HTTP, of one that forecasts while bars are
corrected, of one that follows a store in which versions are promoted while it forecasts, and of a
process that publishes, promotes and names champions. Each is started again on what the one before
it left.

Processes are forked from one that has imported everything, so that a start takes as long as the
service's own and no longer.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.hurst_table import replace_between_markers
from benchmarks.kills.following import follow
from benchmarks.kills.forecasting import forecast
from benchmarks.kills.ingesting import ingest
from benchmarks.kills.processes import Found
from benchmarks.kills.publishing import publish

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
HEADS = ("what was killed", "kills", "acknowledged", "under way", "lost", "partial", "not recorded")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, and write it into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--page", type=Path, default=PAGE, help="the page to write into")
    options = parser.parse_args(arguments)
    lines = [f"| {' | '.join(HEADS)} |", f"|{'---|' * len(HEADS)}"]
    total = Found()
    for what, run in (
        ("a service that bars are put to", ingest),
        ("a service that forecasts while bars are corrected", forecast),
        ("a service that follows a store under promotions", follow),
        ("a process that publishes", publish),
    ):
        with tempfile.TemporaryDirectory() as folder:
            found = run(Path(folder), options.kills // 4, options.seed)
        total += found
        lines.append(f"| {what} | {' | '.join(f'{it:,}' for it in found)} |")
        print(lines[-1], file=sys.stderr, flush=True)
    print(*lines, sep="\n")
    replace_between_markers(options.page, "kills", lines)
    return int(bool(total.lost or total.partial))


if __name__ == "__main__":
    sys.exit(main())
