"""Where a service may be asked for."""

from urllib.parse import urlsplit


def is_address(url: str) -> bool:
    """Whether a service may answer there: HTTP, a host, and no password or query."""
    try:
        parts = urlsplit(url)
        has_port = parts.port != 0  # raises where it is no number
    except ValueError:
        return False
    is_plain = not (parts.query or parts.fragment or "@" in parts.netloc)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and is_plain and has_port
