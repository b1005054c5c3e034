"""An application as :class:`roughcast.AsyncClient` asks it, without a network."""

import httpx


class Awaited(httpx.AsyncBaseTransport):
    """A transport that waits, called by who does not."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answered = self._transport.handle_request(request)
        content = httpx.ByteStream(answered.read())
        return httpx.Response(answered.status_code, headers=answered.headers, stream=content)
