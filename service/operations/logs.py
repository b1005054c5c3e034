"""Structured logs: one JSON object a line, on standard error, whoever writes it."""

import contextlib
import logging
import sys
from collections.abc import MutableMapping
from typing import Any, BinaryIO

import structlog
from pydantic_core import to_json

from service.http.middleware import request_log
from service.settings import LogLevel

_SHARED: tuple[structlog.typing.Processor, ...] = (
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)


class Unfailing:
    """Where lines are written to, or lost: a full disk under the log must not stop the service.

    Parameters
    ----------
    stream : what is behind it.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, line: bytes) -> None:
        """Write a line, if that works."""
        with contextlib.suppress(OSError):
            self._stream.write(line)

    def flush(self) -> None:
        """Flush, if that works."""
        with contextlib.suppress(OSError):
            self._stream.flush()


def configure(level: LogLevel) -> None:
    """Send the service's own lines, and those of libraries, to standard error as JSON."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    stream: Any = Unfailing(sys.stderr.buffer)
    structlog.configure(
        processors=[*_SHARED, _as_json_bytes],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.BytesLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    request_log.stream = sys.stderr.buffer if threshold <= logging.INFO else None
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _as_json],
        )
    )
    logging.basicConfig(handlers=[handler], level=threshold, force=True)
    logging.captureWarnings(True)
    # Its lines for debugging name the host and the user of the database.
    logging.getLogger("psycopg").setLevel(max(threshold, logging.INFO))


def _as_json_bytes(_logger: object, _method: str, event: MutableMapping[str, Any]) -> bytes:
    return to_json(event, fallback=repr)


def _as_json(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    return to_json(event, fallback=repr).decode()
