"""What ``POST /forecast`` and ``POST /forecast/batch`` are sent."""

from typing import Annotated

from pydantic import ConfigDict, Field, model_validator

from service.assets.schemas import MAX_BARS, MAX_CALENDAR, BarInput
from service.http.bodies import one_of
from service.http.fields import (
    MAX_NAME,
    MAX_VALUES,
    AssetName,
    Day,
    Horizon,
    Kind,
    RequestBody,
    RvInput,
    Time,
)
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


class HistoryInput(RequestBody):
    """History in the request itself: ``bars``, or ``rv`` with or without ``dates``."""

    bars: Annotated[
        list[BarInput] | None,
        Field(
            max_length=MAX_BARS,
            fail_fast=True,
            description="Bars of the asset's own interval, oldest first.",
        ),
    ] = None
    dates: Annotated[
        list[Day] | None,
        Field(max_length=MAX_VALUES, fail_fast=True, description="Session of each value of `rv`."),
    ] = None
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
            max_length=MAX_BARS,
            fail_fast=True,
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
            max_length=MAX_NAME,
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
            max_length=MAX_NAME,
            description="Model, as in `GET /models`; `auto` for the asset's champion; `universal` "
            "for the model for every asset, which needs daily bars.",
            examples=["auto", "har"],
        ),
    ] = AUTO
    model_version: Annotated[
        int | None,
        Field(
            ge=1,
            le=2**31 - 1,
            description="A version of the model named, serving or not; the one that serves if left "
            "out.",
            examples=[1],
        ),
    ] = None
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
            fail_fast=True,
            description="Several of them, instead of `horizon`: the answer is a term structure.",
            examples=[[1, 5, 10, 22]],
        ),
    ] = None
    levels: Annotated[
        tuple[Level, ...],
        Field(
            max_length=_MAX_LEVELS,
            fail_fast=True,
            description="Nominal coverages of the intervals wanted.",
        ),
    ] = (0.8, 0.95)
    quantiles: Annotated[
        tuple[Probability, ...],
        Field(
            max_length=_MAX_QUANTILES,
            fail_fast=True,
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
    known_at: Annotated[
        Time | None,
        Field(
            description="Replay from the held history as it was known at this time, before later "
            "bars and corrections; UTC where no offset is given. Without `as_of`, the last session "
            "that had closed by then. Not in batches.",
            examples=["2020-03-17T09:00:00Z"],
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


class BatchRequest(RequestBody):
    """Many questions at once."""

    items: Annotated[
        list[ForecastRequest],
        Field(
            max_length=MAX_BATCH,
            fail_fast=True,
            description="Each as in `POST /forecast`; a bad one fails alone. At most "
            f"{MAX_EXPLAINED:,} forecasts of a batch can be explained.",
            examples=[[{"asset": "BTC-USD"}, {"asset": "SPX", "model": "har"}]],
        ),
    ]
