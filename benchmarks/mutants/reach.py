"""Which tests reach which lines: one run of them under coverage, kept until the code changes."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from coverage import CoverageData

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("volatility", "models_store", "training", "service", "roughcast")

# Networks need minutes of torch for each test, and the paper its files. What starts processes is
# not seen by coverage; and a test of millions of requests says little of one line.
LEFT_OUT = (
    "training/networks",
    "training/reproduction",
    "training/models/neural",
    "training/commands/reproduce.py",
    "training/__main__.py",
    "service/__main__.py",
    "roughcast/__main__.py",
)
TESTS_LEFT_OUT = (
    *(f"tests/{path}" for path in LEFT_OUT[:3]),
    "tests/contract",
    "tests/benchmarks",
    "tests/service/test_abuse.py",
    "tests/service/test_fuzz.py",
    "tests/service/test_main.py",
    "tests/training/test_main.py",
)
# A line that runs at an import may be a constraint or a default of what the API describes.
_DESCRIBED = ("models_store", "service")
_OUTSIDE = ""  # context of what runs in no test
_QUICK = 3.0  # seconds that a file of tests takes
_DESCRIPTION = "tests/service/http/test_openapi.py::test_it_is_the_one_on_file"
_SETTINGS = """[run]
source = volatility, models_store, training, service, roughcast
relative_files = true
data_file = {data}
"""


@dataclass(frozen=True)
class Reach:
    """Which tests reach which lines.

    Parameters
    ----------
    folder : where the measurement is kept.
    seconds : that each test took, of those that pass.
    """

    folder: Path
    seconds: Mapping[str, float]

    def tests(self, path: str, first: int, last: int, most_seconds: float) -> list[str]:
        """Tests to run for a change, those first that reach its lines, and of these the quickest.

        Hundreds reach each line that all others use, so half of the time is for tests of the
        file's own folder, which come first.

        A line that runs once, at an import or in a fixture that tests share, is reached by none or
        by the first alone. So others follow: for what runs at an import, even if a test happens to
        be the first to import it, that of the API's description and those of the room as a whole,
        as far as they are quick, which stand in no folder of it; then tests that reach anything of
        its file, again those of its folder first, and the others of that.

        Parameters
        ----------
        path : of the file that is changed.
        first, last : its lines that are.
        most_seconds : that all tests together took when they were measured.
        """
        contexts = self._data.contexts_by_lineno(path)
        there = {it for line in range(first, last + 1) for it in contexts.get(line, ())}
        at_import = _OUTSIDE in there or not there
        anywhere = {it for line in contexts.values() for it in line}
        folder = f"tests/{Path(path).parent.as_posix()}/"
        groups = (
            ((it for it in _tests_of(there) if it.startswith(folder)), most_seconds / 2),
            (_tests_of(there), most_seconds),
            (self._of_room(Path(path).parts[0]) if at_import else (), most_seconds),
            ((it for it in _tests_of(anywhere) if it.startswith(folder)), most_seconds),
            (_tests_of(anywhere), most_seconds),
            ((it for it in self.seconds if it.startswith(folder)), most_seconds),
        )
        chosen: dict[str, float] = {}
        left: list[str] = []
        for group, most in groups:
            known = {test: self.seconds[test] for test in group if test in self.seconds}
            for test in _quickest(known):
                if sum(chosen.values()) + known[test] <= most:
                    chosen.setdefault(test, known[test])
                else:
                    left.append(test)
        return list(chosen) or left[:1]

    def _of_room(self, room: str) -> list[str]:
        """Quick tests of a room as a whole, and that of the API's description if it is of it."""
        in_root = [test for test in self.seconds if _folder_of(test) == f"tests/{room}"]
        taken = dict.fromkeys(map(_file_of, in_root), 0.0)
        for test in in_root:
            taken[_file_of(test)] += self.seconds[test]
        quick = [test for test in in_root if taken[_file_of(test)] < _QUICK]
        return [*quick, _DESCRIPTION] if room in _DESCRIBED else quick

    @cached_property
    def _data(self) -> CoverageData:
        data = CoverageData(str(self.folder / "coverage"))
        data.read()
        return data


