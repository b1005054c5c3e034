"""``GET /compare/{asset}``."""

from datetime import date
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from service.http.fields import AssetName, Horizon, Measure, Nobs

Coverage = Annotated[
    dict[str, float | None],
    Field(
        description="By nominal level: share of target sessions inside the interval given at the "
        "time.",
        examples=[{"0.8": 0.79, "0.95": 0.95}],
    ),
]


class DieboldMarianoAnswer(TypedDict):
    """A test of equal QLIKE; HAC variance, Harvey-Leybourne-Newbold correction."""

    statistic: Annotated[
        float | None, Field(description="Negative where the model of the row is better.")
    ]
    pvalue: Annotated[float | None, Field(description="Two-sided.")]


class CompareRow(TypedDict):
    """How one model did, out of sample."""

    model: Annotated[str, Field(examples=["log_har"])]
    version: Annotated[int, Field(examples=[1])]
    qlike_loss: Annotated[
        float | None, Field(description="Mean of rv/f - log(rv/f) - 1; lower is better.")
    ]
    qlike_ratio: Annotated[
        float | None, Field(description="`qlike_loss` over that of the baseline.")
    ]
    rmse_volatility: Annotated[float | None, Field(description="Of volatility, decimal per day.")]
    mae_volatility: Annotated[float | None, Field(description="Of volatility, decimal per day.")]
    r_squared_log: Annotated[float | None, Field(description="Of log_rv.")]
    correlation_log: Annotated[float | None, Field(description="Of log_rv.")]
    interval_loss_log: Annotated[
        dict[str, float | None],
        Field(description="By nominal level: interval score of log_rv; lower is better."),
    ]
    coverage: Coverage
    coverage_by_tercile: Annotated[
        dict[str, list[float | None]],
        Field(
            description="By nominal level: coverage in the lowest, middle and highest third of "
            "forecasts."
        ),
    ]
    coverage_nobs: Annotated[int, Field(description="Sessions behind the coverages.")]
    diebold_mariano: Annotated[
        dict[str, DieboldMarianoAnswer], Field(description="By the model tested against.")
    ]
    in_confidence_set: Annotated[
        bool, Field(description="Whether the model may be the best, at the confidence level.")
    ]
    confidence_set_pvalue: float | None
    information_lag: Annotated[
        int | None,
        Field(
            description="Sessions from the newest news in a forecast to its target: 1 for an "
            "honest forecast one session ahead; null where it cannot be told."
        ),
    ]
    refit_every: Annotated[
        int, Field(description="Sessions between two fits in the walk-forward.", examples=[22])
    ]


class ExcludedAnswer(TypedDict):
    """A model that is left out, and why."""

    model: str
    version: int | None
    reason: str


class CompareAnswer(TypedDict):
    """Every model of an asset on the same target dates, the lowest QLIKE first."""

    asset: AssetName
    measure: Measure
    horizon: Horizon
    baseline: Annotated[str, Field(description="The model that ratios refer to.")]
    span: Annotated[
        list[date], Field(min_length=2, max_length=2, description="First and last target date.")
    ]
    nobs: Nobs
    protocol: Annotated[str, Field(description="How the forecasts were made and scored.")]
    confidence_level: Annotated[float, Field(description="Of the model confidence set.")]
    rows: list[CompareRow]
    excluded: list[ExcludedAnswer]
