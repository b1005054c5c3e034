"""The horizons of a term structure."""

from collections.abc import Sequence

from service.forecasts.requests import ForecastRequest
from volatility.errors import UnsupportedHorizon


def check_horizons(request: ForecastRequest, horizons: Sequence[int]) -> None:
    """Refuse a list of horizons that does not say what is asked.

    Raises
    ------
    UnsupportedHorizon : ``ambiguous_horizon``, a single one is given too; ``duplicate_horizon``,
        one is in the list twice.
    """
    if "horizon" in request.model_fields_set:
        raise UnsupportedHorizon(
            "the request gives both horizon and horizons; leave one out",
            code="ambiguous_horizon",
            field="horizons",
            found=list(horizons),
            needed="either horizon or horizons",
        )
    once = list(dict.fromkeys(horizons))
    if len(once) < len(horizons):
        raise UnsupportedHorizon(
            f"horizons {list(horizons)} has one of them twice; each is forecast once",
            code="duplicate_horizon",
            field="horizons",
            found=list(horizons),
            needed=f"each horizon once, as in {once}",
        )
