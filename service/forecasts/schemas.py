"""What ``POST /forecast`` and ``POST /forecast/batch`` answer."""

from datetime import date
from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from service.forecasts.explanations import ExplanationAnswer
from service.forecasts.requests import Level, Probability
from service.http.fields import (
    AsOf,
    Horizon,
    Measure,
    Nobs,
    Rv,
    Volatility,
    VolatilityAnnualized,
    Warnings,
)
from service.http.problems import Problem
from service.models.skill import ENOUGH, Source

Bounds = Annotated[list[float], Field(min_length=2, max_length=2)]


class IntervalAnswer(TypedDict):
    """An interval, and how often such intervals have held."""

    level: Level
    rv: Annotated[Bounds, Field(description="Lower and upper bound, decimal² per day.")]
    volatility_annualized: Annotated[
        Bounds,
        Field(description="Lower and upper bound, decimal per year.", examples=[[0.47, 1.18]]),
    ]
    coverage_observed: Annotated[
        float | None,
        Field(
            description="Share of past out-of-sample forecasts whose interval held; null if there "
            "were too few.",
            examples=[0.81],
        ),
    ]
    nobs: Annotated[int, Field(description="Forecasts behind `coverage_observed`.", examples=[250])]
    observed: Annotated[
        Source,
        Field(
            description="Where: on the test part when the model was published or, once at least "
            f"{ENOUGH} outcomes are known, on `live` forecasts of this service."
        ),
    ]


class QuantileAnswer(TypedDict):
    """What the outcome stays below with a probability."""

    probability: Probability
    rv: Rv
    volatility_annualized: VolatilityAnnualized


class CalibrationAnswer(TypedDict):
    """The past errors of the model that the intervals are made of, the newest there are."""

    nobs: Annotated[int, Field(description="How many.", examples=[500])]
    effective_nobs: Annotated[
        int,
        Field(
            description="How many errors that share no session they are worth: 2 nobs / (horizon + "
            "1). Where these are few, the bounds at 95 % and more are nearly the farthest errors "
            "there were, and as uncertain.",
            examples=[500],
        ),
    ]
    from_history: Annotated[
        int,
        Field(
            description="How many of them are of sessions of the history, held or sent with dates, "
            "that came after the model was fitted. The others are of the model's walk-forward "
            "evaluation.",
            examples=[0],
        ),
    ]
    through: Annotated[date, Field(description="The last session of which the error is known.")]


class MarginAnswer(TypedDict):
    """How far a model is from another, out of sample, on the same dates."""

    qlike_ratio: Annotated[float, Field(description="QLIKE over that of the other.")]
    dm_pvalue: Annotated[float, Field(description="Two-sided, of equal QLIKE.")]


class Skill(TypedDict):
    """How this model did against a baseline, out of sample, on the same dates."""

    baseline: Annotated[str, Field(examples=["har"])]
    qlike_ratio: Annotated[
        float | None,
        Field(
            description="QLIKE of the model over that of the baseline: below 1 is better; null if "
            "that of the baseline is 0."
        ),
    ]
    dm_pvalue: Annotated[
        float | None,
        Field(
            description="Two-sided p-value of Diebold-Mariano against the baseline; null for the "
            "baseline itself."
        ),
    ]
    in_confidence_set: Annotated[
        bool | None,
        Field(
            description="Whether the 90 % model confidence set holds the model; null where it is "
            "judged by live forecasts, of which no set is made."
        ),
    ]
    nobs: Nobs
    span: Annotated[
        list[date],
        Field(
            min_length=2, max_length=2, description="First and last target date of the comparison."
        ),
    ]
    calendar_log_har: Annotated[
        MarginAnswer | None,
        Field(
            description="The same against calendar-adjusted log-HAR; null for itself, and where it "
            "is not in service."
        ),
    ]
    source: Annotated[
        Source,
        Field(
            description="Which forecasts: those of the test part or, once at least "
            f"{ENOUGH} outcomes are known, `live` ones."
        ),
    ]


class Shared(TypedDict):
    """What forecasts of one model from one history share, whatever the horizon."""

    asset: Annotated[
        str | None, Field(description="As asked; null if none was named.", examples=["BTC-USD"])
    ]
    model: Annotated[str, Field(description="The model that answered.", examples=["log_har"])]
    model_version: Annotated[
        int, Field(ge=1, description="Its version in the store.", examples=[1])
    ]
    model_sha256: Annotated[
        str, Field(pattern="^[0-9a-f]{64}$", description="Digest of the whole artifact.")
    ]
    as_of: AsOf
    target_date: Annotated[
        date | None,
        Field(
            description="Session that is forecast, the first of several at a longer horizon; null "
            "for a history without dates."
        ),
    ]
    measure: Measure
    point: Annotated[
        str, Field(description="What of the distribution `rv` estimates.", examples=["mean"])
    ]
    stale_sessions: Annotated[
        int | None,
        Field(
            description="Sessions that have closed since `as_of` (with the request's `as_of`: by "
            "that day); null for a history without dates."
        ),
    ]
    missing_sessions: Annotated[
        int | None,
        Field(
            description="Sessions without data inside the window used; null for a history without "
            "dates."
        ),
    ]
    degraded_reason: Annotated[
        str | None,
        Field(description="Why a model or version other than the intended one answered."),
    ]


class AtHorizon(TypedDict):
    """What a forecast says of one horizon."""

    horizon: Horizon
    forecast_id: Annotated[
        str,
        Field(
            pattern="^[0-9a-f]{32}$",
            description="Digest of artifact, data used, past errors, and what was asked for: the "
            "same question has the same id and the same numbers.",
        ),
    ]
    rv: Rv
    volatility: Volatility
    volatility_annualized: VolatilityAnnualized
    intervals: list[IntervalAnswer]
    quantiles: NotRequired[
        Annotated[list[QuantileAnswer], Field(description="Those asked for, if any were.")]
    ]
    explanation: NotRequired[
        Annotated[ExplanationAnswer, Field(description="What moved the forecast, if asked for.")]
    ]
    calibration: CalibrationAnswer
    skill: Annotated[
        Skill | None,
        Field(description="Null, with a warning that says why, if it is not known."),
    ]
    diagnostics: Annotated[
        dict[str, list[float]],
        Field(
            description="What a network shows of how it came to this forecast, by name: weights "
            "or probabilities. Empty for most models.",
            examples=[{"regime_probabilities": [0.1, 0.2, 0.7]}],
        ),
    ]
    warnings: Warnings


class ForecastAnswer(Shared, AtHorizon):
    """One forecast: what it is, from which model and data, and how far to trust it."""


class TermStructureAnswer(Shared):
    """Forecasts at several horizons, each the same as alone."""

    term_structure: Annotated[
        list[AtHorizon], Field(description="One for each of `horizons`, in their order.")
    ]


class BatchAnswer(TypedDict):
    """One answer for each item, in order."""

    failed: Annotated[int, Field(description="How many of the items are problems.")]
    items: Annotated[
        list[ForecastAnswer | TermStructureAnswer | Problem],
        Field(
            description="A forecast or a term structure, the same as `POST /forecast` gives, or a "
            "problem document (it has a `code`)."
        ),
    ]
