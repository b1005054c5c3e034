"""Draw mutants, try each, and print how many were noticed and those that were not.

Takes minutes, after one run, kept until the code changes, that measures which tests reach which
lines.
"""

import argparse
import json
import multiprocessing
import os
import random
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is loaded

from benchmarks.mutants.mutations import Mutant, draw, lines_of
from benchmarks.mutants.reach import LEFT_OUT, ROOMS, ROOT, measure, sources
from benchmarks.mutants.trial import (
    KILLED,
    SURVIVED,
    TIMED_OUT,
    Trial,
    load_libraries,
    project_copy,
    try_mutant,
)

EQUIVALENT = "equivalent"
KNOWN = Path(__file__).parent / "equivalent.toml"
OUTCOMES = (KILLED, TIMED_OUT, SURVIVED, EQUIVALENT)


class Task(NamedTuple):
    """A mutant and the tests to try it with."""

    room: str
    mutant: Mutant
    tests: list[str]
    most_seconds: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    options = _parse(arguments)
    mutants = sample(options.seed, options.per_room, options.rooms)
    known = equivalents()
    left = [it for it in mutants if key(it[1]) not in known]
    reach = measure()
    tasks = []
    for room, mutant in left:
        tests = reach.tests(mutant.path, mutant.first, mutant.last, options.tests_seconds)
        seconds = sum(reach.seconds[test] for test in tests)
        tasks.append(Task(room, mutant, tests, 60 + options.patience * seconds))
    counts = {room: Counter[str]() for room in options.rooms}
    for room, mutant in mutants:
        counts[room][EQUIVALENT] += key(mutant) in known
    survivors, record = [], ROOT / "var" / "mutants" / f"seed-{options.seed}.jsonl"
    record.write_text("")
    for task, trial in _try_all(tasks, options.processes):
        counts[task.room][trial.outcome] += 1
        if trial.outcome == SURVIVED:
            survivors.append(task.mutant)
        place = f"{task.mutant.path}:{task.mutant.first}"
        said = trial._asdict() | {"place": place, "diff": task.mutant.diff}
        with record.open("a") as log:
            log.write(json.dumps(said) + "\n")
        print(f"{trial.outcome:9} {trial.seconds:6.1f} s  {place}", file=sys.stderr, flush=True)
    for mutant in sorted(survivors):
        print(f"\n{mutant.path}:{mutant.first}\n{mutant.diff}")
    print("\n" + table(counts))
    print(f"\nLeft out: {', '.join(LEFT_OUT)}; see benchmarks/mutants/reach.py.")


def sample(seed: int, per_room: int, rooms: Sequence[str]) -> list[tuple[str, Mutant]]:
    """Mutants drawn by chance, with their rooms; of no line two.

    Each line of a room on which something can be changed is as likely, and then each change of it.
    """
    drawn = []
    for room in rooms:
        chance = random.Random(f"{seed} {room}")
        files = [path for path in sources() if path.is_relative_to(ROOT / room)]
        places = [(path, line) for path in files for line in lines_of(path)]
        for path, line in chance.sample(places, min(per_room, len(places))):
            drawn.append((room, draw(ROOT, path, line, chance)))
    return drawn


def equivalents() -> set[tuple[str, str, str]]:
    """Keys of the mutants that no test can notice; each has its reason in the file."""
    listed = tomllib.loads(KNOWN.read_text()).get("mutant", [])
    return {(it["path"], it["before"].strip(), it["after"].strip()) for it in listed}


def key(mutant: Mutant) -> tuple[str, str, str]:
    """What tells a mutant from others, wherever in its file it stands."""
    return mutant.path, mutant.before, mutant.after


def table(counts: dict[str, Counter[str]]) -> str:
    """A table of rooms in Markdown, with their sum.

    The share is of those killed or timed out among those that are not equivalent.
    """
    rows = {**counts, "all": sum(counts.values(), Counter[str]())}
    heads = ("room", "mutants", *OUTCOMES, "noticed")
    lines = [f"| {' | '.join(heads)} |", "| --- |" + " ---: |" * (len(heads) - 1)]
    for room, found in rows.items():
        noticed = found[KILLED] + found[TIMED_OUT]
        share = f"{noticed / max(noticed + found[SURVIVED], 1):.0%}"
        cells = (room, found.total(), *(found[it] for it in OUTCOMES), share)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def _try_all(tasks: Sequence[Task], processes: int) -> Iterator[tuple[Task, Trial]]:
    load_libraries()
    context = multiprocessing.get_context("fork")  # with the libraries
    given, done = context.SimpleQueue(), context.SimpleQueue()
    workers = [context.Process(target=_work, args=(tasks, given, done)) for _ in range(processes)]
    for worker in workers:
        worker.start()
    for number in (*range(len(tasks)), *[None] * processes):
        given.put(number)
    for _ in tasks:
        number, trial = done.get()
        yield tasks[number], trial
    for worker in workers:
        worker.join()


def _work(tasks: Sequence[Task], given, done) -> None:
    with project_copy() as root:
        while (number := given.get()) is not None:
            task = tasks[number]
            done.put((number, try_mutant(root, task.mutant, task.tests, task.most_seconds)))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--seed", type=int, default=7, help="of the draw (default: %(default)s)")
    parser.add_argument("--per-room", type=int, default=30, help="mutants (default: %(default)s)")
    parser.add_argument("--rooms", nargs="+", choices=ROOMS, default=ROOMS)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument(
        "--tests-seconds",
        type=float,
        default=60,
        help="most that the tests of a mutant took when they were measured (default: %(default)s)",
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=5,
        help="a mutant has timed out after so many times that, and a minute (default: %(default)s)",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
