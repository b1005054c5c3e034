"""``python -m benchmarks [NAME …]``: every budget of the design, as ratios in one run."""

import argparse
import importlib

from benchmarks.timing import HEADING

NAMES = ("har", "runtime", "hurst", "service")


def main() -> None:
    """Run the benchmarks named on the command line, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], default=NAMES, metavar="NAME")
    print(HEADING)
    for name in parser.parse_args().names:
        for result in importlib.import_module(f"benchmarks.{name}").run():
            print(result, flush=True)


if __name__ == "__main__":
    main()
