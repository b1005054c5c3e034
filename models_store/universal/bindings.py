"""What the model for every asset becomes, bound once to each kind, calendar and measure asked."""

from datetime import date

from models_store.runtime import LoadedModel
from models_store.universal.asset_model import UniversalAssetModel, bind
from models_store.universal.manifest import KindRecord
from models_store.universal.model import NAME, UniversalModel
from volatility.calendars import get_calendar
from volatility.errors import UnknownModel
from volatility.trailing import SESSIONS


class Bindings:
    """The model for every asset as the model of assets of a kind, on a calendar, by a measure.

    There are no more bindings than calendars times kinds, measures and recorded lengths of
    history, whatever assets are called: a binding knows no asset's name.

    Parameters
    ----------
    model : the artifact.
    """

    def __init__(self, model: UniversalModel) -> None:
        self._model = model
        self._bound: dict[tuple[str, str, str, int], UniversalAssetModel] = {}
        self._calendars: set[str] = set()  # of those
        self._standings: dict[tuple[str, int, int], str] = {}
        self._spans = {it.asset.casefold(): (it.start, it.end) for it in model.manifest.assets}

    @property
    def keys(self) -> list[tuple[str, str, str, int]]:
        """Kind, calendar, measure and recorded length of history of each."""
        return list(self._bound)

    def is_bound(self, calendar: str) -> bool:
        """Whether a calendar has been asked before, and need not be built."""
        return calendar in self._calendars

    def span_of(self, asset: str) -> tuple[date, date] | None:
        """First and last session of an asset of this name that it was fitted on, if of any.

        Upper and lower case count alike.
        """
        return self._spans.get(asset.casefold())

    def of(
        self, kind: str, calendar: str, measure: str, sessions: int = SESSIONS
    ) -> UniversalAssetModel:
        """The model of assets of a kind, with daily bars.

        Parameters
        ----------
        kind : one of :data:`volatility.scale_free.KINDS`.
        calendar : its name.
        measure : of rv.
        sessions : of an asset's history.

        Raises
        ------
        UnknownModel : it was fitted on no such measure.
        UnknownCalendar : there is none of the name.
        """
        manifest = self._model.manifest
        if measure not in manifest.measures:
            measures = " and ".join(manifest.measures)
            raise UnknownModel(
                f"{NAME} was fitted on {measures}; got an asset that is measured by {measure}",
                field="model",
                found=NAME,
                needed=f"an asset that is measured by {measures}",
            )
        recorded = manifest.recorded_sessions(kind, sessions)
        key = kind, get_calendar(calendar).name, measure, recorded
        if key not in self._bound:
            self._bound[key] = bind(self._model, NAME, *key)
            self._calendars.add(key[1])
        return self._bound[key]

    def standing(self, model: LoadedModel, horizon: int) -> str:
        """How such a model did on assets of a kind that its fits had not seen, in words.

        Said once of each binding: the artifact stays the one that it is.
        """
        assert isinstance(model, UniversalAssetModel)
        key = model.kind, model.sessions, horizon
        said = self._standings.get(key)
        if said is None:
            said = self._standings[key] = self._say_standing(model, horizon)
        return said

    def _say_standing(self, model: UniversalAssetModel, horizon: int) -> str:
        manifest = self._model.manifest
        record = manifest.records(model.kind, model.sessions)[horizon]
        whole = model.sessions == manifest.lookback
        seen = "all their bars" if whole else f"their newest {model.sessions} bars alone"
        has_such = any(it.kind == model.kind for it in manifest.assets)
        none = "" if has_such else ", none"
        return _standing(record, f"assets{none} of the kind {model.kind}", seen, horizon)


def _standing(record: KindRecord, whose: str, seen: str, horizon: int) -> str:
    percent = 100 * record.log_har_change
    side = "below" if percent < 0 else "above"
    ahead = "1 session" if horizon == 1 else f"{horizon} sessions"
    start, end = record.evaluation.test_start, record.evaluation.test_end
    return (
        f"how {NAME} does on this asset is not known; on {record.assets} {whose}, left out of its "
        f"fits and with {seen}, its QLIKE at {ahead} was {abs(percent):.1f} % {side} that "
        f"of each one's own log-HAR, {start} to {end}"
    )
