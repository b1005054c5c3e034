"""``GET /hurst/{asset}`` and ``POST /hurst``."""

from typing import Annotated, Literal

from pydantic import Field, model_validator
from typing_extensions import TypedDict

from service.assets.schemas import MAX_CALENDAR
from service.http.bodies import one_of
from service.http.fields import (
    MAX_NAME,
    MAX_VALUES,
    AsOf,
    Day,
    Nobs,
    RequestBody,
    RvInput,
    Warnings,
)
from volatility.bars import DAILY

MAX_INTRADAY_NOBS = DAILY


class HurstRequest(RequestBody):
    """A series to examine: ``rv``, with dates or without, or ``log_volatility``."""

    rv: RvInput = None
    dates: Annotated[
        list[Day] | None,
        Field(
            max_length=MAX_VALUES,
            fail_fast=True,
            description="Session of each value of `rv`: effects of weekday and half day are then "
            "taken out. Needs `calendar`.",
        ),
    ] = None
    calendar: Annotated[
        str | None,
        Field(
            max_length=MAX_CALENDAR,
            description="Sessions that `dates` follow.",
            examples=["24/7", "XNYS"],
        ),
    ] = None
    log_volatility: Annotated[
        list[float] | None,
        Field(
            max_length=MAX_VALUES,
            fail_fast=True,
            description="Log of each session's volatility, oldest first.",
        ),
    ] = None
    measure: Annotated[
        str | None,
        Field(
            max_length=MAX_NAME,
            description="How the series was made; overlapping measures come out as artefacts.",
            examples=["garman_klass"],
        ),
    ] = None
    intraday_nobs: Annotated[
        int | None,
        Field(
            ge=1,
            le=MAX_INTRADAY_NOBS,
            description="Intraday returns behind each value, at most one a second: a `measure` "
            "made of such returns needs it for its noise to be taken out. For a range, the number "
            "of trades or price steps in the session; without it anything from 96 up is assumed.",
            examples=[24],
        ),
    ] = None

    _one_form = model_validator(mode="after")(
        one_of(
            ("rv",),
            ("rv", "dates", "calendar"),
            ("log_volatility",),
            message="give either rv, or rv with dates and calendar, or log_volatility",
            nothing="neither",
        )
    )


class PointAnswer(TypedDict):
    """One point of the log-log line that an exponent is read from."""

    scale: Annotated[float, Field(description="Sessions.")]
    value: Annotated[float, Field(description="The statistic at that scale, as measured.")]
    corrected: Annotated[float, Field(description="The statistic that the line is fitted through.")]
    fitted: Annotated[float | None, Field(description="The line at that scale; null without one.")]


class EstimateAnswer(TypedDict):
    """One estimator's answer."""

    estimator: Annotated[str, Field(examples=["variogram"])]
    hurst: Annotated[float | None, Field(description="Null where there is none; see `reason`.")]
    standard_error: float | None
    interval: Annotated[
        list[float] | None,
        Field(description="Every exponent that the estimate does not reject at `level`."),
    ]
    level: Annotated[float, Field(description="Nominal coverage of `interval`.")]
    bias_at_estimate: Annotated[
        float | None,
        Field(
            description="Mean error on simulated paths like this one; taken out of `interval`, "
            "not of `hurst`."
        ),
    ]
    fit_r_squared: float | None
    points: list[PointAnswer]
    reason: Annotated[str | None, Field(description="Why there is no estimate.")]


LogLikelihood = Annotated[
    float, Field(description="In nats, up to a constant that all models share.")
]
NoiseVariance = Annotated[
    float, Field(description="Of the measurement, in one value of log volatility.")
]


class FractionalAnswer(TypedDict):
    """Fractional noise that reverts to a mean, seen with noise."""

    log_likelihood: LogLikelihood
    hurst: float
    reversion: Annotated[float, Field(description="Rate of mean reversion per session.")]
    variance: Annotated[float, Field(description="Of one session's driving noise.")]
    noise_variance: NoiseVariance


class FactorsAnswer(TypedDict):
    """Brownian factors that revert to a mean, seen with noise."""

    log_likelihood: LogLikelihood
    reversion: Annotated[
        list[float], Field(description="Rates of mean reversion per session, fastest first.")
    ]
    variance: Annotated[list[float], Field(description="Of each factor's innovation.")]
    noise_variance: NoiseVariance


class HarAnswer(TypedDict):
    """A heterogeneous autoregression, seen with noise."""

    log_likelihood: LogLikelihood
    coefficients: Annotated[list[float], Field(description="Of the day, the week and the month.")]
    variance: Annotated[float, Field(description="Of the innovation.")]
    noise_variance: NoiseVariance


class ComparisonAnswer(TypedDict):
    """A fractional model against models of a few scales, by likelihood."""

    noise_bounds: Annotated[
        list[float | None],
        Field(
            min_length=2,
            max_length=2,
            description="Least and largest variance of the measurement noise in all models; null "
            "for no upper limit.",
        ),
    ]
    declared_misfit: Annotated[
        float,
        Field(
            description="Log likelihood that the bounds of the measure's noise cost; above the "
            "log of `nobs` less 4.3 they are given up."
        ),
    ]
    fractional: FractionalAnswer
    one_factor: FactorsAnswer
    two_factors: FactorsAnswer
    har: HarAnswer
    over_one_factor: Annotated[
        float,
        Field(description="Log likelihood of the fractional model less that of one factor."),
    ]
    over_two_factors: Annotated[
        float,
        Field(description="Log likelihood of the fractional model less that of two factors."),
    ]
    over_har: Annotated[
        float,
        Field(description="Log likelihood of the fractional model less that of the HAR model."),
    ]
    margin: Annotated[
        float, Field(description="What `rough` asks of `over_two_factors` and `over_har`.")
    ]


class CalendarAnswer(TypedDict):
    """Effects of weekday and half day, taken out of the series before anything else."""

    effects: Annotated[
        dict[str, float],
        Field(
            description="Additions to log rv by kind of session.",
            examples=[{"monday": 0.05, "saturday": -0.27}],
        ),
    ]
    share: Annotated[
        float, Field(description="Of the mean square of one-session changes.", examples=[0.02])
    ]


class HurstAnswer(TypedDict):
    """Whether log volatility is rough, by every estimator, and a verdict."""

    asset: Annotated[str | None, Field(description="Null for a series that was sent.")]
    as_of: AsOf
    nobs: Nobs
    measure: Annotated[str | None, Field(description="Null where the request does not say.")]
    estimates: list[EstimateAnswer]
    hurst: Annotated[
        float | None,
        Field(
            description="The exponent to quote; null where no estimate describes volatility.",
            examples=[0.11],
        ),
    ]
    headline_estimator: Annotated[
        str | None, Field(description="The estimator that `hurst` is from.", examples=["whittle"])
    ]
    upper_bound: Annotated[
        float,
        Field(
            description="Largest exponent left when noise and mean reversion of unknown size are "
            "allowed for."
        ),
    ]
    comparison: ComparisonAnswer
    calendar: Annotated[
        CalendarAnswer | None, Field(description="Null for a series without dates.")
    ]
    weekly_cycle: Annotated[
        int | None,
        Field(
            description="Sessions in the week that the series still repeats itself with; null if "
            "no cycle shows. With one the verdict is never `rough`."
        ),
    ]
    verdict: Literal["rough", "not_rough", "several_scales", "artefact", "inconclusive"]
    reason: str
    warnings: Warnings
