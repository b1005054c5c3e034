"""The service as a process of its own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from service.settings import Settings


@dataclass
class Serving:
    """A service that answers on a port."""

    process: subprocess.Popen[str]
    port: int
    lines: list[dict[str, Any]] = field(default_factory=list)  # of its log, since it answers
    others: list[str] = field(default_factory=list)  # that are no JSON, from its start on

    def events(self) -> list[str]:
        return [line["event"] for line in self.lines]


@contextlib.contextmanager
def serving(
    settings: Settings, python: Path | str = sys.executable, folder: Path | None = None, **more: str
) -> Iterator[Serving]:
    """A service with the store and the database of ``settings``, and with ``ROUGHCAST_`` more.

    ``python`` starts it in ``folder``, or where the caller is.
    """
    environment = {
        "ROUGHCAST_STORE": str(settings.store_folder),
        "ROUGHCAST_DATABASE_URL": settings.database_url,
        **{f"ROUGHCAST_{name}": value for name, value in more.items()},
    }
    with listening([python, "-m", "service"], folder, **environment) as served:
        yield served


@contextlib.contextmanager
def listening(
    command: Sequence[str | Path], folder: Path | None = None, **environment: str
) -> Iterator[Serving]:
    """A service that a command starts, on a free port and in a folder or where the caller is."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | {"ROUGHCAST_PORT": "0"} | environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # so that what a shell or make has started ends with it
    )
    reader = None
    try:
        port, others = _port(process)
        served = Serving(process, port, others=others)
        reader = threading.Thread(target=_read, args=(served,))
        reader.start()
        yield served
    finally:
        with contextlib.suppress(ProcessLookupError):  # a test has waited for its end
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if reader is not None:
            reader.join()
        assert process.stderr is not None
        process.stderr.close()


def _port(process: subprocess.Popen[str]) -> tuple[int, list[str]]:
    assert process.stderr is not None
    said = []
    for text in process.stderr:
        said.append(text)
        if "Uvicorn running on" in text:
            port = int(json.loads(text)["event"].split()[3].rpartition(":")[2])
            return port, [it for it in said if not it.startswith("{")]
    raise AssertionError("".join(said))


def _read(served: Serving) -> None:
    assert served.process.stderr is not None
    for text in served.process.stderr:
        if text.startswith("{"):
            served.lines.append(json.loads(text))
        else:
            served.others.append(text)
