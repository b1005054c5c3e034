"""Bars of Yahoo Finance, by ``yfinance``."""

import warnings
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from training.data.feeds.retrying import PassingFailure, may_pass, patiently, told_delay
from training.data.feeds.source import FeedRefused, Page
from volatility.bars import DAILY, PRICES
from volatility.frames import from_frame
from volatility.rows import empty_bars

if TYPE_CHECKING:
    import pandas as pd
    from curl_cffi import requests

INTERVALS = {"1m": 60, "5m": 300, "15m": 900, "30m": 1_800, "1h": 3_600, "1d": DAILY}
NAME = "Yahoo"
_CHART = "/v8/finance/chart/"  # path of what bars are read from; cookies may fail
_TIMEOUT = 30  # seconds, for each answer
# What yfinance and pandas end in where an answer is not as they expect.
_UNREADABLE = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


@dataclass(frozen=True)
class YahooFeed:
    """Bars of one symbol: all of them in one page, since Yahoo gives out any span at once.

    Prices are those that were paid, adjusted for splits and not for dividends: with these Yahoo
    changes every older price of a share four times a year, and no two pulls would agree.

    Parameters
    ----------
    symbol : as Yahoo writes it, such as ``^GSPC``.
    timeframe : one of :data:`INTERVALS`.
    """

    symbol: str
    timeframe: str

    @classmethod
    def of(cls, symbol: str, timeframe: str) -> "YahooFeed":
        """Bars of a length that Yahoo has.

        Raises
        ------
        FeedRefused : it has none of it.
        """
        if timeframe not in INTERVALS:
            needed = f"one of {list(INTERVALS)}"
            raise FeedRefused(
                f"{NAME} has no bars of {timeframe}; needed: {needed}",
                field="interval",
                found=timeframe,
                needed=needed,
            )
        return cls(symbol, timeframe)

    @property
    def name(self) -> str:
        """As messages call it."""
        return NAME

    @property
    def interval(self) -> int:
        """Seconds that a bar spans."""
        return INTERVALS[self.timeframe]

    def page(self, start: np.datetime64) -> Page:
        """All bars from a time on; see :meth:`training.data.feeds.source.Source.page`."""
        frame = patiently(lambda: self._history(start), NAME)
        if frame is None or not len(frame):
            return Page(empty_bars(self.interval), None)
        bars = from_frame(frame, self.interval)
        return Page(bars.where(bars.timestamps >= start), None)

    def _history(self, start: np.datetime64) -> "pd.DataFrame | None":
        """What ``yfinance`` makes of the answer: a row a bar, in the exchange's time."""
        import yfinance
        from curl_cffi.requests.exceptions import HTTPError
        from yfinance.exceptions import YFException, YFPricesMissingError, YFRateLimitError

        yfinance.config.debug.hide_exceptions = False
        try:
            ticker = yfinance.Ticker(self.symbol, session=_session())
            with warnings.catch_warnings(action="ignore"):  # pandas', about yfinance's own code
                frame: pd.DataFrame = ticker.history(
                    start=_moment(start, self.interval),
                    interval=self.timeframe,
                    auto_adjust=False,
                    actions=False,
                    timeout=_TIMEOUT,
                )
        except (YFRateLimitError, OSError) as error:
            if type(error) is HTTPError:  # an answer; curl's other errors, OSErrors too, are none
                raise _refused(self.symbol, error) from error
            raise PassingFailure(str(error)) from error
        except YFPricesMissingError as error:
            if error.yahoo_reason is None:  # an answer without bars
                return None
            raise _refused(self.symbol, error) from error
        except (YFException, *_UNREADABLE) as error:
            raise _refused(self.symbol, error) from error
        return frame[[name.capitalize() for name in PRICES]]  # not the column Adj Close


def _session() -> "requests.Session[Any]":
    """As ``yfinance`` makes one itself, but that tells of what may pass.

    ``yfinance`` takes an answer of a server that failed for one without bars, and remembers it.
    """
    from curl_cffi import requests

    class Session(requests.Session[Any]):
        def request(self, method: Any, url: str, *args: Any, **kwargs: Any) -> Any:
            response = super().request(method, url, *args, **kwargs)
            if _CHART in url and may_pass(response.status_code):
                after = told_delay(response.headers.get("retry-after"))
                raise PassingFailure(f"it answers {response.status_code}", after)
            return response

    return Session(impersonate="chrome")


def _moment(start: np.datetime64, interval: int) -> date:
    """From when on, as ``yfinance`` takes it: of days, midnight where the exchange is."""
    moment: datetime = start.astype("datetime64[s]").item().replace(tzinfo=UTC)
    return moment.date() if interval == DAILY else moment


def _refused(symbol: str, error: Exception) -> FeedRefused:
    return FeedRefused(
        f"{NAME} gives no bars of {symbol}: {error}",
        field="symbol",
        found=symbol,
        needed="a symbol that it has, and a time that it has bars of",
    )
