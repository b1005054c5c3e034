"""How models do live, found out behind the answers that tell it."""

import math
import threading
import time

import numpy as np
import structlog

from models_store import LoadedModel
from service.assets.held import Held
from service.assets.holdings import Holdings
from service.http.errors import DatabaseUnavailable
from service.ledger.performance import Against, Performance
from service.ledger.reading import Ledger
from service.models.skill import ENOUGH, HARDEST, LiveStanding, ModelSkill
from volatility.errors import RoughcastError

log = structlog.get_logger("service")

_BETWEEN = 1.0  # seconds between two looks for new bars
_SETTLING = 5.0  # seconds after which other processes have written what they answered
_LISTING = 60.0  # seconds between two looks for assets that other processes forecast
_STOPPING = 2.0  # seconds that a stop waits for a look under way
_BASELINE = "har"
_Key = tuple[str, str, int, str]  # asset, model, horizon, digest


class LiveScores:
    """What live forecasts of each asset are worth, as of its newest bars.

    Attributes
    ----------
    performances : by asset and horizon; of those that have live forecasts.
    """

    def __init__(self, holdings: Holdings) -> None:
        self._holdings = holdings
        self.performances: dict[tuple[str, int], list[Performance]] = {}
        self._standings: dict[_Key, LiveStanding] = {}

    def of(self, asset: str, model: LoadedModel, horizon: int) -> LiveStanding | None:
        """How a model of an asset did live; None while there are too few outcomes."""
        if not self._standings:
            return None
        return self._standings.get((asset, model.manifest.model, horizon, model.sha256))

    def refresh(self, asset: str, ledger: Ledger) -> None:
        """Find out anew what the live forecasts of an asset are worth.

        Raises
        ------
        DatabaseUnavailable : the database does not answer, or not in time.
        NoHistory, HistoryDamaged : the asset has no bars that can be used.
        """
        self._holdings.get(asset)
        standings = {key: it for key, it in self._standings.items() if key[0] != asset}
        for horizon in ledger.store.horizons(asset):
            found = ledger.performance(asset, horizon)
            self._tell(asset, horizon, found)
            self.performances[asset, horizon] = found
            for it in found:
                standing = _standing(it, horizon)
                if standing is not None:
                    track = it.scored.track
                    standings[asset, track.model, horizon, track.sha256] = standing
        self._standings = standings

    def forget(self, asset: str) -> None:
        """Let go of an asset that is held no longer."""
        for key in [it for it in self.performances if it[0] == asset]:
            del self.performances[key]
        self._standings = {key: it for key, it in self._standings.items() if key[0] != asset}

    def _tell(self, asset: str, horizon: int, found: list[Performance]) -> None:
        """Write down which promises are newly found broken."""
        before = self.performances.get((asset, horizon), [])
        known = {
            (it.scored.track.sha256, watched, raised)
            for it in before
            for watched, alarm in it.alarms.items()
            for raised in alarm.raised
        }
        for it in found:
            track = it.scored.track
            for watched, alarm in it.alarms.items():
                new = [day for day in alarm.raised if (track.sha256, watched, day) not in known]
                if new and alarm.active:
                    log.warning(
                        "live forecasts are not what was promised",
                        asset=asset,
                        model=track.model,
                        version=track.version,
                        horizon=horizon,
                        watched=watched,
                        promised=alarm.promised,
                        raised=str(new[-1]),
                    )


class LiveScorer:
    """A thread that looks at an asset's live forecasts again whenever its bars have changed.

    Parameters
    ----------
    scores : to keep in step.
    ledger, holdings : of which.
    """

    def __init__(self, scores: LiveScores, ledger: Ledger, holdings: Holdings) -> None:
        self.scores, self._ledger, self._holdings = scores, ledger, holdings
        self._stopping = threading.Event()
        # A daemon: a database that does not answer must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="live-scores", daemon=True)
        self._seen: dict[str, tuple[object, float]] = {}  # sessions that were scored, and when
        self._assets: set[str] = set()

    @property
    def doubt(self) -> str | None:
        """Why bars may be missing from what is scored, if so."""
        return self._holdings.doubt

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End; a look under way is waited for, if it takes no longer than 2 s."""
        self._stopping.set()
        self._thread.join(_STOPPING)

    def look(self) -> None:
        """Score what has changed since the last look.

        Raises
        ------
        DatabaseUnavailable : the database does not answer, or not in time.
        """
        self._ledger.recorder.flush()  # what waits may be of a session that has just closed
        for asset in sorted(self._assets | self._ledger.recorder.assets):
            if self._stopping.is_set():
                return
            held = self._holdings.find(asset)
            if held is None:
                self.scores.forget(asset)
            elif self._is_due(asset, held):
                self._score(asset)

    def _score(self, asset: str) -> None:
        try:
            self.scores.refresh(asset, self._ledger)
        except DatabaseUnavailable:
            del self._seen[asset]
            raise
        except RoughcastError as error:
            log.warning("live forecasts not scored", asset=asset, reason=str(error))

    def _is_due(self, asset: str, held: Held) -> bool:
        """Whether sessions have changed, or what others wrote of them may have come in since."""
        sessions = held.sessions()
        rv = held.series().rv if len(sessions) else np.empty(0)
        state, now = (sessions[-1:].tobytes(), rv.tobytes()), time.monotonic()
        before, scored_at = self._seen.get(asset, (None, -math.inf))
        if before != state:
            self._seen[asset] = state, now
            return True
        if now - scored_at < _SETTLING:
            return False
        self._seen[asset] = state, math.inf  # a second look is the last
        return True

    def _run(self) -> None:
        left = 0.0
        while not self._stopping.wait(_BETWEEN):
            left -= _BETWEEN
            try:
                if left <= 0:
                    self._assets, left = self._ledger.store.assets(), _LISTING
                self.look()
            except DatabaseUnavailable:
                continue  # which the watcher says
            except Exception:
                log.exception("live forecasts not scored")


def _standing(found: Performance, horizon: int) -> LiveStanding | None:
    """What is told of a version; None while there are too few outcomes that share no session."""
    enough = ENOUGH * horizon
    if len(found.scored.rv) < enough:
        return None
    coverage = [(it.level, it.coverage, it.nobs) for it in found.intervals if it.nobs >= enough]
    return LiveStanding(_skill(found, enough), tuple(coverage))


def _skill(found: Performance, enough: int) -> ModelSkill | None:
    dates = found.scored.track.target_dates
    span = (dates[0].item(), dates[-1].item())
    margin = _margin(found.against.get(HARDEST), enough)
    if found.scored.track.model == _BASELINE:
        return ModelSkill(_BASELINE, 1.0, None, None, len(dates), span, margin, "live")
    against = found.against.get(_BASELINE)
    if against is None or against.nobs < enough:
        return None
    ratio, pvalue = against.qlike_ratio, against.dm_pvalue
    return ModelSkill(_BASELINE, ratio, pvalue, None, against.nobs, span, margin, "live")


def _margin(against: Against | None, enough: int) -> tuple[float, float] | None:
    if against is None or against.nobs < enough or against.dm_pvalue is None:
        return None
    return against.qlike_ratio, against.dm_pvalue
