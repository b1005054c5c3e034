"""``POST /forecast`` and ``POST /forecast/batch``."""

from datetime import date
from typing import Annotated, NotRequired

from pydantic import ConfigDict, Field, model_validator
from typing_extensions import TypedDict

from service.assets.schemas import MAX_CALENDAR, BarInput
from service.forecasts.explanations import ExplanationAnswer
from service.http.bodies import one_of
from service.http.fields import (
    AsOf,
    AssetName,
    Day,
    Horizon,
    Kind,
    Measure,
    Nobs,
    RequestBody,
    Rv,
    RvInput,
    Volatility,
    VolatilityAnnualized,
    Warnings,
)
from service.http.problems import Problem
from service.models.catalogue import AUTO

MAX_BATCH = 10_000
MAX_EXPLAINED = 1_000  # forecasts of a batch; of `combination` one adds 20 kB and 4 ms
_MAX_LEVELS = 16
_MAX_HORIZONS = 16
_MAX_QUANTILES = 99
_MAX_COMPANIONS = 8

Level = Annotated[float, Field(description="Nominal coverage, 0 to 1.", examples=[0.8])]
Probability = Annotated[
    float, Field(gt=0, lt=1, description="That the outcome stays below.", examples=[0.99])
]
Bounds = Annotated[list[float], Field(min_length=2, max_length=2)]


class HistoryInput(RequestBody):
    """History in the request itself: ``bars``, or ``rv`` with or without ``dates``."""

    bars: Annotated[
        list[BarInput] | None,
        Field(description="Bars of the asset's own interval, oldest first."),
    ] = None
    dates: Annotated[list[Day] | None, Field(description="Session of each value of `rv`.")] = None
    rv: RvInput = None

    _one_form = model_validator(mode="after")(
        one_of(
            ("bars",),
            ("dates", "rv"),
            ("rv",),
            message="give either bars, or rv, or rv with dates",
            nothing="none",
        )
    )


class CompanionInput(RequestBody):
    """Bars of a companion, such as the VIX."""

    bars: Annotated[
        list[BarInput],
        Field(
            min_length=1,
            description="Of the interval that the model was fitted with, oldest first. Of an "
            "index of implied volatility the closes alone count.",
        ),
    ]


class ForecastRequest(RequestBody):
    """What to forecast, and from which history."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"asset": "BTC-USD"},
                {"asset": "SPX", "model": "log_har", "levels": [0.8, 0.95], "as_of": "2020-03-16"},
                {"asset": "SPX", "model": "log_har", "horizons": [1]},
                {
                    "asset": "MINE",
                    "calendar": "24/7",
                    "kind": "crypto",
                    "history": {
                        "bars": [
                            {
                                "date": "2021-10-26",
                                "open": 63.1,
                                "high": 63.3,
                                "low": 59.8,
                                "close": 60.4,
                            }
                        ]
                    },
                },
            ]
        }
    )

    asset: Annotated[
        str | None,
        Field(
            min_length=1,
            description="Asset, as in `GET /assets`, or any other, or none, whose daily bars are "
            "in `history`: then the model for every asset, `universal`, answers.",
            examples=["BTC-USD"],
        ),
    ] = None
    calendar: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=MAX_CALENDAR,
            description="Of an asset that is not known: `24/7`, or a code of `exchange_calendars`. "
            "Left out, it is inferred from the dates, and a warning says so.",
            examples=["XNYS"],
        ),
    ] = None
    kind: Annotated[
        Kind | None,
        Field(description="Of an asset that is not known. Left out, that of most on the calendar."),
    ] = None
    model: Annotated[
        str,
        Field(
            min_length=1,
            description="Model, as in `GET /models`; `auto` for the asset's champion; `universal` "
            "for the model for every asset, which needs daily bars.",
            examples=["auto", "har"],
        ),
    ] = AUTO
    horizon: Annotated[
        int,
        Field(
            description="Sessions ahead: the forecast is the mean of so many. A model says in "
            "`GET /models` which it forecasts.",
            examples=[1],
        ),
    ] = 1
    horizons: Annotated[
        tuple[Horizon, ...] | None,
        Field(
            min_length=1,
            max_length=_MAX_HORIZONS,
            description="Several of them, instead of `horizon`: the answer is a term structure.",
            examples=[[1, 5, 10, 22]],
        ),
    ] = None
    levels: Annotated[
        tuple[Level, ...],
        Field(max_length=_MAX_LEVELS, description="Nominal coverages of the intervals wanted."),
    ] = (0.8, 0.95)
    quantiles: Annotated[
        tuple[Probability, ...],
        Field(
            max_length=_MAX_QUANTILES,
            description="Probabilities of the quantiles wanted. How far out they may be is told by "
            "the past errors: with 500 of them, and one session ahead, from 1/501 to 500/501.",
            examples=[[0.05, 0.5, 0.95]],
        ),
    ] = ()
    as_of: Annotated[
        Day | None,
        Field(
            description="Replay this day from held history, of which nothing later is used. The "
            "model is that of the last fit, and warnings say so where it has seen the day.",
            examples=["2020-03-16"],
        ),
    ] = None
    explain: Annotated[
        bool,
        Field(
            description="Whether to tell what moved the forecast: contributions that sum to it. "
            "The forecast and its id stay the same."
        ),
    ] = False
    history: Annotated[
        HistoryInput | None, Field(description="Leave it out to use the held history.")
    ] = None
    companions: Annotated[
        dict[AssetName, CompanionInput],
        Field(
            max_length=_MAX_COMPANIONS,
            description="Other series that the model looks at, by name, instead of those held. "
            "Where one is neither sent nor held, or was not known within five days, the model that "
            "does without answers, and `degraded_reason` says so.",
        ),
    ] = Field(default_factory=dict)


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


class QuantileAnswer(TypedDict):
    """What the outcome stays below with a probability."""

    probability: Probability
    rv: Rv
    volatility_annualized: VolatilityAnnualized


class CalibrationAnswer(TypedDict):
    """The past errors of the model that the intervals are made of, the newest there are."""

    nobs: Annotated[int, Field(description="How many.", examples=[250])]
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
        bool, Field(description="Whether the 90 % model confidence set holds the model.")
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
            description="The same against calendar-adjusted log-HAR, the hardest of the plain "
            "benchmarks; null for itself, and where it is not in service."
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


class BatchRequest(RequestBody):
    """Many questions at once."""

    items: Annotated[
        list[ForecastRequest],
        Field(
            max_length=MAX_BATCH,
            description="Each as in `POST /forecast`; a bad one fails alone. At most "
            f"{MAX_EXPLAINED:,} forecasts of a batch can be explained.",
            examples=[[{"asset": "BTC-USD"}, {"asset": "SPX", "model": "har"}]],
        ),
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
