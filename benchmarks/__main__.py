"""``python -m benchmarks [NAME …]``: every budget of the design, as ratios in one run."""

import argparse
import importlib
from collections.abc import Sequence

from benchmarks.timing import HEADING

NAMES = ("har", "refits", "retrain", "training", "runtime", "hurst", "service")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmarks named on the command line, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(NAMES)}")
    names = parser.parse_args(arguments).names or NAMES
    unknown = set(names) - set(NAMES)
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; choose from {NAMES}")
    print(HEADING)
    for name in names:
        for result in importlib.import_module(f"benchmarks.{name}").run():
            print(result, flush=True)


if __name__ == "__main__":
    main()
