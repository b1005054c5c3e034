"""``python -m benchmarks [NAME …]``: every budget of the design, as ratios in one run.

A run of all of them writes docs/performance.md; one of some prints alone.
"""

import argparse
import importlib
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

# As training and the tests have it; before numpy is loaded.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

from benchmarks.hurst_table import replace_between_markers
from benchmarks.timing import HEADING, Result

NAMES = ("har", "refits", "retrain", "training", "runtime", "hurst", "service")
PAGE = Path("docs/performance.md")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmarks named on the command line, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(NAMES)}")
    parser.add_argument("--page", type=Path, default=PAGE, help="that a run of all is written into")
    options = parser.parse_args(arguments)
    unknown = set(options.names) - set(NAMES)
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; choose from {NAMES}")
    busy = os.getloadavg()[0]
    print(HEADING)
    found: list[Result] = []
    for name in options.names or NAMES:
        for result in importlib.import_module(f"benchmarks.{name}").run():
            print(result, flush=True)
            found.append(result)
    if not options.names:
        replace_between_markers(options.page, "bench", written(found, busy))


def written(found: Sequence[Result], busy: float) -> list[str]:
    """What stands on the page: when and where, how many budgets are met, and a row a result.

    Parameters
    ----------
    found : the results.
    busy : processes that wanted a core in the minute before.
    """
    missed = [it.what for it in found if not it.met]
    of_missed = f"Missed: {'; '.join(missed)}." if missed else "None is missed."
    told = (
        f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {os.cpu_count()} "
        f"cores, {busy:.1f} of them busy with other work before: {len(found) - len(missed)} of "
        f"{len(found)} budgets are met. {of_missed}"
    )
    return [
        "",
        told,
        "",
        "| what | ours | peer or limit | ratio | budget | |",
        "|---|---:|---:|---:|---:|---|",
        *(it.row for it in found),
        "",
    ]


if __name__ == "__main__":
    main()
