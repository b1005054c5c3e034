"""Mutants are of what can be noticed, and a trial tells those that a test notices from others."""

import random
from collections import Counter
from pathlib import Path

import pytest
from coverage import CoverageData

from benchmarks.mutants.__main__ import EQUIVALENT, equivalents, sample, table
from benchmarks.mutants.mutations import Mutant, draw, lines_of
from benchmarks.mutants.reach import ROOT, Reach, sources
from benchmarks.mutants.trial import KILLED, SURVIVED, TIMED_OUT, try_mutant

SOURCE = '''"""A module, 1 of 1."""

import math as maths
from typing import Annotated, Callable, TypeVar

__all__ = ["Kind", "count"]
Kind = TypeVar("Kind")
Count = Callable[[int], int]


@dataclass(frozen=True, slots=True)
class Counted:
    count: int


def count(first: "int | None", last: Annotated[int, Field(ge=1, description=TEXT)]) -> "int | None":
    """From 0 to 1."""
    while last > 10:
        last -= 1
    return say(first, "of many", "many", help="it")
'''


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "counts.py"
    path.write_text(SOURCE)
    return path


def all_of(path: Path, line: int) -> dict[str, str]:
    """Every change that begins on a line: what stands there after it, by what it replaces."""
    drawn = (draw(path.parent, path, line, random.Random(seed)) for seed in range(60))
    return {it.after: it.before for it in drawn}


def test_imports_annotations_exports_and_prose_are_not_changed(source: Path) -> None:
    assert lines_of(source) == [11, 16, 18, 19, 20]
    assert set(all_of(source, 11)) == {
        "@dataclass(frozen=False, slots=True)",
        "@dataclass(frozen=None, slots=True)",
        "@dataclass(slots=True)",
    }
    # Of an annotation only what is called, and nothing of what it says for people to read.
    assert {text.split("Field(")[1].split(")]")[0] for text in all_of(source, 16)} == {
        "ge=2, description=TEXT",
        "ge=None, description=TEXT",
        "description=TEXT",
    }
    assert set(all_of(source, 20)) == {
        'return say(None, "of many", "many", help="it")',
        'return say(first, None, "many", help="it")',
        'return say(first, "of many", None, help="it")',
        'return say("of many", "many", help="it")',
        'return say(first, "many", help="it")',
        'return say(first, "of many", help="it")',
        'return say(first, "of many", "XXmanyXX", help="it")',
    }


def test_a_mutant_is_the_file_with_one_change(source: Path) -> None:
    assert set(all_of(source, 18)) == {"while last >= 10:", "while last > 11:"}
    assert set(all_of(source, 18).values()) == {"while last > 10:"}
    mutant = draw(source.parent, source, 18, random.Random(1))
    assert mutant.code == SOURCE.replace(mutant.before, mutant.after)
    assert (mutant.path, mutant.first, mutant.last) == ("counts.py", 18, 18)


def test_a_sample_is_the_seed_s_and_of_no_line_two(monkeypatch: pytest.MonkeyPatch) -> None:
    few = [it for it in sources() if it.name in ("errors.py", "store.py")]  # of every room
    monkeypatch.setattr("benchmarks.mutants.__main__.sources", lambda: few)
    drawn = [(mutant.path, mutant.first) for _, mutant in sample(1, 20, ["models_store"])]
    assert len(set(drawn)) == 20
    assert drawn == [(it.path, it.first) for _, it in sample(1, 20, ["models_store"])]
    assert drawn != [(it.path, it.first) for _, it in sample(2, 20, ["models_store"])]
    assert all(path.startswith("models_store/") for path, _ in drawn)


