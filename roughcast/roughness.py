"""Whether a series of realized variance is rough."""

from datetime import datetime
from typing import Any

import pandas as pd

from roughcast.frames import Described, GivenSeries, check_whole, moment
from roughcast.results.hurst import Estimate, HurstReport
from volatility.calendars import get_calendar
from volatility.hurst.of_series import report_of


def hurst(
    rv: "pd.Series[Any]",
    *,
    calendar: str | None = None,
    measure: str | None = None,
    intraday_nobs: int | None = None,
    now: datetime | None = None,
) -> HurstReport:
    """Estimate the Hurst exponent of log volatility six ways, and say what that amounts to.

    Parameters
    ----------
    rv : by date, as :func:`roughcast.measure` makes it.
    calendar, measure : as for :func:`roughcast.fit`. Of a measure that is not known the noise is
        not either, and estimates stay uncorrected.
    intraday_nobs : returns in a day, where rv is made of them.
    now : after which no session may close; the present if left out.

    Raises
    ------
    InvalidInput, HistoryTooShort : a series that cannot be used, or of too few sessions.

    Examples
    --------
    >>> import roughcast
    >>> report = roughcast.hurst(roughcast.measure(roughcast.dataset("SPX")))
    >>> report.verdict, f"{report.estimates[4].hurst:.2f}"
    ('...', '0...')
    """
    if intraday_nobs is not None:
        needed = "the number of returns in a day"
        check_whole(intraday_nobs, "intraday_nobs", needed, lambda it: it > 0)
    given = GivenSeries.of(rv, Described(calendar, None, measure), moment(now))
    found = report_of(given.series, get_calendar(given.calendar), intraday_nobs)
    estimates = [
        Estimate(
            estimator=it.estimator,
            hurst=it.hurst,
            standard_error=it.standard_error,
            interval=it.interval,
            level=it.level,
            points=tuple((point.scale, point.value) for point in it.points),
            reason=it.reason,
        )
        for it in found.estimates
    ]
    return HurstReport(
        asset=rv.attrs.get("asset"),
        nobs=found.nobs,
        measure=found.measure,
        hurst=found.hurst,
        headline_estimator=found.headline_estimator,
        upper_bound=found.upper_bound,
        verdict=found.verdict,
        reason=found.reason,
        estimates=tuple(estimates),
        warnings=(*given.notes, *found.warnings),
    )
