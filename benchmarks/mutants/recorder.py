"""A plugin of pytest: writes how long each test took, as JSON lines, to the file MUTANTS_LOG."""

import json
import os
from pathlib import Path

import pytest


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add a line for each of a test's phases."""
    said = {"test": report.nodeid, "seconds": report.duration, "passed": not report.failed}
    with Path(os.environ["MUTANTS_LOG"]).open("a") as log:
        log.write(json.dumps(said) + "\n")
