"""How soon the command line of training answers, in CPU time."""

import resource
import subprocess
import sys
from collections.abc import Iterator
from statistics import median

from benchmarks.timing import Result, within

HELP = (sys.executable, "-m", "training", "--help")


def run() -> Iterator[Result]:
    spent = median(_cpu_seconds(HELP) for _ in range(5))
    yield within("python -m training --help, CPU time", spent, 0.5)


def _cpu_seconds(command: tuple[str, ...]) -> float:
    """User and system time of a process of its own."""
    before = _cpu_of_children()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return _cpu_of_children() - before


def _cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
