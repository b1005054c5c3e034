"""What httpx is told: where to, as whom, and what; and what it says of a failure."""

from typing import TYPE_CHECKING, Any

from roughcast.client.exchange import Failed
from roughcast.client.requests import Call
from volatility.addresses import is_address
from volatility.errors import InvalidInput
from volatility.extras import CLIENT_EXTRA, require

if TYPE_CHECKING:
    import httpx

TIMEOUT = 30.0  # seconds


def connected(url: str, key: str | None, timeout: float) -> dict[str, Any]:
    """How either client is connected.

    Raises
    ------
    ExtraMissing, InvalidInput : see :class:`Client`.
    """
    _check(url)
    return {"base_url": url, "headers": _headers(key), "timeout": timeout}


def request(call: Call[Any]) -> dict[str, Any]:
    """A request as either client of httpx takes it."""
    return {"method": call.method, "url": call.path, "params": call.query, "json": call.body}


def failed(error: "httpx.HTTPError") -> Failed:
    """Why no answer came, and whether the request may have been answered all the same."""
    import httpx

    never_sent = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
    return Failed(error, not isinstance(error, never_sent))


def _check(url: str) -> None:
    require(CLIENT_EXTRA, "a client of the service", field="url")
    if not is_address(url):
        needed = "http:// or https://, a host and perhaps a port, such as http://127.0.0.1:8000"
        raise InvalidInput(  # without what was given: there may be a password in it
            f"this is no address of a service; needed: {needed}",
            code="invalid_address",
            field="url",
            found="something else",
            needed=needed,
        )


def _headers(key: str | None) -> dict[str, str]:
    if key and not (key.isascii() and key.isprintable()):
        needed = "a key as `roughcast keys make` prints it"
        raise InvalidInput(
            f"the key has characters that no key has; needed: {needed}",
            code="invalid_key",
            field="key",
            found="a key that is not shown here",
            needed=needed,
        )
    told = {"accept": "application/json", "user-agent": "roughcast"}
    return told | {"authorization": f"Bearer {key}"} if key else told
