"""Which of several media types a client would rather have."""

from starlette.requests import Request


def preferred(request: Request, *media_types: str) -> str:
    """The media type that the ``Accept`` header of a request ranks highest.

    Parameters
    ----------
    request : that may name several types, with weights.
    media_types : such as ``application/json`` and ``text/csv``; of those that are ranked alike, the
        first.
    """
    ranges = _ranges(request.headers.get("accept", "*/*"))
    return max(media_types, key=lambda it: _weight(ranges, it))


def _ranges(accept: str) -> dict[str, float]:
    """Weight of each range of types, by its name."""
    found: dict[str, float] = {}
    for part in accept.lower().split(","):
        name, *parameters = (it.strip() for it in part.split(";"))
        weights = [it[2:] for it in parameters if it.startswith("q=")]
        try:
            found[name] = float(weights[0]) if weights else 1.0
        except ValueError:  # what cannot be read asks for nothing
            continue
    return found


def _weight(ranges: dict[str, float], media_type: str) -> float:
    """That of the most particular range that a type is in."""
    for name in (media_type, media_type.partition("/")[0] + "/*", "*/*"):
        if name in ranges:
            return ranges[name]
    return 0.0


def accepts_encoding(request: Request, encoding: str) -> bool:
    """Whether a client that asks takes an answer so encoded.

    Parameters
    ----------
    request : whose header ``Accept-Encoding`` may rule encodings out by a weight of 0.
    encoding : such as ``gzip``.
    """
    return _ranges(request.headers.get("accept-encoding", "")).get(encoding, 0.0) > 0
