"""What the ledger tells: one forecast, its replay, and how an asset's models did live."""

from dataclasses import dataclass
from datetime import date, timedelta

from models_store import ArtifactRefused, Evidence
from models_store.names import UNIVERSAL
from service.assets.held import Held
from service.assets.holdings import Holdings
from service.forecasts.query import Questions
from service.http.errors import UnknownForecast
from service.ledger.performance import Performance, performance_of
from service.ledger.recorder import Recorder
from service.ledger.records import Record
from service.ledger.replaying import Replayed, replay
from service.ledger.scoring import Scored, Track, score, tracks_of
from service.ledger.shadows import BENCHMARKS
from service.ledger.store import LedgerStore
from service.models.catalogue import Catalogue
from volatility.errors import NoHistory, NotFound

WINDOW = timedelta(days=1_096)  # the target dates that count, where no others are asked for


def _last_target(held: Held) -> date:
    """The session after the last one that is held, which forecasts of now are of."""
    sessions = held.sessions()
    if not len(sessions):
        return date.max
    following = held.calendar.position(sessions[-1]) + 1
    found: date = held.calendar.session_dates[following].item()
    return found


@dataclass(frozen=True)
class Ledger:
    """The ledger with what it takes to read it.

    Every method raises :class:`service.http.errors.DatabaseUnavailable` if the database does not
    answer, or not in time.

    Parameters
    ----------
    store, recorder : what is written, and what is about to be.
    questions : by which a forecast is made again.
    holdings : outcomes.
    catalogue : what was promised.
    """

    store: LedgerStore
    recorder: Recorder
    questions: Questions
    holdings: Holdings
    catalogue: Catalogue

    def find(self, forecast_id: str) -> Record:
        """A recorded forecast.

        Raises
        ------
        UnknownForecast : none has this id.
        """
        self.recorder.flush()
        found = self.store.get(forecast_id)
        if found is None:
            raise UnknownForecast(
                f"no forecast {forecast_id} is recorded",
                field="forecast_id",
                found=forecast_id,
                needed="the forecast_id of an answer from held history",
            )
        return found

    def outcome(self, record: Record) -> Scored | None:
        """A forecast with its outcome, if it has one by now; None of an asset not held."""
        held = self.holdings.find(record.asset)
        [track] = tracks_of([record])
        return None if held is None else score(track, held, record.horizon)

    def replay(self, forecast_id: str) -> Replayed:
        """A recorded forecast made again.

        Raises
        ------
        UnknownForecast : none has this id.
        NotReplayable : its bars were deleted, or its version was.
        """
        return replay(self.find(forecast_id), self.questions, self.holdings)

    def performance(
        self, asset: str, horizon: int, start: date | None = None, end: date | None = None
    ) -> list[Performance]:
        """How each version of each model did live.

        Parameters
        ----------
        asset : that is held.
        horizon : sessions ahead.
        start, end : first and last target date, both included; by default the last three years up
            to the newest session that is held.

        Raises
        ------
        NoHistory : the asset is not held.
        """
        held = self.holdings.find(asset)
        if held is None:
            raise NoHistory(
                f"no history is held for {asset}", field="asset", found=asset, needed="a held asset"
            )
        self.recorder.flush()
        last = end or _last_target(held)
        records = self.store.live(asset, horizon, start or last - WINDOW, last)
        scored = [score(it, held, horizon) for it in tracks_of(records)]
        benchmarks = {name: [it for it in scored if it.track.model == name] for name in BENCHMARKS}
        return [
            performance_of(it, benchmarks, self._promise(asset, it.track), horizon, held)
            for it in scored
        ]

    def _promise(self, asset: str, track: Track) -> Evidence | None:
        """What a version said of itself; None where it cannot be read, or is another by now."""
        found = self._evidence(asset, track)
        return found if found is not None and found.sha256 == track.sha256 else None

    def _evidence(self, asset: str, track: Track) -> Evidence | None:
        universal, held = self.catalogue.universal, self.holdings.find(asset)
        serves = universal.model is not None and universal.model.sha256 == track.sha256
        if track.model == UNIVERSAL and serves and held is not None:
            sessions = len(held.sessions())
            return universal.bound(held.asset.kind, held.asset.calendar, track.measure, sessions)
        try:
            return self.catalogue.store.evidence(asset, track.model, track.version)
        except (NotFound, ArtifactRefused):
            return None
