"""The report of a series of realized variance."""

from volatility.calendars import Calendar
from volatility.errors import InvalidInput
from volatility.hurst.estimate import about_rv
from volatility.hurst.report import HurstReport, report
from volatility.measures import MEASURES
from volatility.seasonality import day_classes
from volatility.series import DatedSeries


def report_of(
    series: DatedSeries, calendar: Calendar, intraday_nobs: int | None = None
) -> HurstReport:
    """Every estimator on the log volatility of a series, and a verdict.

    Parameters
    ----------
    series : of sessions whose effects, by weekday and half day, are taken out first.
    calendar : of the sessions.
    intraday_nobs : returns in a day; looked at only where the measure is made of them.

    Raises
    ------
    InvalidInput, HistoryTooShort, ConstantSeries : see :func:`volatility.hurst.report.report`.
    """
    known = MEASURES.get(series.measure)
    try:
        return report(
            0.5 * series.log_rv,
            measure=series.measure if known else None,
            intraday_nobs=intraday_nobs if known and known.bars == "intraday" else None,
            day_classes=day_classes(series.dates, calendar),
        )
    except InvalidInput as error:
        raise about_rv(error, series.rv) from None
