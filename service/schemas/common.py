"""Types that several routes share."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Request(BaseModel):
    """A request body: nothing is converted, nothing unknown is passed over."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


AssetName = Annotated[
    str, Field(min_length=1, description="Asset, as in `GET /assets`.", examples=["BTC-USD"])
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
