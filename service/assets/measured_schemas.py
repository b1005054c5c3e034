"""What the routes of measured sessions answer."""

from datetime import date
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from service.assets.schemas import BarInput
from service.http.fields import AsOf, AssetName, Measure, Nobs, Warnings

Annualized = Annotated[list[float], Field(description="decimal per year, oldest first.")]


class RecentAnswer(TypedDict):
    """The newest sessions of one held asset."""

    asset: AssetName
    measure: Measure
    last_session: Annotated[date, Field(description="Of the last value.")]
    volatility_annualized: Annualized


class RecentsAnswer(TypedDict):
    """The newest sessions of every held asset that has any, by name."""

    sessions: Annotated[int, Field(description="At most so many of each.")]
    assets: list[RecentAnswer]
    warnings: Warnings


class ConeRowAnswer(TypedDict):
    """Volatility over windows of one length."""

    window: Annotated[int, Field(description="Sessions.", examples=[22])]
    nobs: Annotated[int, Field(description="Windows, which overlap.")]
    quantiles: Annotated[
        list[float], Field(description="At each of `probabilities`, decimal per year.")
    ]
    newest: Annotated[float, Field(description="Over the newest window, decimal per year.")]
    rank: Annotated[
        float, Field(description="Share of windows in which volatility was at most the newest.")
    ]


class ConeAnswer(TypedDict):
    """How volatility over windows of different lengths has been distributed."""

    asset: Annotated[str | None, Field(description="Null for bars that were sent.")]
    measure: Measure
    as_of: AsOf
    nobs: Nobs
    probabilities: Annotated[
        list[float], Field(description="Of the quantiles.", examples=[[0.0, 0.5, 1.0]])
    ]
    rows: Annotated[
        list[ConeRowAnswer],
        Field(
            description="By window: 1, 5, 10, 22, 63, 126 and 252 sessions, as far as the history "
            "holds two of them side by side."
        ),
    ]


class MeasuredSessions(TypedDict):
    """Sessions of bars that were sent; their lists run in parallel."""

    calendar: Annotated[str, Field(description="Given or inferred.", examples=["XNYS"])]
    kind: Annotated[str, Field(description="Given or inferred.", examples=["etf"])]
    periods_per_year: Annotated[int, Field(description="Sessions per year.", examples=[252])]
    measure: Measure
    nobs: Annotated[int, Field(description="Sessions with a realized variance.")]
    dates: list[date]
    rv: Annotated[list[float], Field(description="decimal² per day, not annualized.")]
    volatility_annualized: Annualized
    dropped: Annotated[int, Field(description="Bars outside of sessions that were left out.")]
    cone: Annotated[
        ConeAnswer | None,
        Field(description="As `GET /assets/{asset}/cone`; null below two sessions."),
    ]
    warnings: Warnings


class MeasuredAnswer(MeasuredSessions):
    """Bars that were sent, read and measured."""

    bars: Annotated[
        list[BarInput],
        Field(description="As they were read, in the form in which `POST /forecast` takes them."),
    ]