def test_tests_that_reach_the_line_come_first_and_the_quickest_of_them(tmp_path: Path) -> None:
    data = CoverageData(str(tmp_path / "coverage"))
    for context, lines in {
        "": [1, 2],
        "tests/lib/test_a.py::slow|run": [2, 5],
        "tests/lib/test_a.py::quick|run": [2, 5],
        "tests/other/test_b.py::one|setup": [2, 6],
        "tests/other/test_b.py::failing|run": [5],
    }.items():
        data.set_context(context)
        data.add_lines({"lib/module.py": lines})
    for context in ("", "tests/other/test_d.py::elsewhere|run"):
        data.set_context(context)
        data.add_lines({"lib/part/late.py": [1]})
    data.write()
    seconds = {
        "tests/lib/test_a.py::slow": 3.0,
        "tests/lib/test_a.py::quick": 1.0,
        "tests/other/test_b.py::one": 2.0,
        "tests/lib/test_c.py::beside": 1.0,
        "tests/other/test_d.py::elsewhere": 0.1,
    }
    reach = Reach(tmp_path, seconds)
    slow, quick, one, beside, elsewhere = seconds
    assert reach.tests("lib/module.py", 5, 5, 100) == [quick, slow, one, beside]
    assert reach.tests("lib/module.py", 2, 2, 100) == [quick, slow, one, beside]
    # Those of its own folder have half of the time.
    assert reach.tests("lib/module.py", 2, 2, 5) == [quick, one, beside]
    assert reach.tests("lib/module.py", 6, 6, 100) == [one, quick, slow, beside]
    assert reach.tests("lib/module.py", 9, 9, 100) == [beside, quick, slow, one]
    assert reach.tests("lib/module.py", 5, 5, 3.5) == [quick, one]
    assert reach.tests("lib/module.py", 5, 5, 0.5) == [quick]  # one at least
    assert reach.tests("lib/unknown.py", 5, 5, 100) == [beside, quick, slow]
    # Of its room, but for the file that takes more than three seconds.
    assert reach.tests("lib/part/unknown.py", 5, 5, 100) == [beside]
    # What is imported when tests are collected, and again in one of them.
    assert reach.tests("lib/part/late.py", 1, 1, 100) == [elsewhere, beside]


def test_what_runs_at_an_import_is_tried_with_the_description_of_the_api(tmp_path: Path) -> None:
    described = "tests/service/http/test_openapi.py::test_it_is_the_one_on_file"
    data = CoverageData(str(tmp_path / "coverage"))
    data.set_context("tests/service/test_x.py::one|run")
    data.add_lines({"service/module.py": [2]})
    data.write()
    reach = Reach(tmp_path, {described: 2.0, "tests/service/test_x.py::one": 1.0})
    file, _, name = described.partition("::")
    assert f"def {name}(" in (ROOT / file).read_text()
    assert set(reach.tests("service/module.py", 1, 1, 3)) == set(reach.seconds)
    assert described not in reach.tests("training/module.py", 1, 1, 100)
    assert reach.tests("service/module.py", 2, 2, 100)[0] == "tests/service/test_x.py::one"


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_trial_tells_what_is_noticed_and_leaves_the_copy_as_it_was(tmp_path: Path) -> None:
    code = "def stop(last):\n    while last > 10:\n        last -= 1\n    return last, 3\n"
    (tmp_path / "counted.py").write_text(code)
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_counted.py").write_text(
        "import counted\ndef test_stop():\n    assert counted.stop(12)[0] == 10\n"
        "def test_other():\n    assert False\n"
    )
    tests = ["tests/test_counted.py::test_stop"]

    def outcome(before: str, after: str, most_seconds: float = 200) -> tuple[str, str]:
        mutant = Mutant("counted.py", 2, 2, code.replace(before, after), "")
        trial = try_mutant(tmp_path, mutant, tests, most_seconds)
        assert (tmp_path / "counted.py").read_text() == code
        return trial.outcome, trial.noticed_by

    assert outcome("> 10", ">= 10") == (KILLED, tests[0])
    assert outcome(", 3", ", 4") == (SURVIVED, "")
    assert outcome("def stop", "def halt(:")[0] == KILLED
    assert outcome("last -= 1", "last = last", 1) == (TIMED_OUT, "")


def test_the_table_counts_what_is_noticed_of_what_can_be() -> None:
    counts = {
        "one": Counter({KILLED: 17, TIMED_OUT: 1, SURVIVED: 2, EQUIVALENT: 4}),
        "two": Counter({KILLED: 10}),
    }
    _, _, *rows = table(counts).splitlines()
    assert rows == [
        "| one | 24 | 17 | 1 | 2 | 4 | 90% |",
        "| two | 10 | 10 | 0 | 0 | 0 | 100% |",
        "| all | 34 | 27 | 1 | 2 | 4 | 93% |",
    ]


def test_what_is_known_to_be_equivalent_is_in_the_code() -> None:
    for path, before, _ in equivalents():
        lines = [line.strip() for line in (ROOT / path).read_text().splitlines()]
        assert before in "\n".join(lines)