def measure() -> Reach:
    """Run what tests were not measured since they or the code changed, and read the measurement."""
    folder = ROOT / "var" / "mutants" / _digest(sources())[:12]
    folder.mkdir(parents=True, exist_ok=True)
    notes = folder / "tests.json"
    known = json.loads(notes.read_text()) if notes.exists() else {}
    digests = {path.relative_to(ROOT).as_posix(): _digest([path]) for path in test_files()}
    stale = [name for name, digest in digests.items() if known.get(name, {}).get("is") != digest]
    for room in ROOMS:  # what was measured is kept if the next run is stopped
        of_room = [name for name in stale if name.startswith(f"tests/{room}/")]
        if of_room:
            said = f"measuring which lines {len(of_room)} files of tests in {room} reach"
            print(said, flush=True)
            found = _run(folder, of_room)
            for name in of_room:
                known[name] = {"is": digests[name], "seconds": found.get(name, {})}
            notes.write_text(json.dumps(known, indent=1))
    seconds = {test: it for name in digests for test, it in known[name]["seconds"].items()}
    return Reach(folder, seconds)


def sources() -> list[Path]:
    """Files in which something may be changed."""
    paths = (path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))
    return [it for it in paths if not it.relative_to(ROOT).as_posix().startswith(LEFT_OUT)]


def test_files() -> list[Path]:
    """Files of tests that are run."""
    paths = sorted((ROOT / "tests").rglob("test_*.py"))
    return [it for it in paths if not it.relative_to(ROOT).as_posix().startswith(TESTS_LEFT_OUT)]


def copy_to(folder: Path) -> None:
    """Copy what git knows of, or would, as it is now."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    for name in listed.decode().split("\0"):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def _run(folder: Path, files: list[str]) -> dict[str, dict[str, float]]:
    """Seconds of each test that passes, by file."""
    # Not "coverage.ini": what begins as the data file does is taken for a part of it.
    settings, log = folder / "settings.ini", folder / "tests.jsonl"
    settings.write_text(_SETTINGS.format(data=folder / "coverage"))
    log.unlink(missing_ok=True)
    coverage = ["--cov", f"--cov-config={settings}", "--cov-append", "--cov-context=test"]
    plugins = ["-p", "benchmarks.mutants.recorder", "-p", "no:cacheprovider", "--timeout=0"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugins, *coverage, "--cov-report=", *files],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "MUTANTS_LOG": str(log)},
        stdout=subprocess.DEVNULL,
        check=False,  # a test that fails is left out
    )
    if done.returncode > 1 or done.returncode < 0:
        raise SystemExit(f"pytest ended with {done.returncode} before all tests had run")
    found: dict[str, dict[str, float]] = {}
    failed = set()
    for line in log.read_text().splitlines():
        report = json.loads(line)
        test = report["test"]
        of_file = found.setdefault(test.split("::")[0], {})
        of_file[test] = of_file.get(test, 0.0) + report["seconds"]
        if not report["passed"]:
            failed.add(test)
    for test in failed:
        del found[test.split("::")[0]][test]
    return found


def _file_of(test: str) -> str:
    return test.split("::", maxsplit=1)[0]


def _folder_of(test: str) -> str:
    return Path(_file_of(test)).parent.as_posix()


def _tests_of(contexts: Iterable[str]) -> set[str]:
    return {context.rsplit("|", 1)[0] for context in contexts if context}


def _quickest(seconds: Mapping[str, float]) -> list[str]:
    """Tests file by file, as those of one share what is slow to make; the quickest file first."""
    files: dict[str, float] = {}
    for test, taken in seconds.items():
        files[_file_of(test)] = files.get(_file_of(test), 0.0) + taken
    return sorted(seconds, key=lambda it: (files[_file_of(it)], _file_of(it), seconds[it]))


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
