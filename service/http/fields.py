"""Types of fields that several features share, and the base of request bodies."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import Path, Query
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic_core import PydanticCustomError, core_schema

MAX_VALUES = 100_000  # of one list of a request
MAX_NAME = (
    64  # characters of what an asset, a model or a measure is called: what the database holds
)
_LONGEST_LIST = 4_096  # characters of text of values separated by commas
_LENGTH_OF_DATE = len("2021-10-26")


class _AsWritten:
    """Reads a date from text alone; pydantic would take digits for seconds since 1970.

    Made of pydantic's own parts, since a function called for each of some hundred bars takes as
    long as all the rest of reading them.
    """

    @staticmethod
    def __get_pydantic_core_schema__(
        _source: object, _handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        text = core_schema.str_schema(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", strict=True)
        return core_schema.custom_error_schema(
            core_schema.chain_schema([text, core_schema.date_schema(strict=False)]),
            custom_error_type="date_not_as_written",
            custom_error_message="Input should be a valid date written YYYY-MM-DD",
        )

    @staticmethod
    def __get_pydantic_json_schema__(
        _schema: core_schema.CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, str]:
        return {"type": "string", "format": "date"}


@dataclass(frozen=True)
class Listed:
    """Text of values separated by commas, as a query has them.

    Parameters
    ----------
    pattern : of the text.
    needed : what to say of text that is not so.
    """

    pattern: str
    needed: str

    def __get_pydantic_core_schema__(
        self, _source: object, _handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.custom_error_schema(
            core_schema.str_schema(pattern=self.pattern, max_length=_LONGEST_LIST),
            custom_error_type="not_a_list",
            custom_error_message=f"Input should be {self.needed}",
        )

    def __get_pydantic_json_schema__(
        self, _schema: core_schema.CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, str | int]:
        return {"type": "string", "maxLength": _LONGEST_LIST, "pattern": self.pattern}


DECIMALS = Listed(
    r"^[0-9]{0,9}\.?[0-9]{1,17}(,[0-9]{0,9}\.?[0-9]{1,17})*$",
    "numbers separated by commas, such as 0.8,0.95",
)


def _time_as_written(value: object) -> object:
    """Read a date with a time from text; pydantic would take digits for seconds since 1970."""
    if not isinstance(value, str):
        return value
    if len(value) > _LENGTH_OF_DATE and value[4] == value[7] == "-":
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass
    raise PydanticCustomError(
        "datetime_parsing",
        "Input should be a valid date and time of ISO 8601, such as 2021-10-26T13:00:00Z",
    )


def _day_or_time_as_written(value: object) -> object:
    if isinstance(value, str) and len(value) == _LENGTH_OF_DATE and value[4] == value[7] == "-":
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    return _time_as_written(value)


Day = Annotated[date, _AsWritten]
Time = Annotated[datetime, BeforeValidator(_time_as_written)]
DayOrTime = Annotated[date | datetime, BeforeValidator(_day_or_time_as_written)]


class RequestBody(BaseModel):
    """A request body: nothing is converted, nothing unknown is passed over."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


AssetName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_NAME,
        description="Asset, as in `GET /assets`.",
        examples=["BTC-USD"],
    ),
]
NamePath = Annotated[str, Path(max_length=MAX_NAME)]  # of an asset or a model
ModelQuery = Annotated[
    str, Query(min_length=1, max_length=MAX_NAME, description="As in `POST /forecast`.")
]
Kind = Annotated[
    Literal["stock", "etf", "index", "fx", "crypto"],
    Field(description="What is traded: by it the model for every asset tells assets apart."),
]
Horizon = Annotated[int, Field(description="Sessions ahead.", examples=[1])]
AsOf = Annotated[
    date | None,
    Field(
        description="Last session whose data were used; null for a history without dates.",
        examples=["2021-10-27"],
    ),
]
Measure = Annotated[
    str,
    Field(
        description="Estimator that made `rv` from bars: losses and levels of different measures "
        "do not compare.",
        examples=["garman_klass"],
    ),
]
Rv = Annotated[
    float,
    Field(
        description="Realized variance of a day's log returns, decimal² per day, not annualized.",
        examples=[0.00163],
    ),
]
Volatility = Annotated[
    float, Field(description="Square root of `rv`, decimal per day.", examples=[0.0404])
]
VolatilityAnnualized = Annotated[
    float,
    Field(
        description="Square root of `rv` times sessions per year (252 for XNYS, 365 for 24/7), "
        "decimal per year.",
        examples=[0.771],
    ),
]
Nobs = Annotated[int, Field(description="Number of observations.", examples=[631])]
Warnings = Annotated[
    list[str], Field(description="What a careful reader should know about these numbers.")
]
RvInput = Annotated[
    list[float] | None,
    Field(
        max_length=MAX_VALUES,
        fail_fast=True,
        description="Realized variance of each session, oldest first, decimal² per day: 0.0004 is "
        "a 2 % day.",
        examples=[[0.0012, 0.0009, 0.0011]],
    ),
]
