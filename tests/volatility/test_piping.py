"""Commands whose output nobody reads any longer."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from models_store.shipped import shipped_artifacts
from volatility.piping import CLOSED

RUN = "import sys; from volatility.piping import until_closed; sys.exit(until_closed({}))"
PRINTED = "lambda: sys.stdout.write('x' * {}) and {}"
ELSEWHERE = """
import os
from volatility.piping import until_closed

def to_another():
    read, write = os.pipe()
    os.close(read)
    os.write(write, b"x")

until_closed(to_another)
"""


def ended(*arguments: str, **settings: str) -> tuple[int, str]:
    """Status and errors of Python where standard output has no reader."""
    read, write = os.pipe()
    os.close(read)
    try:
        told = subprocess.run(
            [sys.executable, *arguments],
            stdout=write,
            stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONUNBUFFERED": ""} | settings,
            text=True,
            check=False,
        )
    finally:
        os.close(write)
    return told.returncode, told.stderr


@pytest.mark.parametrize("number", [3, 100_000])
def test_a_command_that_nobody_reads_says_nothing(number: int) -> None:
    """Whether what it prints waits to be written at its end, or is too long for that."""
    assert ended("-c", RUN.format(PRINTED.format(number, 0))) == (CLOSED, "")


def test_the_status_of_a_command_that_is_read_is_its_own() -> None:
    for status in (0, 2):
        run = RUN.format(PRINTED.format(3, status))
        told = subprocess.run([sys.executable, "-c", run], capture_output=True, check=False)
        assert (told.returncode, told.stdout, told.stderr) == (status, b"xxx", b"")


def test_another_pipe_that_breaks_is_told() -> None:
    told = subprocess.run(
        [sys.executable, "-c", ELSEWHERE], capture_output=True, text=True, check=False
    )
    assert told.returncode == 1
    assert "BrokenPipeError" in told.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("service", "models", "list"),
        ("roughcast", "models", "list"),
        ("roughcast", "evaluate", "--help"),
        ("training", "--help"),
    ],
)
def test_every_command_ends_quietly(arguments: tuple[str, ...], tmp_path: Path) -> None:
    settings = {
        "ROUGHCAST_STORE": str(shipped_artifacts()),
        "ROUGHCAST_DATABASE_URL": f"sqlite:///{tmp_path / 'history.db'}",
    }
    assert ended("-m", *arguments, **settings) == (CLOSED, "")
