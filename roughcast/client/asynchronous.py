"""A running service, asked by programs that do not wait."""

from asyncio import sleep as pause
from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack

import pandas as pd

from roughcast.client import requests
from roughcast.client.answers import Health, Merged, Recorded, Replayed
from roughcast.client.connection import TIMEOUT, connected, failed, request
from roughcast.client.exchange import RETRIES, Failed, Retries, Wait, exchange
from roughcast.client.problems import Problem
from roughcast.client.requests import About, Call, OfNewcomer, Question
from roughcast.results.comparison import Comparison
from roughcast.results.forecast import Forecast
from roughcast.results.hurst import HurstReport

if TYPE_CHECKING:
    import httpx

Answer = TypeVar("Answer")


class AsyncClient:
    """A running service, asked without blocking; otherwise as :class:`~roughcast.client.Client`.

    In the examples ``client`` is one of a service with the shipped data, and each call is a program
    of its own; within a coroutine it is ``await client.forecast("SPX")``.

    Parameters
    ----------
    url, key, timeout, retries, transport : as for :class:`~roughcast.client.Client`.

    Raises
    ------
    ExtraMissing : the extra ``client`` is not installed.
    InvalidInput : the address is none, or the key cannot be one.

    Examples
    --------
    >>> import asyncio
    >>> import httpx
    >>> import roughcast
    >>> answer = {"status": "ok", "models": 4, "assets": 2, "stale_sessions": {}, "warnings": []}
    >>> made_up = httpx.MockTransport(lambda request: httpx.Response(200, json=answer))
    >>> async def ask():
    ...     async with roughcast.AsyncClient("http://127.0.0.1:8000", transport=made_up) as client:
    ...         return await client.health()
    >>> asyncio.run(ask()).models
    4
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        timeout: float = TIMEOUT,
        retries: int = RETRIES,
        transport: "httpx.AsyncBaseTransport | None" = None,
    ) -> None:
        through = connected(url, key, timeout)
        import httpx

        self.url, self._retries = url, Retries(retries)
        self._http = httpx.AsyncClient(transport=transport, **through)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections.

        Examples
        --------
        >>> other = roughcast.AsyncClient("http://127.0.0.1:8000")
        >>> asyncio.run(other.close())
        """
        await self._http.aclose()

    async def forecast(self, of: str | pd.DataFrame, **about: Unpack[About]) -> Forecast:
        """As :meth:`~roughcast.client.Client.forecast`.

        Examples
        --------
        >>> asyncio.run(client.forecast("SPX", model="har", horizons=[1])).model
        'har'
        """
        return await self._ask(requests.forecast(Question(of, **about)))

    async def forecast_batch(self, questions: Sequence[Question]) -> list[Forecast | Problem]:
        """As :meth:`~roughcast.client.Client.forecast_batch`.

        Examples
        --------
        >>> few = roughcast.dataset("BTC-USD").tail(5)
        >>> found, problem = asyncio.run(client.forecast_batch([Question("SPX"), Question(few)]))
        >>> found.asset, problem.code
        ('SPX', 'history_too_short')
        """
        return await self._ask(requests.forecast_batch(questions))

    async def put_bars(self, asset: str, bars: pd.DataFrame, **about: Unpack[OfNewcomer]) -> Merged:
        """As :meth:`~roughcast.client.Client.put_bars`.

        Examples
        --------
        >>> bars = roughcast.dataset("BTC-USD").tail(300)
        >>> about = {"calendar": "24/7", "kind": "crypto"}
        >>> asyncio.run(client.put_bars("MY-OTHER-COIN", bars, **about)).added
        300
        """
        return await self._ask(requests.put_bars(asset, bars, **about))

    async def bars(
        self,
        asset: str,
        start: date | None = None,
        end: date | None = None,
        known_at: datetime | None = None,
    ) -> pd.DataFrame:
        """As :meth:`~roughcast.client.Client.bars`.

        Examples
        --------
        >>> asyncio.run(client.bars("SPX", date(2017, 7, 3), date(2017, 7, 7))).shape
        (4, 4)
        """
        return await self._ask(requests.bars(asset, start, end, known_at))

    async def hurst(self, asset: str) -> HurstReport:
        """As :meth:`~roughcast.client.Client.hurst`.

        Examples
        --------
        >>> asyncio.run(client.hurst("SPX")).asset
        'SPX'
        """
        return await self._ask(requests.hurst(asset))

    async def compare(self, asset: str, horizon: int = 1) -> Comparison:
        """As :meth:`~roughcast.client.Client.compare`.

        Examples
        --------
        >>> asyncio.run(client.compare("SPX", horizon=5)).baseline
        'har'
        """
        return await self._ask(requests.compare(asset, horizon))

    async def models(self) -> pd.DataFrame:
        """As :meth:`~roughcast.client.Client.models`.

        Examples
        --------
        >>> asyncio.run(client.models()).query("asset == 'SPX'")["model"].tolist()
        ['calendar_log_har', 'combination', ..., 'universal']
        """
        return await self._ask(requests.models())

    async def performance(self, asset: str, horizon: int = 1) -> pd.DataFrame:
        """As :meth:`~roughcast.client.Client.performance`.

        Examples
        --------
        >>> asyncio.run(client.performance("SPX")).attrs["asset"]
        'SPX'
        """
        return await self._ask(requests.performance(asset, horizon))

    async def recorded(self, forecast_id: str) -> Recorded:
        """As :meth:`~roughcast.client.Client.recorded`.

        Examples
        --------
        >>> issued = asyncio.run(client.forecast("SPX", horizons=[1])).at(1)
        >>> sleep(1)  # seconds: an answer does not wait for its record
        >>> asyncio.run(client.recorded(issued.forecast_id)).forecast.at(1).rv == issued.rv
        True
        """
        return await self._ask(requests.recorded(forecast_id))

    async def replay(self, forecast_id: str) -> Replayed:
        """As :meth:`~roughcast.client.Client.replay`.

        Examples
        --------
        >>> issued = asyncio.run(client.forecast("SPX", horizons=[1])).at(1)
        >>> sleep(1)  # seconds: an answer does not wait for its record
        >>> asyncio.run(client.replay(issued.forecast_id)).identical
        True
        """
        return await self._ask(requests.replay(forecast_id))

    async def health(self) -> Health:
        """As :meth:`~roughcast.client.Client.health`.

        Examples
        --------
        >>> asyncio.run(client.health()).assets >= 4
        True
        """
        return await self._ask(requests.health())

    async def _ask(self, call: Call[Answer]) -> Answer:
        steps, came = exchange(call, self._retries, self.url), None
        while True:
            try:
                step = steps.send(came)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]  # of the generator's own type
            came = None
            if isinstance(step, Wait):
                await pause(step.seconds)
            else:
                came = await self._send(step)

    async def _send(self, call: Call[Any]) -> "httpx.Response | Failed":
        import httpx

        try:
            return await self._http.request(**request(call))
        except httpx.HTTPError as error:
            return failed(error)
