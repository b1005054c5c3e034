"""Bars and series as they come in."""

from typing import Annotated, NotRequired

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from service.http.fields import Day, Request, Time

Price = Annotated[float, Field(description="In the asset's currency.", examples=[60363.7])]


class BarInput(TypedDict):
    """One OHLC bar: with ``date`` if it spans a session, with ``timestamp`` if it is shorter."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)  # type: ignore[misc]

    date: NotRequired[
        Annotated[
            Day,
            Field(description="Session of a daily bar.", examples=["2021-10-26"]),
        ]
    ]
    timestamp: NotRequired[
        Annotated[
            Time,
            Field(description="Opening time of a shorter bar; UTC where no offset is given."),
        ]
    ]
    open: Price
    high: Price
    low: Price
    close: Price


RvInput = Annotated[
    list[float] | None,
    Field(
        description="Realized variance of each session, oldest first, decimal² per day: 0.0004 is "
        "a 2 % day.",
        examples=[[0.0012, 0.0009, 0.0011]],
    ),
]


class HistoryInput(Request):
    """History in the request itself: ``bars``, or ``rv`` with or without ``dates``."""

    bars: Annotated[
        list[BarInput] | None,
        Field(description="Bars of the asset's own interval, oldest first."),
    ] = None
    dates: Annotated[list[Day] | None, Field(description="Session of each value of `rv`.")] = None
    rv: RvInput = None

    @model_validator(mode="after")
    def _one_form(self) -> "HistoryInput":
        given = {name for name in ("bars", "dates", "rv") if getattr(self, name) is not None}
        if given not in ({"bars"}, {"rv"}, {"dates", "rv"}):
            raise PydanticCustomError(
                "invalid_value",
                "give either bars, or rv, or rv with dates; got {found}",
                {"code": "ambiguous_history", "found": " and ".join(sorted(given)) or "none"},
            )
        return self


class BarsInput(Request):
    """Bars to add to the held history."""

    bars: Annotated[
        list[BarInput],
        Field(
            description="Bars of the asset's own interval, oldest first.",
            examples=[
                [
                    {
                        "date": "2021-10-28",
                        "open": 58470.7,
                        "high": 62128.6,
                        "low": 57820.0,
                        "close": 60622.1,
                    }
                ]
            ],
        ),
    ]
