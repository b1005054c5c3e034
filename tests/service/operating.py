"""Commands of ``python -m service`` that end, in this process: most of what they take are imports."""

import shlex

import pytest

from service import server


def operate(command: str) -> int:
    """Exit status of a command, as it is typed in."""
    before, _, words = command.partition("python -m service ")
    assert not before, command
    with pytest.MonkeyPatch.context() as patched, pytest.raises(SystemExit) as exited:
        # It would send the log of all later tests to what captures this one's output.
        patched.setattr("service.server.logs.configure", lambda _level: None)
        server.main(shlex.split(words))
    return int(str(exited.value.code))
