"""``/assets``: what history is held, and adding to it."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from service.http.fields import AssetName, Measure, Warnings

BarInterval = Annotated[int, Field(description="Seconds that one bar spans.", examples=[86400])]
LastSession = Annotated[
    date | None,
    Field(
        description="Last session with a realized variance; null while there is none.",
        examples=["2021-10-27"],
    ),
]


class AssetAnswer(TypedDict):
    """One asset: what is held of it, and which models serve it."""

    asset: AssetName
    calendar: Annotated[str, Field(examples=["24/7", "XNYS"])]
    periods_per_year: Annotated[int, Field(description="Sessions per year.", examples=[365])]
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
    champion: Annotated[str | None, Field(description="The model that `auto` means.")]


class AssetsAnswer(TypedDict):
    """Every asset that is held or has models."""

    assets: list[AssetAnswer]


class MergeAnswer(TypedDict):
    """What became of the bars that were sent."""

    asset: AssetName
    added: Annotated[int, Field(description="Bars that were not held before.")]
    unchanged: Annotated[int, Field(description="Bars that were held already, with these prices.")]
    replaced: Annotated[int, Field(description="Held bars whose prices were replaced.")]
    bars: Annotated[int, Field(description="Bars held now.")]
    last_session: LastSession
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
