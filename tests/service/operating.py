"""Commands of ``python -m service`` that end, run in this process, which has imported all."""

import shlex

import pytest

from service import server


def operate(command: str) -> int:
    """Exit status of a command, as it is typed in."""
    before, _, words = command.partition("python -m service ")
    assert not before, command
    with pytest.MonkeyPatch.context() as patched:
        # It would send the log of all later tests to what captures this one's output.
        patched.setattr("service.server.logs.configure", lambda _level: None)
        with pytest.raises(SystemExit) as exited:
            server.main(shlex.split(words))
    return int(str(exited.value.code))
