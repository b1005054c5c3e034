"""Bodies of bars, of every form that is read, within what a request may cost."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, time
from typing import Any

import numpy as np
from starlette.requests import Request

from service.assets import documents
from service.assets.schemas import MAX_BARS, BarsInput, time_name
from service.http.bodies import JSON
from service.http.bodies import read as read_body
from service.http.errors import BodyTooLarge, MalformedJson, UnsupportedMediaType, located
from service.http.json_lists import Content
from service.http.limits import BodyLimits
from service.http.tables import CSV
from volatility.bars import DAILY, PRICES, from_records
from volatility.calendars import utc_second
from volatility.errors import InvalidInput, RoughcastError
from volatility.formats import content as formats
from volatility.formats import workbooks
from volatility.formats.order import settled
from volatility.formats.packing import unpacked
from volatility.formats.reading import Inferred, Limits, Options, Reading, Unreadable

PARQUET = "application/vnd.apache.parquet"
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
KINDS = {CSV: formats.CSV, PARQUET: workbooks.PARQUET, EXCEL: workbooks.EXCEL}
MEDIA_TYPES = (JSON, *KINDS)
CSV_EXAMPLE = "date,open,high,low,close\n2021-10-28,58470.7,62128.6,57820.0,60622.1\n"
# What a route's description says of bodies of bars besides JSON.
BARS_BODY: dict[str, Any] = {
    "requestBody": {
        "content": {
            CSV: {"schema": {"type": "string"}, "example": CSV_EXAMPLE},
            PARQUET: {"schema": {"type": "string", "format": "binary"}},
            EXCEL: {"schema": {"type": "string", "format": "binary"}},
        }
    }
}
# The beginning of a body as the schema has it: its first bar, which may be cut off.
_BEGIN = re.compile(
    rb'\s*\{\s*(?:"next"\s*:[^\[\]{}]*,\s*)?"bars"\s*:\s*\[\s*(?:\{([^{}]*)|\]|[^\s\[{])'
)
_HEAD = 4_096  # bytes in which the first bar is
_NAME = re.compile(rb'"((?:[^"\\]|\\.)*)"\s*:')
_ENCODINGS = ("identity", "gzip", "x-gzip", "")
_OWN_NAMES = {"date", "timestamp", *PRICES}
# What is refused otherwise than as input that cannot be used.
_AS_OTHERS: dict[str, Callable[..., RoughcastError]] = {
    "malformed_json": MalformedJson,
    "too_large_unpacked": BodyTooLarge,
    "missing_package": UnsupportedMediaType,
    "unknown_compression": UnsupportedMediaType,
}


def read(content: Content, media_type: str, options: Options, limits: BodyLimits) -> Reading:
    """Bars of a body, oldest first.

    Parameters
    ----------
    content : as it came, compressed or not.
    media_type : one of :data:`MEDIA_TYPES`.
    options : what the sender says of it.
    limits : of bytes and values, for what it becomes when it is unpacked.

    Raises
    ------
    MalformedJson, InvalidRequest : the JSON is not as :class:`BarsInput` says, or no JSON.
    BodyTooLarge : it is larger than bodies may be, when it is unpacked.
    UnsupportedMediaType : a package is not installed, or a compression is not read.
    InvalidInput : it is no table of bars.
    InvalidBars : a column is missing or ambiguous, or a cell cannot be read.
    """
    at_most = Limits(limits.most_bytes, MAX_BARS)
    called = "date" if options.interval in (None, DAILY) else "timestamp"
    try:
        content, packed = unpacked(content, at_most, _counting(limits))
        if media_type != JSON:
            found = formats.read(content, options, at_most, KINDS[media_type])
        elif options.says_nothing and _is_plain(content):
            given = read_body(BarsInput, content).bars
            called = time_name(given)
            found = _of_schema(given, options)
            documents.let_go(given)
        else:
            document = documents.read(content)
            found = formats.read_document(document, options, at_most)
            documents.let_go(document)
    except Unreadable as error:
        raise _as_other(error) from error
    except InvalidInput as error:
        raise located(error, time=called) from None
    return replace(found.packed_by(packed), time_name=called)


def check_encoding(request: Request) -> None:
    """Refuse a body in an encoding that is not read.

    Whether it is compressed by gzip is told by its first bytes: a file may be, without a header.

    Raises
    ------
    UnsupportedMediaType : the header names another encoding.
    """
    found = request.headers.get("content-encoding", "identity").strip().lower()
    if found not in _ENCODINGS:
        needed = "gzip or no content-encoding"
        raise UnsupportedMediaType(
            f"the body is encoded as {found}; needed: {needed}",
            field="content-encoding",
            found=found,
            needed=needed,
        )


def _counting(limits: BodyLimits) -> Callable[[bytes], None]:
    """Counts values as they are unpacked, as others are counted when they come."""
    values = 0

    def count(part: bytes) -> None:
        nonlocal values
        values += part.count(b",") + part.count(b"{") + part.count(b"[")
        limits.check_values(values)

    return count


def _as_other(error: Unreadable) -> RoughcastError:
    other = _AS_OTHERS.get(error.code)
    if other is None:
        return error
    return other(str(error), field=error.field, found=error.found, needed=error.needed)


def _is_plain(content: Content) -> bool:
    """Whether JSON is to be as the schema says: its first bar has no other names.

    What is neither this nor a table of another form is refused in the schema's words.
    """
    head = bytes(content[:_HEAD])
    begin = _BEGIN.match(head)
    if begin is None:
        return not re.match(rb"\s*[\[{]\s*\S", head) or head.lstrip().startswith(b"{}")
    names = {it.decode("utf-8", "replace") for it in _NAME.findall(begin[1] or b"")}
    return names <= _OWN_NAMES


def _of_schema(given: Sequence[Mapping[str, Any]], options: Options) -> Reading:
    assert options.interval is not None
    bars = from_records(given, options.interval)
    newest = _time_of_newest(given) if options.interval == DAILY else None
    known = Inferred(content=formats.JSON, interval=options.interval, newest=newest)
    return settled(bars, known)


def _time_of_newest(given: Sequence[Mapping[str, Any]]) -> np.datetime64 | None:
    """When the first or the last bar, whichever is newer, is said to be; None at midnight."""
    ends = [given[0], given[-1]] if given else []
    stamps = [it["timestamp"] for it in ends if "timestamp" in it]
    newest = max(stamps, key=lambda it: it.date(), default=None)
    if newest is None or newest.time() == time.min:
        return None
    return utc_second(newest if newest.tzinfo else newest.replace(tzinfo=UTC))
