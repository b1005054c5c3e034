"""Which histories the operator lets be forecast from."""

from typing import NamedTuple

from models_store import LoadedModel
from service.http.errors import HistoryIncomplete, HistoryStale
from service.settings import Settings
from volatility.series import DatedSeries, RealizedSeries


class HistoryPolicy(NamedTuple):
    """Bounds on the age and the gaps of a history that has dates; None where there is none.

    Parameters
    ----------
    most_stale : sessions that may have closed since its last one.
    most_missing : sessions that may be missing between those that the model sees.
    """

    most_stale: int | None
    most_missing: int | None

    @classmethod
    def of(cls, settings: Settings) -> "HistoryPolicy | None":
        """What is set, if anything is."""
        bounds = settings.max_stale_sessions, settings.max_missing_sessions
        return None if bounds == (None, None) else cls(*bounds)

    def check(self, history: RealizedSeries, stale: int | None, model: LoadedModel) -> None:
        """Refuse a history that is out of bounds.

        Parameters
        ----------
        history : in the model's measure.
        stale : sessions that have closed since its last one.
        model : that is to forecast from it.

        Raises
        ------
        HistoryStale, HistoryIncomplete : it is.
        """
        if not isinstance(history, DatedSeries) or not len(history):
            return
        if self.most_stale is not None and stale is not None and stale > self.most_stale:
            raise HistoryStale(
                f"the history ends on {history.dates[-1]}, and {stale} sessions have closed since; "
                f"this service forecasts where at most {self.most_stale} have "
                "(ROUGHCAST_MAX_STALE_SESSIONS)",
                field="history",
                found=stale,
                needed=f"at most {self.most_stale} sessions closed since its last one",
            )
        if self.most_missing is None:
            return
        seen = history.dates[-model.window_sessions :]
        missing = len(model.calendar.missing_sessions(seen))
        if missing > self.most_missing:
            raise HistoryIncomplete(
                f"{missing} sessions are missing between {seen[0]} and {seen[-1]}, of which "
                f"{model.manifest.model} sees {len(seen)}; this service forecasts where at most "
                f"{self.most_missing} are (ROUGHCAST_MAX_MISSING_SESSIONS)",
                field="history",
                found=missing,
                needed=f"at most {self.most_missing} sessions missing",
            )
