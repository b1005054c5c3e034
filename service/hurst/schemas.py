"""``GET /hurst/{asset}`` and ``POST /hurst``."""

from typing import Annotated, Literal

from pydantic import Field, model_validator
from typing_extensions import TypedDict

from service.http.bodies import one_of
from service.http.fields import AsOf, Nobs, RequestBody, RvInput, Warnings
from volatility.bars import DAILY

MAX_INTRADAY_NOBS = DAILY


class HurstRequest(RequestBody):
    """A series to examine: ``rv`` or ``log_volatility``."""

    rv: RvInput = None
    log_volatility: Annotated[
        list[float] | None,
        Field(description="Log of each session's volatility, oldest first."),
    ] = None
    measure: Annotated[
        str | None,
        Field(
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
            "made of such returns needs it for its noise to be taken out; others do not use it.",
            examples=[24],
        ),
    ] = None

    _one_form = model_validator(mode="after")(
        one_of(
            ("rv",),
            ("log_volatility",),
            message="give either rv or log_volatility",
            nothing="neither",
        )
    )


class PointAnswer(TypedDict):
    """One point of the log-log line that an exponent is read from."""

    scale: Annotated[float, Field(description="Sessions.")]
    value: Annotated[float, Field(description="The statistic at that scale, as measured.")]
    corrected: Annotated[float, Field(description="The statistic that the line is fitted through.")]


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
    verdict: Literal["rough", "not_rough", "artefact", "inconclusive"]
    reason: str
    warnings: Warnings
