"""What the query of a request says of its bars: how they are written, and of which asset."""

from typing import Annotated, Literal

from fastapi import Depends, Query

from service.assets.newcomers import MEASURES, Described
from service.assets.schemas import MAX_CALENDAR
from service.http.fields import MAX_NAME, Kind, Listed
from volatility.formats.labels import FORMATS
from volatility.formats.reading import COLUMNS, Options, columns_from
from volatility.scale_free import USUAL_MEASURE

_INFERRED = " Left out, it is inferred from the dates, and a warning says so."
_ROLES = "|".join(COLUMNS)
_PAIR = rf"({_ROLES})=[^,=]{{1,64}}"
_COLUMNS = Listed(
    rf"^{_PAIR}(,{_PAIR}){{0,4}}$",
    "labels of columns by what they are, such as close=PX_LAST,time=When",
)
FormatQuery = Annotated[
    Literal[FORMATS],  # type: ignore[valid-type]
    Query(
        alias="format",
        description="Whose layout the bars have; another one is refused. Told by the names of "
        "columns where it is left out.",
    ),
]
DayfirstQuery = Annotated[
    bool | None,
    Query(description="Whether 01/02/2024 is the first of February. Needed if no day is above 12."),
]
DecimalQuery = Annotated[
    Literal[".", ","] | None,
    Query(description="What stands before the fraction of a price. Needed if all are as 1,234."),
]
PricesQuery = Annotated[
    Literal["raw", "adjusted"] | None,
    Query(
        description="Of a close beside an adjusted close: prices as they were paid, or all four "
        "times what the close was adjusted by. Needed where they differ."
    ),
]
TickerQuery = Annotated[
    str | None,
    Query(min_length=1, max_length=64, description="Which one is meant, of several in one body."),
]
ColumnsQuery = Annotated[
    Annotated[str, _COLUMNS] | None,
    Query(
        description="Labels of the columns, by what they are: open, high, low, close, time. Needed "
        "where several may be meant, or none is known.",
        examples=["close=PX_LAST,time=When"],
    ),
]


def _reading_options(
    layout: FormatQuery = "auto",
    dayfirst: DayfirstQuery = None,
    decimal: DecimalQuery = None,
    prices: PricesQuery = None,
    ticker: TickerQuery = None,
    columns: ColumnsQuery = None,
) -> Options:
    named = columns_from(columns.split(",")) if columns else {}
    return Options(layout, dayfirst, decimal, prices, ticker, named)


OptionsDep = Annotated[Options, Depends(_reading_options)]


def _described(
    calendar: Annotated[
        str | None,
        Query(min_length=1, max_length=MAX_CALENDAR, description="Of a new asset." + _INFERRED),
    ] = None,
    kind: Annotated[Kind | None, Query(description="Of a new asset." + _INFERRED)] = None,
    measure: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=MAX_NAME,
            description=f"Of a new asset: {' or '.join(MEASURES)}; {USUAL_MEASURE} if left out.",
        ),
    ] = None,
) -> Described:
    return Described(calendar, kind, measure)


DescribedDep = Annotated[Described, Depends(_described)]
