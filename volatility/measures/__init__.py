"""Realized measures: what happened to the variance of a day's log returns.

``intraday`` and ``daily`` hold the estimators, ``columns`` what else a session's bars tell.
"""

from volatility.errors import UnknownMeasure
from volatility.measures.daily import DAILY_MEASURES
from volatility.measures.intraday import INTRADAY_MEASURES
from volatility.measures.measure import Measure

__all__ = ["MEASURES", "Measure"]


class _Measures(dict[str, Measure]):
    """Measures by name; a name that is not there raises :class:`UnknownMeasure`."""

    def __missing__(self, name: str) -> Measure:
        raise UnknownMeasure(
            f"there is no measure {name!r}; needed: one of {', '.join(self)}",
            field="measure",
            found=name,
            needed=f"one of {', '.join(self)}",
        )


MEASURES = _Measures({it.name: it for it in (*INTRADAY_MEASURES, *DAILY_MEASURES)})
