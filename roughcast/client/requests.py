"""What a service can be asked, as requests that are not sent yet."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from operator import itemgetter
from typing import Any, Generic, TypedDict, TypeVar
from urllib.parse import parse_qsl, quote

import pandas as pd

from roughcast.client import answers
from roughcast.client.answers import Health, Merged, Recorded, Replayed
from roughcast.client.problems import Problem
from roughcast.frames import Described, moment, several, wrong_type
from roughcast.results.comparison import Comparison
from roughcast.results.forecast import Forecast
from roughcast.results.hurst import HurstReport
from volatility.bars import DAILY, PRICES, Bars, price_errors
from volatility.errors import InvalidBars
from volatility.frames import from_frame

Answer = TypeVar("Answer")
Json = Any  # what json makes of a text
MOST_BARS = "100000"  # of one answer
HOUR = 3_600  # seconds
HORIZONS, LEVELS = (1, 5, 10, 22), (0.8, 0.95)


@dataclass(frozen=True)
class Call(Generic[Answer]):
    """One request, and how its answer is read.

    Attributes
    ----------
    method, path, query, body : of the request; the body is sent as JSON.
    read : makes a result of the answer's JSON.
    repeatable : whether it may be sent again though it may have been answered: it changes nothing,
        or the same thing however often.
    further : the request of the next page, of an answer that is not all.
    join : makes one result of all pages.
    """

    method: str
    path: str
    read: Callable[[Json], Answer]
    query: Mapping[str, str] = field(default_factory=dict)
    body: Json = None
    repeatable: bool = True
    further: Callable[[Json], "Call[Answer] | None"] = lambda _: None
    join: Callable[[list[Answer]], Answer] = itemgetter(0)


@dataclass(frozen=True)
class Question:
    """What is to be forecast.

    Parameters
    ----------
    of : the name of an asset that the service holds, or daily bars of any.
    horizons : sessions ahead; at each the mean daily rv is forecast.
    model : ``auto``, or a name as :meth:`Client.models` has it.
    model_version : one that need not serve.
    levels : nominal coverages of the intervals.
    quantiles : probabilities of quantiles that are wanted besides.
    asset : the name of what the bars are of.
    calendar, kind : of an asset that the service does not know; left out, what the ``attrs`` of
        the bars say.
    as_of : a day of held history to be replayed.
    known_at : the time whose knowledge of held history is replayed.
    companions : bars of other series that the model looks at, by name.

    Examples
    --------
    >>> from roughcast import Question
    >>> Question("SPX", [1], model="har").body["model"]
    'har'
    """

    of: "str | pd.DataFrame"
    horizons: Sequence[int] = HORIZONS
    model: str = "auto"
    model_version: int | None = None
    levels: Sequence[float] = LEVELS
    quantiles: Sequence[float] = ()
    asset: str | None = None
    calendar: str | None = None
    kind: str | None = None
    as_of: date | None = None
    known_at: datetime | None = None
    companions: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Json]:
        """As ``POST /forecast`` takes it.

        Raises
        ------
        InvalidBars : a table of bars cannot be read.
        InvalidInput : ``wrong_type``, of one value in place of a list, or what is no date.
        """
        quantiles = several(self.quantiles, "quantiles", "a list, such as [0.05, 0.95]")
        said: dict[str, Json] = {
            "asset": self.asset,
            "model_version": self.model_version,
            "calendar": self.calendar,
            "kind": self.kind,
            "as_of": _day(self.as_of, "as_of"),
            "known_at": _time(self.known_at, "known_at"),
            "quantiles": list(quantiles) or None,
            "companions": {it: {"bars": records(bars)} for it, bars in self.companions.items()},
        }
        if isinstance(self.of, str):
            said["asset"] = self.of
        else:
            said["history"] = {"bars": records(self.of)}
            said |= _market(self.of, self.calendar, self.kind)
        always = {
            "model": self.model,
            "horizons": list(several(self.horizons, "horizons", "a list, such as [1, 5, 22]")),
            "levels": list(several(self.levels, "levels", "a list, such as [0.8, 0.95]")),
        }
        return always | {name: it for name, it in said.items() if it not in (None, {})}


class About(TypedDict, total=False):
    """What may be said of a forecast besides what it is of; see :class:`Question`."""

    horizons: Sequence[int]
    model: str
    model_version: int | None
    levels: Sequence[float]
    quantiles: Sequence[float]
    asset: str | None
    calendar: str | None
    kind: str | None
    as_of: date | None
    known_at: datetime | None
    companions: Mapping[str, pd.DataFrame]


class OfNewcomer(TypedDict, total=False):
    """What may be said of an asset whose first bars are put.

    ``calendar``, ``kind`` and ``measure`` as the service takes them; the first two, left out, are
    what the ``attrs`` of the bars say. With ``replace``, held bars that these contradict are
    replaced.
    """

    replace: bool
    calendar: str | None
    kind: str | None
    measure: str | None


def forecast(question: Question) -> Call[Forecast]:
    """A forecast."""
    return Call("POST", "/forecast", Forecast.of_answer, body=question.body)


def forecast_batch(questions: Sequence[Question]) -> Call[list[Forecast | Problem]]:
    """Many forecasts at once."""
    body = {"items": [it.body for it in questions]}
    return Call("POST", "/forecast/batch", answers.batch, body=body)


def put_bars(
    asset: str,
    bars: pd.DataFrame,
    *,
    replace: bool = False,
    calendar: str | None = None,
    kind: str | None = None,
    measure: str | None = None,
) -> Call[Merged]:
    """Bars to be held."""
    body: Json = {"bars": records(bars)}
    query = {
        "replace": "true" if replace else None,
        "measure": measure,
        **_market(bars, calendar, kind),
    }
    return Call(
        "PUT",
        f"/assets/{_quoted(asset)}/bars",
        Merged.of_answer,
        {name: it for name, it in query.items() if it},
        body=body,
        repeatable=not replace,  # in between, another may have put something newer
    )


def bars(
    asset: str, start: date | None = None, end: date | None = None, known_at: datetime | None = None
) -> Call[pd.DataFrame]:
    """Held bars, all pages of them."""
    given = {
        "start": _day(start, "start"),
        "end": _day(end, "end"),
        "known_at": _time(known_at, "known_at"),
    }
    query = {name: it for name, it in given.items() if it is not None}
    path = f"/assets/{_quoted(asset)}/bars"
    asked = {**query, "limit": MOST_BARS}
    first = Call("GET", path, answers.bars, asked, join=answers.in_order)

    def further(page: Json) -> Call[pd.DataFrame] | None:
        if page["next"] is None:
            return None
        told = dict(parse_qsl(page["next"].removeprefix("?")))
        return replace(first, query=told, further=further)

    return replace(first, further=further)


def hurst(asset: str) -> Call[HurstReport]:
    """The report of a held asset."""
    return Call("GET", f"/hurst/{_quoted(asset)}", HurstReport.of_answer)


def compare(asset: str, horizon: int = 1) -> Call[Comparison]:
    """The models of an asset on the same dates."""
    path, query = f"/compare/{_quoted(asset)}", {"horizon": str(horizon)}
    return Call("GET", path, Comparison.of_answer, query)


def models() -> Call[pd.DataFrame]:
    """What is served."""
    return Call("GET", "/models", answers.models)


def performance(asset: str, horizon: int = 1) -> Call[pd.DataFrame]:
    """How models of an asset did live."""
    path, query = f"/performance/{_quoted(asset)}", {"horizon": str(horizon)}
    return Call("GET", path, answers.performance, query)


def recorded(forecast_id: str) -> Call[Recorded]:
    """A forecast that was issued, and what happened."""
    return Call("GET", f"/forecasts/{_quoted(forecast_id)}", Recorded.of_answer)


def replay(forecast_id: str) -> Call[Replayed]:
    """The same forecast, made again."""
    return Call("GET", f"/forecasts/{_quoted(forecast_id)}/replay", Replayed.of_answer)


def health() -> Call[Health]:
    """Whether the service is ready."""
    return Call("GET", "/health/ready", Health.of_answer)


def records(frame: object) -> list[dict[str, Json]]:
    """Bars of a table, as the service takes them.

    Raises
    ------
    InvalidInput : ``wrong_type``, it is no table.
    InvalidBars : it cannot be read; see :func:`volatility.frames.from_frame`. A price is no number,
        which JSON cannot say.
    """
    if not isinstance(frame, pd.DataFrame):
        raise wrong_type(frame, "bars", "a DataFrame with open, high, low and close")
    read = _read(frame)
    unsayable = [it for it in price_errors(read) if it.code == "non_finite_price"]
    if unsayable:
        raise InvalidBars(unsayable)
    name = "date" if read.is_daily else "timestamp"
    times = read.dates.astype(str) if read.is_daily else read.timestamps.astype(str)
    stamps = times.tolist() if read.is_daily else [f"{it}Z" for it in times.tolist()]
    columns = [getattr(read, it).tolist() for it in PRICES]
    return [
        {name: stamp, **dict(zip(PRICES, prices, strict=True))}
        for stamp, *prices in zip(stamps, *columns, strict=True)
    ]


def _market(frame: pd.DataFrame, calendar: str | None, kind: str | None) -> dict[str, str | None]:
    """Calendar and kind of what bars are of: as given, or else as their ``attrs`` say.

    Raises
    ------
    InvalidInput : ``unknown_kind``, there is no such kind of asset.
    """
    told = Described(calendar, kind).completed(frame)
    return {"calendar": told.calendar, "kind": told.kind}


def _read(frame: pd.DataFrame) -> Bars:
    """Bars of a table; one bar alone, which tells no interval, is daily if it opens at midnight."""
    if len(frame) != 1:
        return from_frame(frame)
    daily = from_frame(frame, DAILY)
    index = frame.index
    if isinstance(index, pd.DatetimeIndex) and (index == index.normalize()).all():
        return daily
    try:
        within = from_frame(frame, HOUR)
    except InvalidBars:  # a date without a time
        return daily
    return daily if within.timestamps[0] == daily.timestamps[0] else within


def _day(day: date | None, field: str) -> str | None:
    """A date, or that of a time, as the service takes it."""
    if day is None:
        return None
    if not isinstance(day, date):
        raise wrong_type(day, field, "a date, such as datetime.date(2020, 3, 16)")
    return (day.date() if isinstance(day, datetime) else day).isoformat()


def _time(time: datetime | None, field: str) -> str | None:
    """A time as the service takes it, in UTC where it has no zone."""
    return None if time is None else moment(time, field).isoformat()


def _quoted(name: str) -> str:
    return quote(name, safe="")
