"""What the ledger's routes answer."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from service.forecasts.schemas import ForecastAnswer
from service.http.fields import AssetName, Horizon, Measure, Rv, Warnings

ForecastId = Annotated[str, Field(pattern="^[0-9a-f]{32}$", description="As the answer had it.")]
Moments = Annotated[
    dict[str, datetime],
    Field(
        description="For each asset that was looked at: since when its bars were what they were. "
        "1970 stands for bars that were held before times were noted."
    ),
]


class OutcomeAnswer(TypedDict):
    """What happened, as it is known now."""

    rv: Rv
    qlike_loss: Annotated[float, Field(description="rv/f - log(rv/f) - 1 of this forecast.")]
    covered: Annotated[
        dict[str, bool], Field(description="By level: whether the interval holds the outcome.")
    ]


class RecordAnswer(TypedDict):
    """A forecast as it was issued."""

    forecast_id: ForecastId
    asset: AssetName
    issued_at: Annotated[datetime, Field(description="When it was first made, UTC.")]
    live: Annotated[
        bool,
        Field(description="Whether that was before the session that it forecasts had closed."),
    ]
    role: Annotated[
        Literal["answer", "shadow"],
        Field(description="`shadow`: it was first computed beside an answer, unasked."),
    ]
    last_closed: Annotated[
        date, Field(description="The last session that had closed when it was issued.")
    ]
    asked_as_of: Annotated[
        date | None, Field(description="The day that was to be replayed, if one was.")
    ]
    known_at: Moments
    answer: Annotated[ForecastAnswer, Field(description="As it was given.")]
    outcome: Annotated[
        OutcomeAnswer | None,
        Field(description="Null while a session of it is not held, with a warning that says so."),
    ]
    warnings: Warnings


class ReplayAnswer(TypedDict):
    """A recorded forecast made again."""

    forecast_id: ForecastId
    identical: Annotated[
        bool,
        Field(
            description="Whether every number, from the forecast to the bounds of its intervals, "
            "is the same to the last bit."
        ),
    ]
    differences: Annotated[
        list[str], Field(description="Fields of the answer that are not the same.")
    ]
    answer: Annotated[
        ForecastAnswer,
        Field(
            description="Made from the bars as they were known, by the version that answered. What "
            "is known of the model (`skill`, `coverage_observed`, `warnings`) is of now."
        ),
    ]


class AgainstAnswer(TypedDict):
    """A model beside a benchmark, live, on the dates of both."""

    nobs: Annotated[int, Field(description="Dates.")]
    qlike_ratio: Annotated[
        float | None, Field(description="QLIKE over that of the benchmark: below 1 is better.")
    ]
    dm_pvalue: Annotated[
        float | None,
        Field(
            description="Two-sided, of equal QLIKE; null with fewer than ten forecasts that share "
            "no session."
        ),
    ]


class IntervalPerformanceAnswer(TypedDict):
    """How often live intervals of one level held."""

    level: float
    nobs: int
    coverage: Annotated[float, Field(description="Share of outcomes inside.")]
    promised: Annotated[
        float | None, Field(description="Coverage on the test part; null where it is not known.")
    ]
    interval_loss: Annotated[
        float, Field(description="Mean interval score of rv, decimal² per day; lower is better.")
    ]


class AlarmAnswer(TypedDict):
    """Whether a promise still holds: a sequential test that may be read after every session."""

    promised: Annotated[
        float,
        Field(
            description="The mean on the test part: of QLIKE, or of outcomes outside of the "
            "interval. Half as much again is let pass."
        ),
    ]
    active: Annotated[
        bool, Field(description="Whether it was raised within the last 22 sessions held.")
    ]
    raised: Annotated[list[date], Field(description="Target dates at which it was.")]
    strength: Annotated[
        float,
        Field(
            description="Evidence since then over what raises it: 1 would. While no time is worse "
            "than is let pass, the chance of an alarm within n sessions is at most n / 10,080."
        ),
    ]


class PerformanceRow(TypedDict):
    """How one version of a model did live."""

    model: Annotated[str, Field(examples=["combination"])]
    version: int
    model_sha256: str
    measure: Measure
    nobs: Annotated[int, Field(description="Forecasts whose outcome is known, one a target date.")]
    pending: Annotated[int, Field(description="Those that wait for it.")]
    missing: Annotated[
        int, Field(description="Those that have none, since a session is missing from the history.")
    ]
    start: Annotated[date | None, Field(description="First target date scored.")]
    end: Annotated[date | None, Field(description="Last target date scored.")]
    qlike_loss: Annotated[float | None, Field(description="Mean; null without outcomes.")]
    promised_qlike: Annotated[
        float | None, Field(description="That on the test part; null where it is not known.")
    ]
    bias: Annotated[
        float | None, Field(description="Mean of rv over forecast, less 1: above 0, too low.")
    ]
    against: Annotated[
        dict[str, AgainstAnswer],
        Field(
            description="By benchmark: HAR and calendar-adjusted log-HAR, as far as they are among "
            "the asset's own models."
        ),
    ]
    intervals: list[IntervalPerformanceAnswer]
    alarms: Annotated[
        dict[str, AlarmAnswer],
        Field(description="By what is watched: `qlike`, and `coverage` of the 80 % intervals."),
    ]


class PerformanceAnswer(TypedDict):
    """How an asset's models did live, as outcomes are known now."""

    asset: AssetName
    horizon: Horizon
    models: Annotated[list[PerformanceRow], Field(description="By model and version.")]
    warnings: Warnings


class LiveRow(TypedDict):
    """How one version of a model does live, in short."""

    model: Annotated[str, Field(examples=["combination"])]
    version: int
    nobs: Annotated[int, Field(description="Forecasts whose outcome is known, one a target date.")]
    end: Annotated[date | None, Field(description="Last target date scored.")]
    coverage: Annotated[
        float | None,
        Field(description="Share of outcomes inside the 80 % interval; null without any."),
    ]
    coverage_promised: Annotated[
        float | None, Field(description="That on the test part; null where it is not known.")
    ]
    alarms: Annotated[
        list[Literal["qlike", "coverage"]],
        Field(description="What is watched and was found broken within the last 22 sessions."),
    ]


class LiveAsset(TypedDict):
    """How the models of one asset do live."""

    asset: AssetName
    models: Annotated[list[LiveRow], Field(description="By model and version.")]


class LivePerformanceAnswer(TypedDict):
    """How the models of every asset with live forecasts do, as of the newest bars."""

    horizon: Horizon
    assets: Annotated[list[LiveAsset], Field(description="By name.")]
    warnings: Warnings
