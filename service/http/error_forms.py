"""Errors in the forms of other protocols, for the paths that these protocols are spoken on.

Their clients read nothing else, whatever refuses a request: the route, the guard in front of it, or
the limits of its connection.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from typing_extensions import TypedDict

from service.http.cutting import cut_name, cut_sentence
from volatility.errors import RoughcastError

_JSON = "application/json"


class InferenceError(TypedDict):
    """What went wrong, for people, as the Open Inference Protocol has it."""

    error: str


class TimeSeriesFault(TypedDict):
    """What went wrong, as KServe's time-series protocol has it."""

    code: str  # the HTTP status
    message: str
    param: str | None  # where in the request
    type: str  # the code of a problem document


class TimeSeriesError(TypedDict):
    """An error of KServe's time-series protocol."""

    error: TimeSeriesFault


class ErrorForm(NamedTuple):
    """How errors are written on some paths.

    Parameters
    ----------
    path : the first part of them.
    schema : of what is written.
    write : makes it of an error and its HTTP status.
    """

    path: str
    schema: type[Any]
    write: Callable[[RoughcastError, int], object]
    media_type: str = _JSON


def inference_error(error: RoughcastError, status: int) -> InferenceError:  # noqa: ARG001
    """Write an error as the Open Inference Protocol does: a sentence, after what it is about."""
    return InferenceError(error=_sentence(error))


def time_series_fault(error: RoughcastError, status: int) -> TimeSeriesFault:
    """Write an error as KServe's time-series protocol does."""
    return TimeSeriesFault(
        code=str(status), message=_sentence(error), param=cut_name(error.field), type=error.code
    )


def foreign_form(path: str) -> ErrorForm | None:
    """The form of a path on which another protocol is spoken."""
    return next((it for it in FORMS if path == it.path or path.startswith(f"{it.path}/")), None)


def _sentence(error: RoughcastError) -> str:
    return cut_sentence(": ".join([*getattr(error, "__notes__", ()), str(error)]))


FORMS = (
    ErrorForm("/v2", InferenceError, inference_error),
    ErrorForm(
        "/v1/timeseries",
        TimeSeriesError,
        lambda error, status: TimeSeriesError(error=time_series_fault(error, status)),
    ),
)
