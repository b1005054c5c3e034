"""Structured logs: one JSON object a line, on standard error, whoever writes it."""

import contextlib
import json
import logging
import sys
import threading
import warnings
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, BinaryIO, TextIO

import structlog
from pydantic_core import PydanticSerializationError, to_json

from service.http.middleware import request_log
from service.settings import LogLevel

log = structlog.get_logger("service")

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
        processors=_PROCESSORS,
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.BytesLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    request_log.stream = sys.stderr.buffer if threshold <= logging.INFO else None
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=(structlog.stdlib.add_logger_name, *_SHARED),
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _as_json],
        )
    )
    logging.basicConfig(handlers=[handler], level=threshold, force=True)
    # Its lines for debugging name the host and the user of the database.
    logging.getLogger("psycopg").setLevel(max(threshold, logging.INFO))


def take_over() -> None:
    """Log what Python itself would write as text: its warnings, and errors that nobody catches."""
    warnings.showwarning = _warned
    sys.excepthook = _crashed
    threading.excepthook = _thread_crashed
    sys.unraisablehook = _not_raised


def _warned(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001
    line: str | None = None,  # noqa: ARG001
) -> None:
    log.warning(str(message), category=category.__name__, file=filename, line=lineno)


def _crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):  # somebody at a terminal
        sys.__excepthook__(kind, error, trace)
        return
    log.error("bug", exc_info=(kind, error, trace))


def _thread_crashed(crash: threading.ExceptHookArgs) -> None:
    name = crash.thread.name if crash.thread else None
    error = crash.exc_value or crash.exc_type()
    log.error("bug", thread=name, exc_info=(crash.exc_type, error, crash.exc_traceback))


def _not_raised(found: Any) -> None:
    """An error where none can be raised, as in a destructor."""
    error = found.exc_value or found.exc_type()
    log.error("bug", of=repr(found.object), exc_info=(found.exc_type, error, found.exc_traceback))


def _as_json_bytes(_logger: object, _method: str, event: MutableMapping[str, Any]) -> bytes:
    try:
        return to_json(event, fallback=repr, inf_nan_mode="null")
    except PydanticSerializationError:  # a text that is not Unicode, such as the name of a file
        return json.dumps(event, default=repr).encode()


def _as_json(logger: object, method: str, event: MutableMapping[str, Any]) -> str:
    return _as_json_bytes(logger, method, event).decode()


# One list, whoever configures again: loggers that are kept hold it.
_PROCESSORS: list[structlog.typing.Processor] = [*_SHARED, _as_json_bytes]
