"""Hurst reports of held history, remembered until a bar comes in."""

from typing import Annotated

from service.assets.held import Held
from service.http.state import from_state
from volatility.hurst import HurstReport, report
from volatility.measures import MEASURES
from volatility.seasonality import day_classes


class HurstReports:
    """The report of each held asset, of its newest revision."""

    def __init__(self) -> None:
        self._remembered: dict[str, tuple[int, HurstReport]] = {}

    def report(self, held: Held) -> HurstReport:
        """Every estimator on the log volatility of an asset.

        Raises
        ------
        HistoryTooShort : too little is held of it.
        """
        asset = held.asset.asset
        revision, remembered = self._remembered.get(asset, (0, None))
        if remembered is not None and revision == held.revision:
            return remembered
        found = _report(held)
        self._remembered[asset] = (held.revision, found)
        return found


HurstReportsDep = Annotated[HurstReports, from_state("hurst_reports")]


def _report(held: Held) -> HurstReport:
    series = held.series()
    intraday = MEASURES[series.measure].bars == "intraday"
    return report(
        0.5 * series.log_rv,
        measure=series.measure,
        intraday_nobs=held.session_nobs if intraday else None,
        day_classes=day_classes(series.dates, held.calendar),
    )
