"""What KServe's time-series protocol says over HTTP, as far as it is spoken here."""

from datetime import date, datetime, time
from typing import Annotated, Any, Literal, NotRequired

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from service.forecasts.requests import Probability
from service.http.error_forms import TimeSeriesFault
from service.http.fields import MAX_VALUES, AsOf, Measure, RequestBody, Warnings
from service.protocols.schemas import ModelName

MAX_SERIES = 1_000
_MAX_QUANTILES = 99
_LONGEST_NAME = 200


def _as_session(value: object) -> object:
    """Read the day of a session, which may be written as its midnight in UTC."""
    if isinstance(value, str) and value[4:5] == value[7:8] == "-":
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            if moment.time() == time() and not moment.utcoffset():
                return moment.date()
    raise PydanticCustomError(
        "datetime_parsing",
        "Input should be the day of a session, or its midnight in UTC, such as "
        "2021-10-26T00:00:00Z, since a value of the series is one of a whole session",
    )


Univariate = Literal["univariate_time_series"]
Daily = Literal["D", "day"]


class SeriesInput(RequestBody):
    """One series."""

    type: Annotated[Univariate, Field(description="A series of more than `rv` is not read.")]
    name: Annotated[str, Field(max_length=_LONGEST_NAME, description="Comes back with the answer.")]
    series: Annotated[
        list[float],
        Field(
            max_length=MAX_VALUES,
            fail_fast=True,
            description="Realized variance of sessions that follow each other in the asset's "
            "calendar, oldest first, decimal² per day, in the measure of the asset: `history.rv` "
            "of `POST /forecast`.",
            examples=[[0.0012, 0.0009, 0.0011]],
        ),
    ]
    frequency: Annotated[Daily, Field(description="One value a session.")]
    start_timestamp: Annotated[
        date,
        BeforeValidator(_as_session, json_schema_input_type=datetime),
        Field(
            description="Session of the first value, at midnight in UTC.",
            examples=["2021-10-26T00:00:00Z"],
        ),
    ]


class SeriesOptions(RequestBody):
    """How far ahead, and what of the distribution."""

    horizon: Annotated[
        int, Field(description="Sessions ahead; one that the model forecasts.", examples=[1])
    ]
    quantiles: Annotated[
        tuple[Probability, ...] | None,
        Field(
            max_length=_MAX_QUANTILES,
            fail_fast=True,
            description="Probabilities, one session ahead.",
            examples=[[0.05, 0.5, 0.95]],
        ),
    ] = None


class SeriesRequest(RequestBody):
    """Series to forecast by one model."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "model": "SPX~har",
                    "inputs": [
                        {
                            "type": "univariate_time_series",
                            "name": "rv",
                            "series": [1e-4, 2e-4, 1e-4],
                            "frequency": "D",
                            "start_timestamp": "2020-03-16T00:00:00Z",
                        }
                    ],
                    "options": {"horizon": 1, "quantiles": [0.05, 0.95]},
                }
            ]
        }
    )

    model: ModelName
    inputs: Annotated[list[SeriesInput], Field(max_length=MAX_SERIES)]
    options: SeriesOptions
    metadata: Annotated[
        dict[str, Any] | None, Field(description="What the client notes; not looked at.")
    ] = None


class SeriesForecast(TypedDict):
    """The forecast of one series."""

    type: Univariate
    name: str
    mean_forecast: Annotated[
        list[float],
        Field(
            description="Realized variance of each session ahead, its mean. That of the first n of "
            "them together is what `POST /forecast` says n sessions ahead, for each n that the "
            "model forecasts; sessions between two such are taken to be alike."
        ),
    ]
    frequency: Daily
    start_timestamp: Annotated[
        str, Field(description="The first session ahead.", examples=["2021-10-28T00:00:00Z"])
    ]
    quantiles: NotRequired[
        Annotated[
            dict[str, list[float]], Field(description="By probability, if any were asked for.")
        ]
    ]


class SeriesOutput(TypedDict):
    """What became of one series."""

    type: Literal["time_series_forecast"]
    id: Annotated[str, Field(description="`forecast_id` of the furthest horizon.")]
    status: Literal["completed", "error"]
    content: Annotated[list[SeriesForecast], Field(description="One, or none of an error.")]
    error: TimeSeriesFault | None
    model: NotRequired[Annotated[ModelName, Field(description="That answered.")]]
    model_version: NotRequired[int]
    measure: NotRequired[Measure]
    as_of: NotRequired[AsOf]
    degraded_reason: NotRequired[str | None]
    warnings: NotRequired[Warnings]


class SeriesAnswer(TypedDict):
    """Forecasts, one a series, in order."""

    id: Annotated[str, Field(description="`X-Request-ID` of the request.")]
    created_at: Annotated[int, Field(description="Seconds since 1970.")]
    status: Annotated[
        Literal["completed", "partial"],
        Field(description="`partial` if some of several series could not be forecast."),
    ]
    error: None
    model: ModelName
    outputs: list[SeriesOutput]
