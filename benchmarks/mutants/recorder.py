"""Plugins of pytest: what a test took, and no test fails for being slow on a busy machine."""

import json
import os
from pathlib import Path

import hypothesis
import pytest

_log = Path()


def be_patient() -> None:
    """Let hypothesis take its time."""
    suppressed = list(hypothesis.HealthCheck)
    hypothesis.settings.register_profile("mutants", deadline=None, suppress_health_check=suppressed)
    hypothesis.settings.load_profile("mutants")


def pytest_configure() -> None:
    """Let hypothesis take its time, and find the file MUTANTS_LOG: tests empty the environment."""
    global _log  # noqa: PLW0603 - hooks are functions
    _log = Path(os.environ["MUTANTS_LOG"]).absolute()
    be_patient()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add a line for each of a test's phases to the file MUTANTS_LOG."""
    said = {"test": report.nodeid, "seconds": report.duration, "passed": not report.failed}
    with _log.open("a") as log:
        log.write(json.dumps(said) + "\n")
