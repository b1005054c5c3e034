"""The service as a process of its own."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
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
    environment = os.environ | {
        "ROUGHCAST_STORE": str(settings.store_folder),
        "ROUGHCAST_DATABASE_URL": settings.database_url,
        "ROUGHCAST_PORT": "0",
        **{f"ROUGHCAST_{name}": value for name, value in more.items()},
    }
    process = subprocess.Popen(
        [python, "-m", "service"], cwd=folder, env=environment, stderr=subprocess.PIPE, text=True
    )
    reader = None
    try:
        port, others = _port(process)
        served = Serving(process, port, others=others)
        reader = threading.Thread(target=_read, args=(served,))
        reader.start()
        yield served
    finally:
        process.kill()
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
