"""Hurst reports of held history, remembered until a bar comes in."""

from typing import Annotated

from service.assets.held import Held
from service.http.state import from_state
from volatility.hurst import HurstReport
from volatility.hurst.of_series import report_of


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
    return report_of(held.series(), held.calendar, held.session_nobs)
