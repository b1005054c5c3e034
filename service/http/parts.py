"""Long answers, sent so that other requests are answered between their parts."""

import asyncio
from collections.abc import Mapping, Sequence

from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class InParts(Response):
    """An answer whose body is several parts, which are never joined.

    Parameters
    ----------
    parts : of the body, some hundred kilobytes each: the event loop copies one in a tenth of a
        millisecond.
    media_type : of the body.
    headers : further ones.
    """

    def __init__(
        self, parts: Sequence[bytes], media_type: str, headers: Mapping[str, str] | None = None
    ) -> None:
        length = {"content-length": str(sum(map(len, parts)))}
        super().__init__(headers={**length, **(headers or {})}, media_type=media_type)
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send the parts one after the other."""
        start = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **start})
        for part in self._parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
            await asyncio.sleep(0)  # sending waits only where the client reads more slowly
        await send({"type": "http.response.body", "body": b""})
