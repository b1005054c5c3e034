"""A running service, asked by programs that wait, and by those that do not.

Both classes have the same methods: a request, its repetitions and the reading of its answer are one
implementation, :mod:`roughcast.client.exchange`; they differ by who sends and who waits.
"""

from collections.abc import Sequence
from datetime import date, datetime
from time import sleep
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack

import pandas as pd

from roughcast.client import requests
from roughcast.client.answers import Health, Merged, Recorded, Replayed
from roughcast.client.asynchronous import AsyncClient
from roughcast.client.connection import TIMEOUT, connected, failed, request
from roughcast.client.exchange import RETRIES, Failed, Retries, Wait, exchange
from roughcast.client.problems import NotUnderstood, Problem, ServiceError, Unreachable
from roughcast.client.requests import About, Call, OfNewcomer, Question
from roughcast.results.comparison import Comparison
from roughcast.results.forecast import Forecast
from roughcast.results.hurst import HurstReport

if TYPE_CHECKING:
    import httpx

__all__ = [
    "AsyncClient",
    "Client",
    "NotUnderstood",
    "Problem",
    "Question",
    "ServiceError",
    "Unreachable",
]

Answer = TypeVar("Answer")


class Client:
    """A running service.

    Every method raises :class:`Problem` where the service answers that it cannot,
    :class:`Unreachable` where it does not answer, and :class:`NotUnderstood` where what answers is
    something else. Answers that the service is busy (429, 503), and connections that fail, are
    tried again, as late as ``Retry-After`` says; not where repeating could change something else.
    In the examples ``client`` is one of a service with the shipped data.

    Parameters
    ----------
    url : where it answers, such as ``https://volatility.example``.
    key : as ``roughcast keys make`` prints it, where the service needs one.
    timeout : seconds for each step of a request.
    retries : repetitions of a request, each after a longer wait.
    transport : what carries requests; None for the network.

    Raises
    ------
    ExtraMissing : the extra ``client`` is not installed.
    InvalidInput : the address is none, or the key cannot be one.

    Examples
    --------
    >>> import httpx
    >>> import roughcast
    >>> answer = {"status": "ok", "models": 4, "assets": 2, "stale_sessions": {}, "warnings": []}
    >>> made_up = httpx.MockTransport(lambda request: httpx.Response(200, json=answer))
    >>> with roughcast.Client("http://127.0.0.1:8000", transport=made_up) as client:
    ...     client.health().status
    'ok'
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        timeout: float = TIMEOUT,
        retries: int = RETRIES,
        transport: "httpx.BaseTransport | None" = None,
    ) -> None:
        through = connected(url, key, timeout)
        import httpx

        self.url, self._retries = url, Retries(retries)
        self._http = httpx.Client(transport=transport, **through)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections.

        Examples
        --------
        >>> other = roughcast.Client("http://127.0.0.1:8000")
        >>> other.close()
        """
        self._http.close()

    def forecast(self, of: str | pd.DataFrame, **about: Unpack[About]) -> Forecast:
        """Forecast a held asset by its name, or any from its daily bars; see :class:`Question`.

        Examples
        --------
        >>> client.forecast("SPX", model="har", horizons=[1]).model
        'har'
        >>> bars = roughcast.dataset("BTC-USD").tail(60)
        >>> client.forecast(bars, horizons=[1, 22]).model
        'universal'
        """
        return self._ask(requests.forecast(Question(of, **about)))

    def forecast_batch(self, questions: Sequence[Question]) -> list[Forecast | Problem]:
        """Forecast up to 10,000 at once; a bad one is a problem in its place.

        Examples
        --------
        >>> few = roughcast.dataset("BTC-USD").tail(5)
        >>> found, problem = client.forecast_batch([Question("SPX"), Question(few)])
        >>> found.asset, problem.code
        ('SPX', 'history_too_short')
        """
        return self._ask(requests.forecast_batch(questions))

    def put_bars(self, asset: str, bars: pd.DataFrame, **about: Unpack[OfNewcomer]) -> Merged:
        """Add bars to what is held of an asset, which may be new; see :class:`OfNewcomer`.

        Examples
        --------
        >>> bars = roughcast.dataset("BTC-USD").tail(300)
        >>> client.put_bars("MY-COIN", bars, calendar="24/7", kind="crypto").added
        300
        """
        return self._ask(requests.put_bars(asset, bars, **about))

    def bars(
        self,
        asset: str,
        start: date | None = None,
        end: date | None = None,
        known_at: datetime | None = None,
    ) -> pd.DataFrame:
        """Held bars from a session to another, as they are or were known at a time.

        Examples
        --------
        >>> client.bars("SPX", date(2017, 7, 3), date(2017, 7, 7)).shape
        (4, 4)
        """
        return self._ask(requests.bars(asset, start, end, known_at))

    def hurst(self, asset: str) -> HurstReport:
        """Whether a held asset's volatility is rough.

        Examples
        --------
        >>> client.hurst("SPX").asset
        'SPX'
        """
        return self._ask(requests.hurst(asset))

    def compare(self, asset: str, horizon: int = 1) -> Comparison:
        """An asset's models on the same dates.

        Examples
        --------
        >>> client.compare("SPX", horizon=5).baseline
        'har'
        """
        return self._ask(requests.compare(asset, horizon))

    def models(self) -> pd.DataFrame:
        """What is served, a row a model.

        Examples
        --------
        >>> client.models().query("asset == 'SPX'")["model"].tolist()
        ['calendar_log_har', 'combination', ..., 'universal']
        """
        return self._ask(requests.models())

    def performance(self, asset: str, horizon: int = 1) -> pd.DataFrame:
        """How an asset's models did live, a row a model.

        Examples
        --------
        >>> client.performance("SPX").attrs["asset"]
        'SPX'
        """
        return self._ask(requests.performance(asset, horizon))

    def recorded(self, forecast_id: str) -> Recorded:
        """A forecast that was issued, and what happened.

        Examples
        --------
        >>> issued = client.forecast("SPX", horizons=[1]).at(1)
        >>> sleep(1)  # seconds: an answer does not wait for its record
        >>> client.recorded(issued.forecast_id).forecast.at(1).rv == issued.rv
        True
        """
        return self._ask(requests.recorded(forecast_id))

    def replay(self, forecast_id: str) -> Replayed:
        """A forecast that was issued, made again from what was known then.

        Examples
        --------
        >>> issued = client.forecast("SPX", horizons=[1]).at(1)
        >>> sleep(1)  # seconds: an answer does not wait for its record
        >>> client.replay(issued.forecast_id).identical
        True
        """
        return self._ask(requests.replay(forecast_id))

    def health(self) -> Health:
        """Whether the service is ready, and how old its histories are.

        Examples
        --------
        >>> client.health().assets >= 4
        True
        """
        return self._ask(requests.health())

    def _ask(self, call: Call[Answer]) -> Answer:
        steps, came = exchange(call, self._retries, self.url), None
        while True:
            try:
                step = steps.send(came)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]  # of the generator's own type
            came = None
            if isinstance(step, Wait):
                sleep(step.seconds)
            else:
                came = self._send(step)

    def _send(self, call: Call[Any]) -> "httpx.Response | Failed":
        import httpx

        try:
            return self._http.request(**request(call))
        except httpx.HTTPError as error:
            return failed(error)
