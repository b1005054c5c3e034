"""Errors that only the service can raise, and the one table that gives every error its status.

::

    RoughcastError                   volatility.errors: what the domain refuses
    └── ServiceError
        ├── InvalidRequest           the body or a parameter does not fit its schema
        ├── MalformedJson            the body is not JSON
        ├── UnsupportedMediaType     the body is declared to be something else
        ├── HostNotAllowed           the service is called by a name that is not its own
        ├── Unauthorized             no key, or one that is not known
        ├── Forbidden                the key may not do this
        ├── RateLimited              the client asks too often
        ├── TooManyAtOnce            the client asks for too much at once
        ├── UnknownKey               no key has this id
        ├── BodyTooLarge             it has more bytes, or more values, than are read
        ├── BodyTooSlow              it does not arrive in time
        ├── MalformedRequest         what comes over a connection is not HTTP
        ├── UrlTooLong
        ├── HeadersTooLarge          more of them, or longer ones, than are read
        ├── Overloaded               there is more to do already than can be done at once
        ├── RouteNotFound
        ├── MethodNotAllowed
        ├── InvalidAsOf              no such day to replay
        ├── NotYetKnown              what will be known is asked for
        ├── AssetMismatch            what is said of an asset contradicts what is known of it
        ├── UnclearCalendar          the dates of a new asset's bars do not tell it
        ├── HistoryStale             more sessions have closed since than the service allows
        ├── HistoryDamaged           held bars are not what was put there
        ├── NotAcceptable            an answer is asked for in a form that this service lacks
        ├── HistoryIncomplete        more sessions are missing than the service allows
        ├── AssetInUse               it cannot be deleted: models need it, or it is shipped
        ├── BarsConflict             a bar contradicts the one that is held
        ├── UnknownForecast          no recorded forecast has this id
        ├── NotReplayable            what a recorded forecast was made from is gone
        ├── NotReady                 nothing to serve yet
        ├── StoreNotWritable         the model store does not let what serves be changed
        ├── DatabaseUnavailable      the history database does not answer, or not in time
        ├── InvalidSetting           the service cannot start with it
        ├── ComparisonUnavailable    the evaluations in the store do not fit together
        └── InternalError            a bug: nothing about it leaves the service but a request id
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from models_store import ArtifactRefused, PredictionFailed
from volatility.bars import PRICES
from volatility.errors import (
    Finding,
    InvalidBars,
    InvalidInput,
    MisalignedForecasts,
    NotFound,
    RoughcastError,
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a request."""

    code: str
    detail: str
    field: str | None
    found: object
    needed: str | None


class ServiceError(RoughcastError):
    """Something is wrong with the request or with what the service has to answer from.

    Attributes
    ----------
    retry_after : seconds after which the same request may succeed, where it may.
    """

    code = "service_error"
    retry_after: int | None = None

    @property
    def headers(self) -> dict[str, str]:
        """Headers that an answer with this error has."""
        return {} if self.retry_after is None else {"retry-after": str(self.retry_after)}


class InvalidRequest(ServiceError):
    """The body or a parameter does not fit its schema.

    Parameters
    ----------
    faults : what does not fit, at least one; the first one gives the error its code.
    stopped : whether there may be more, which nobody has looked for.
    """

    code = "invalid_value"

    def __init__(self, faults: Sequence[Fault], stopped: bool = False) -> None:
        first = faults[0]
        more = f" (one of the first {len(faults)} faults, at which reading stopped)"
        super().__init__(
            first.detail + more if stopped else first.detail,
            code=first.code,
            field=first.field,
            found=first.found,
            needed=first.needed,
        )
        self.faults = tuple(faults)


class MalformedJson(ServiceError):
    """The body is not JSON."""

    code = "malformed_json"


class UnsupportedMediaType(ServiceError):
    """The body's content type is not one that the route reads."""

    code = "unsupported_media_type"


class BodyTooLarge(ServiceError):
    """The body is larger than the service accepts, or has too many values."""

    code = "body_too_large"


class HostNotAllowed(ServiceError):
    """The request names a host that this service is not."""

    code = "host_not_allowed"


class Unauthorized(ServiceError):
    """The request brings no key, or one that is not known."""

    code = "unauthorized"

    @property
    def headers(self) -> dict[str, str]:
        """How to bring a key."""
        return {"www-authenticate": "Bearer"}


class Forbidden(ServiceError):
    """The key that a request brings lacks the scope that it needs."""

    code = "forbidden"


class RateLimited(ServiceError):
    """A client asks more often than it may."""

    code = "rate_limited"
    retry_after = 1


class TooManyAtOnce(ServiceError):
    """A client has as many requests under way as it may have."""

    code = "too_many_at_once"
    retry_after = 1


class UnknownKey(ServiceError):
    """No key that is good has this id."""

    code = "unknown_key"


class BodyTooSlow(ServiceError):
    """The body does not arrive in time."""

    code = "body_too_slow"


class MalformedRequest(ServiceError):
    """What comes over a connection is not HTTP."""

    code = "malformed_request"


class UrlTooLong(ServiceError):
    """The URL is longer than the service reads."""

    code = "url_too_long"


