"""Whether any test notices a mutant: tried on a copy of the project, in a process of its own."""

import atexit
import compileall
import contextlib
import importlib
import os
import py_compile
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from benchmarks.mutants.mutations import Mutant
from benchmarks.mutants.reach import ROOMS, copy_to
from benchmarks.mutants.recorder import be_patient

KILLED, SURVIVED, TIMED_OUT = "killed", "survived", "timed out"
_BROKEN = 99  # exit status of a trial that failed itself

# Loaded once, so that the process of a mutant has them from its first moment; nothing of the rooms.
_HEAVY = (
    "alembic",
    "arch",
    "exchange_calendars",
    "fastapi.testclient",
    "hypothesis",
    "numpy",
    "onnx",
    "pandas",
    "pydantic_settings",
    "pyarrow",
    "scipy.optimize",
    "sqlalchemy",
    "statsmodels.api",
    "structlog",
)


class Trial(NamedTuple):
    """What became of a mutant."""

    outcome: str  # KILLED, SURVIVED or TIMED_OUT
    noticed_by: str  # the test that failed, if one did
    tests: int  # that were to be run
    seconds: float


class _Chosen:
    """A plugin of pytest: runs some tests alone, in an order, and notes the first that fails.

    By names of files and not of tests, since a name with a parameter may change with the code.
    """

    def __init__(self, tests: Sequence[str], note: Path) -> None:
        self.places = {test: place for place, test in enumerate(tests)}
        self.note = note

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        kept = [item for item in items if item.nodeid in self.places]
        items[:] = sorted(kept, key=lambda item: self.places[item.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.note.exists():
            self.note.write_text(report.nodeid)


@contextmanager
def project_copy() -> Generator[Path]:
    """A copy of the project that may be changed, with its modules compiled.

    Each is compared with its source by content when it is loaded, since a change may leave a file's
    size and its time, in seconds, as they were.
    """
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        root = Path(name).resolve()
        copy_to(root)
        for room in ROOMS:
            mode = py_compile.PycInvalidationMode.CHECKED_HASH
            compileall.compile_dir(root / room, quiet=1, invalidation_mode=mode)
        yield root


def load_libraries() -> None:
    """Load what most tests need, as far as it is installed."""
    for name in _HEAVY:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def try_mutant(root: Path, mutant: Mutant, tests: Sequence[str], most_seconds: float) -> Trial:
    """Run tests on a changed copy, until one fails.

    Parameters
    ----------
    root : of a copy; as it was when this returns.
    mutant : the change.
    tests : names, in the order to run them in.
    most_seconds : after which the mutant has timed out.
    """
    source, note = root / mutant.path, root / "var" / "noticed"
    note.parent.mkdir(exist_ok=True)
    note.unlink(missing_ok=True)
    original, started = source.read_bytes(), time.monotonic()
    source.write_text(mutant.code)
    try:
        code = _in_child(root, tests, note, most_seconds) if tests else 0
    finally:
        source.write_bytes(original)
    if code == _BROKEN:
        raise RuntimeError((root / "var" / "log").read_text())
    # 5: no test was found, and 0: all passed. Whatever else happened, somebody would look at it.
    outcome = TIMED_OUT if code is None else SURVIVED if code in (0, 5) else KILLED
    noticed_by = note.read_text() if note.exists() else f"pytest ended with {code}"
    return Trial(
        outcome,
        noticed_by if outcome == KILLED else "",
        len(tests),
        round(time.monotonic() - started, 1),
    )


def _in_child(root: Path, tests: Sequence[str], note: Path, most_seconds: float) -> int | None:
    """The exit status of pytest in a process of its own; None if it took too long."""
    child = os.fork()
    if not child:
        _run_tests(root, tests, note)
    try:
        ends = time.monotonic() + most_seconds
        while time.monotonic() < ends:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.05)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # what its tests have started


def _run_tests(root: Path, tests: Sequence[str], note: Path) -> None:
    """Run tests in this process, which ends with them."""
    code = _BROKEN
    try:
        os.setsid()
        atexit._clear()  # noqa: SLF001 - of the parent: it would remove the copy
        log = os.open(root / "var" / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(log, stream)
        os.chdir(root)
        os.environ |= {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
        sys.dont_write_bytecode = True
        sys.path.insert(0, str(root))
        be_patient()
        plugins = ["-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-seed=0", "--timeout=0"]
        plugins += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # libraries are loaded
        files = list(dict.fromkeys(test.split("::")[0] for test in tests))
        code = pytest.main(["-x", "-q", *plugins, *files], plugins=[_Chosen(tests, note)])
        atexit._run_exitfuncs()  # noqa: SLF001 - servers that tests have started end so
    except BaseException:  # noqa: BLE001 - whatever it is, it is about to be told
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
