"""What goes in and out of ``/assets``; bars as they come in."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from service.http.fields import MAX_NAME, AssetName, Day, Kind, Measure, RequestBody, Time, Warnings

MAX_CALENDAR = 16  # letters of its name: what the database holds
MAX_BARS = 100_000  # of one list: eleven years of hours, or seventy days of minutes
BarInterval = Annotated[int, Field(description="Seconds that one bar spans.", examples=[86400])]
LastSession = Annotated[
    date | None,
    Field(
        description="Last session with a realized variance; null while there is none.",
        examples=["2021-10-27"],
    ),
]


Price = Annotated[float, Field(description="In the asset's currency.", examples=[60363.7])]


class BarInput(TypedDict):
    """One OHLC bar: with ``date`` if it spans a session, with ``timestamp`` if it is shorter."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)  # type: ignore[misc]

    date: NotRequired[
        Annotated[
            Day,
            Field(description="Session of a daily bar.", examples=["2021-10-26"]),
        ]
    ]
    timestamp: NotRequired[
        Annotated[
            Time,
            Field(description="Opening time of a shorter bar; UTC where no offset is given."),
        ]
    ]
    open: Price
    high: Price
    low: Price
    close: Price


def time_name(bars: Sequence[Mapping[str, Any]] | None) -> str:
    """What bars of a request call their times: ``timestamp`` where the first has that alone."""
    first = bars[0] if bars else {}
    return "timestamp" if "timestamp" in first and "date" not in first else "date"


class BarsInput(RequestBody):
    """Bars to add to the held history."""

    bars: Annotated[
        list[BarInput],
        Field(
            max_length=MAX_BARS,
            fail_fast=True,
            description="Bars of the asset's own interval, oldest first.",
            examples=[
                [
                    {
                        "date": "2021-10-28",
                        "open": 58470.7,
                        "high": 62128.6,
                        "low": 57820.0,
                        "close": 60622.1,
                    }
                ]
            ],
        ),
    ]
    next: Annotated[
        str | None,
        Field(max_length=200, description="As `GET` gives it beside bars; not looked at."),
    ] = None


class BarsAnswer(TypedDict):
    """Held bars, as `PUT /assets/{asset}/bars` takes them."""

    bars: Annotated[
        list[BarInput],
        Field(description="Oldest first: with `date` daily ones, with `timestamp` shorter ones."),
    ]
    next: Annotated[
        str | None,
        Field(
            description="Where there are more bars than one answer has: the query by which the "
            "next are read, from the same path.",
            examples=["?start=2021-10-28&limit=10000"],
        ),
    ]


class NewAsset(RequestBody):
    """An asset to hold before its first bars, which will be daily."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"asset": "MINE", "calendar": "XNYS", "kind": "etf"}]}
    )

    asset: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAX_NAME,
            description="Its name: letters, digits, `.`, `_` and `-`.",
        ),
    ]
    calendar: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=MAX_CALENDAR,
            description="`24/7`, `24/5` or a code of `exchange_calendars`. May be left out for an "
            "index that is known, such as VIX.",
        ),
    ] = None
    kind: Annotated[Kind | None, Field(description="Left out, that of most on the calendar.")] = (
        None
    )
    measure: Annotated[
        str | None,
        Field(min_length=1, max_length=MAX_NAME, description="Left out, `garman_klass`."),
    ] = None


class DeletedAnswer(TypedDict):
    """What is held no longer."""

    asset: AssetName
    bars: Annotated[int, Field(description="Bars that were held.")]
    replaced_bars: Annotated[int, Field(description="Bars that had been replaced.")]


class AssetAnswer(TypedDict):
    """One asset: what is held of it, and which models serve it."""

    asset: AssetName
    calendar: Annotated[str, Field(examples=["24/7", "XNYS"])]
    periods_per_year: Annotated[int, Field(description="Sessions per year.", examples=[365])]
    kind: Annotated[str, Field(description="What is traded.", examples=["crypto"])]
    measure: Measure
    bar_interval: BarInterval
    bars: Annotated[int, Field(description="Bars held.", examples=[2522])]
    sessions: Annotated[int, Field(description="Sessions with a realized variance.")]
    first_session: Annotated[
        date | None,
        Field(description="First session with a realized variance.", examples=["2014-11-28"]),
    ]
    last_session: LastSession
    stale_sessions: Annotated[
        int | None, Field(description="Sessions that have closed since the last one held.")
    ]
    source: Annotated[str, Field(description="Where the first bars came from.")]
    models: Annotated[list[str], Field(examples=[["har", "log_har"]])]
    champion: Annotated[
        str | None,
        Field(
            description="The model that `auto` means: `universal` for an asset without models of "
            "its own."
        ),
    ]


class AssetsAnswer(TypedDict):
    """Every asset that is held or has models."""

    assets: list[AssetAnswer]


class InferredAnswer(TypedDict):
    """How bars were read."""

    layout: Annotated[str, Field(description="Whose layout they have, as `format` names it.")]
    content: Annotated[str, Field(description="What the body was: CSV, JSON, Parquet, Excel.")]
    packed: Annotated[str | None, Field(description="How it was compressed, if it was.")]
    delimiter: Annotated[str | None, Field(description="Between the fields of a line, of CSV.")]
    decimal: Annotated[
        str | None,
        Field(description="Before the fraction of a price; null where prices are numbers already."),
    ]
    dates: Annotated[str, Field(description="How dates are written.", examples=["ISO 8601"])]
    order: Annotated[
        Literal["oldest first", "newest first", "unsorted"], Field(description="Of the bars.")
    ]
    interval: BarInterval
    dropped: Annotated[list[str], Field(description="Labels of columns that were not needed.")]
    sorted_rows: Annotated[int, Field(description="Bars that stood elsewhere.")]
    mended_rows: Annotated[
        int,
        Field(
            description="Bars whose high was raised, or low lowered, by at most 1e-4 of itself, to "
            "hold open and close."
        ),
    ]
    notes: Annotated[list[str], Field(description="Whatever else was decided.")]


class MergeAnswer(TypedDict):
    """What became of the bars that were sent."""

    asset: AssetName
    added: Annotated[int, Field(description="Bars that were not held before.")]
    unchanged: Annotated[int, Field(description="Bars that were held already, with these prices.")]
    replaced: Annotated[int, Field(description="Held bars whose prices were replaced.")]
    dropped: Annotated[
        int, Field(description="Bars outside of sessions that were dropped, as asked for.")
    ]
    bars: Annotated[int, Field(description="Bars held now.")]
    last_session: LastSession
    inferred: Annotated[InferredAnswer, Field(description="How the bars were read.")]
    warnings: Warnings


class HistoryAnswer(TypedDict):
    """Held daily history; the lists run in parallel, oldest first."""

    asset: AssetName
    measure: Measure
    nobs: Annotated[int, Field(description="Sessions in this answer.")]
    dates: list[date]
    rv: Annotated[list[float], Field(description="decimal² per day, not annualized.")]
    volatility_annualized: Annotated[list[float], Field(description="decimal per year.")]
    last_bar: Annotated[
        datetime | None, Field(description="Opening time of the last bar held, UTC.")
    ]
    warnings: Warnings