class HeadersTooLarge(ServiceError):
    """There are more headers, or longer ones, than the service reads."""

    code = "headers_too_large"


class Overloaded(ServiceError):
    """There is more to do already than can be done at once; the answer says when to try again."""

    code = "overloaded"
    retry_after = 1


class RouteNotFound(ServiceError):
    """No route has this path."""

    code = "route_not_found"


class MethodNotAllowed(ServiceError):
    """The route exists, but not for this method."""

    code = "method_not_allowed"


class InvalidAsOf(ServiceError):
    """A day cannot be replayed; the code says why."""

    code = "invalid_as_of"


class NotYetKnown(ServiceError):
    """What was known is asked for, as of a time that has not come."""

    code = "not_yet_known"


class AssetMismatch(ServiceError):
    """What is said of an asset contradicts what is known of it."""

    code = "asset_mismatch"


class UnclearCalendar(ServiceError):
    """The dates of a new asset's bars do not tell its calendar."""

    code = "unclear_calendar"


class HistoryStale(ServiceError):
    """More sessions have closed since the end of a history than the service allows."""

    code = "history_stale"


class HistoryIncomplete(ServiceError):
    """More sessions are missing from what a model sees than the service allows."""

    code = "history_incomplete"


class HistoryDamaged(ServiceError):
    """The held bars of an asset are not what was put there."""

    code = "history_damaged"


class NotAcceptable(ServiceError):
    """An answer is asked for in a form that needs what is not installed."""

    code = "not_acceptable"


class AssetInUse(ServiceError):
    """An asset cannot be deleted: forecasts are made from it, or it is shipped."""

    code = "asset_in_use"


class BarsConflict(ServiceError):
    """A bar contradicts the one that is held for the same time."""

    code = "bars_conflict"


class UnknownForecast(ServiceError):
    """No recorded forecast has this id."""

    code = "unknown_forecast"


class NotReplayable(ServiceError):
    """What a recorded forecast was made from is there no longer."""

    code = "not_replayable"


class NotReady(ServiceError):
    """There is nothing to serve, or no history to serve it from."""

    code = "not_ready"


class StoreNotWritable(ServiceError):
    """The model store cannot be written: what is to serve stays what it was."""

    code = "store_not_writable"


class DatabaseUnavailable(ServiceError):
    """The history database does not answer, or not in time; nothing is known to be changed."""

    code = "database_unavailable"
    retry_after = 2


class InvalidSetting(ServiceError):
    """The service cannot start with a setting as it is."""

    code = "invalid_setting"


class ComparisonUnavailable(ServiceError):
    """The evaluations in the store do not fit together, or are too short."""

    code = "comparison_unavailable"


class InternalError(ServiceError):
    """A bug. The log has it under the request id; the answer says nothing about it."""

    code = "internal_error"


# The nearest class in an error's ancestry counts.
STATUS: dict[type[RoughcastError], int] = {
    RoughcastError: 500,
    InvalidInput: 422,
    NotFound: 404,
    ArtifactRefused: 503,
    PredictionFailed: 503,
    MisalignedForecasts: 500,
    InvalidRequest: 422,
    MalformedJson: 400,
    UnsupportedMediaType: 415,
    BodyTooLarge: 413,
    HostNotAllowed: 421,
    Unauthorized: 401,
    Forbidden: 403,
    RateLimited: 429,
    TooManyAtOnce: 429,
    UnknownKey: 404,
    BodyTooSlow: 408,
    MalformedRequest: 400,
    UrlTooLong: 414,
    HeadersTooLarge: 431,
    Overloaded: 503,
    RouteNotFound: 404,
    MethodNotAllowed: 405,
    InvalidAsOf: 422,
    NotYetKnown: 422,
    AssetMismatch: 422,
    UnclearCalendar: 422,
    HistoryStale: 422,
    HistoryIncomplete: 422,
    HistoryDamaged: 503,
    NotAcceptable: 406,
    AssetInUse: 409,
    BarsConflict: 409,
    UnknownForecast: 404,
    NotReplayable: 410,
    NotReady: 503,
    StoreNotWritable: 503,
    DatabaseUnavailable: 503,
    InvalidSetting: 500,
    ComparisonUnavailable: 503,
    InternalError: 500,
}


def status_of(error: type[RoughcastError]) -> int:
    """HTTP status of an error class."""
    return next(STATUS[ancestor] for ancestor in error.__mro__ if ancestor in STATUS)


def located(error: InvalidInput, prefix: str = "", time: str = "date") -> InvalidInput:
    """The same error with its fields named as the request does: ``history.bars[3].close``.

    Parameters
    ----------
    error : about bars or a series of the request.
    prefix : where in the request these stand.
    time : what bars call theirs: ``date`` or ``timestamp``.
    """
    if isinstance(error, InvalidBars):
        return InvalidBars([_located(finding, prefix, time) for finding in error.findings])
    return error.with_field(prefix + error.field if error.field else prefix.rstrip("."))


def _located(finding: Finding, prefix: str, time: str) -> Finding:
    if finding.index is None:
        return replace(finding, field=f"{prefix}bars")
    name = finding.field if finding.field in PRICES else time
    return replace(finding, field=f"{prefix}bars[{finding.index}].{name}")
