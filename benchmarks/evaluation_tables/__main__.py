"""Make the tables of docs/evaluation.md on what tests and the check of timing are worth.

``python -m benchmarks.evaluation_tables`` makes them (about five minutes on one core);
``--fixed-b`` simulates the distribution that the tests' statistics are compared with (a minute).
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.evaluation_tables.fixed_b_limit import write_limit
from benchmarks.evaluation_tables.sizes import many_models_table, rejections_table
from benchmarks.evaluation_tables.timing import false_alarm_table, timing_table
from benchmarks.hurst_table import replace_between_markers

PAGE = Path(__file__).resolve().parents[2] / "docs" / "evaluation.md"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fixed-b", action="store_true", help="simulate fixed_b.json")
    parser.add_argument("--scale", type=float, default=1.0, help="times as many draws")
    parser.add_argument("--page", type=Path, default=PAGE, help="where the tables go")
    options = parser.parse_args(arguments)
    if options.fixed_b:
        write_limit()
        return 0
    tables = {
        "rejections": rejections_table(_draws(2_000, options.scale)),
        "many models": many_models_table(_draws(600, options.scale)),
        "timing": timing_table(_draws(150, options.scale)),
        "false alarms": false_alarm_table(_draws(1_000, options.scale)),
    }
    for name, lines in tables.items():
        replace_between_markers(options.page, name, lines)
    return 0


def _draws(usual: int, scale: float) -> int:
    return max(2, round(usual * scale))


if __name__ == "__main__":
    sys.exit(main())
