"""Out-of-sample forecasts of every asset of a panel by models that were fitted on others.

Assets fall into folds, and the sample into blocks of months. A fit for a fold and a block sees the
assets of the other folds, up to the block's cut-off, and forecasts the assets of the fold from the
sessions of the block: neither the asset nor the time that is judged has been seen. A forecast is
made on a later day than any that its fit has seen: sessions of one date end hours apart.
"""

from collections import defaultdict
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import joblib  # type: ignore[import-untyped]
import numpy as np

from training.config import Config
from training.data.assets import AssetData
from training.evaluation.workers import Pool
from training.models.pooled.market import Market, accompanied_forecasts, fit_market
from training.models.pooled.rows import fit_is_possible
from training.models.pooled.zero_shot import FitPooled, Pooled, zero_shot
from volatility.arrays import DateArray, FloatArray
from volatility.evaluation.tracks import ForecastTrack
from volatility.pairs import Pairs
from volatility.scale_free import MINIMUM

UNIVERSAL = "universal"
UNIVERSAL_COMPANIONS = "universal_companions"


def short_name(sessions: int) -> str:
    """What the universal model is called where it sees the newest sessions of a history alone."""
    return f"{UNIVERSAL}_{sessions}"


class TrackKey(NamedTuple):
    """Whose forecasts, and which."""

    asset: str
    model: str
    horizon: int


@dataclass(frozen=True)
class PanelWalkForward:
    """How a panel is cut.

    Attributes
    ----------
    folds : that its assets fall into, each kind over all of them.
    months : between two fits.
    histories : numbers of sessions to which histories are cut besides, as if there were no more.
    """

    folds: int
    months: int
    histories: tuple[int, ...]


@dataclass(frozen=True)
class PanelJob:
    """One fit, and the assets that it forecasts."""

    known: tuple[AssetData, ...]  # what the fit sees
    judged: tuple[AssetData, ...]
    start: np.datetime64  # last session that the fit may see
    end: np.datetime64  # last session of the block, from which is forecast
    config: Config
    histories: tuple[int, ...]
    market: Market | None = None  # companions of known and judged


def panel_tracks(
    jobs: Sequence[PanelJob],
    fit: FitPooled,
    parallel: Pool,
    fit_done: Callable[[], None] = lambda: None,
) -> dict[TrackKey, ForecastTrack]:
    """Forecast the last half of every asset by fits that have not seen it.

    Parameters
    ----------
    jobs : see :func:`panel_jobs`.
    fit : makes a model of what is known.
    parallel : where fits run; must return a generator.
    fit_done : told of every fit that ends.

    Returns
    -------
    Forecasts of ``universal``, and of ``universal_N`` from N sessions of history alone, at every
    horizon; where jobs have a market, of ``universal_companions`` too; without an asset whose last
    half ends before a fit on others was possible.
    """
    parts: dict[TrackKey, list[ForecastTrack]] = defaultdict(list)
    for forecasts in parallel(joblib.delayed(_forecast)(job, fit) for job in jobs):
        fit_done()
        for key, track in forecasts.items():
            parts[key].append(track)
    return {key: _joined(parts[key]) for key in sorted(parts)}


def panel_jobs(
    assets: Sequence[AssetData],
    plan: PanelWalkForward,
    config: Config,
    market: Market | None = None,
    forecast: Container[str] | None = None,
) -> list[PanelJob]:
    """A fit for every fold and block in which an asset of the fold is judged.

    Parameters
    ----------
    assets : of the panel; fits see all of them.
    plan : how it is cut.
    config : of the model.
    market : companions of every asset, for a second stage; None for none.
    forecast : names of those that are judged, one at least; None for all.
    """
    fold = folds_of(assets, plan.folds)
    told = [it for it in assets if forecast is None or it.asset in forecast]
    jobs = []
    for start, end in _blocks(told, plan.months):
        for place in range(plan.folds):
            judged = [it for it in told if fold[it.asset] == place and _judged(it, start, end)]
            known = [it.until(start) for it in assets if fold[it.asset] != place]
            known = [it for it in known if len(it.series) > MINIMUM]
            if judged and fit_is_possible(known, config.horizons):
                made = PanelJob(tuple(known), tuple(judged), start, end, config, plan.histories)
                jobs.append(replace(made, market=market))
    return jobs


def count_outcomes(jobs: Sequence[PanelJob], horizon: int) -> int:
    """How many forecasts :func:`panel_tracks` can score at a horizon, of all assets together."""
    return sum(len(_judged_pairs(it, horizon, job)) for job in jobs for it in job.judged)


def folds_of(assets: Sequence[AssetData], folds: int) -> Mapping[str, int]:
    """Fold of each asset: those of a kind are spread over all folds."""
    by_kind = sorted(assets, key=lambda it: it.kind)  # stable: in the panel's order within a kind
    return {asset.asset: place % folds for place, asset in enumerate(by_kind)}


def last_half(asset: AssetData) -> np.datetime64:
    """First session of an asset's last half."""
    dates = asset.series.dates
    first: np.datetime64 = dates[len(dates) // 2]
    return first


def _blocks(
    assets: Sequence[AssetData], months: int
) -> Iterator[tuple[np.datetime64, np.datetime64]]:
    """From the day before the first last half is forecast from to the last session of all."""
    start = min(map(_first_as_of, assets)) - np.timedelta64(1, "D")
    last = max(asset.series.dates[-1] for asset in assets)
    while start < last:
        end = (start.astype("datetime64[M]") + months).astype("datetime64[D]")
        yield start, end
        start = end


def _first_as_of(asset: AssetData) -> np.datetime64:
    """The session before an asset's last half."""
    dates = asset.series.dates
    first: np.datetime64 = dates[max(0, len(dates) // 2 - 1)]
    return first


def _judged(asset: AssetData, start: np.datetime64, end: np.datetime64) -> bool:
    return bool(_first_as_of(asset) <= end and asset.series.dates[-1] > start)


def _forecast(job: PanelJob, fit: FitPooled) -> dict[TrackKey, ForecastTrack]:
    pooled = fit(job.known, job.config)
    tracks = _accompanied(job, pooled)
    for asset in job.judged:
        said = {UNIVERSAL: zero_shot(pooled, asset).scaled}
        for sessions in job.histories:
            said[short_name(sessions)] = zero_shot(pooled, asset, sessions).plain
        for model, logs in said.items():
            for column, horizon in enumerate(pooled.horizons):
                track = _track(model, asset, logs[:, column], horizon, job)
                if track is not None:
                    tracks[TrackKey(asset.asset, model, horizon)] = track
    return tracks


def _accompanied(job: PanelJob, pooled: Pooled) -> dict[TrackKey, ForecastTrack]:
    """Forecasts of the second stage, which sees companions; none where there are none."""
    if job.market is None:
        return {}
    stages = fit_market(pooled, job.known, job.market)
    tracks = {}
    for asset in job.judged:
        logs = accompanied_forecasts(pooled, asset, job.market, stages)
        for column, horizon in enumerate(pooled.horizons):
            track = _track(UNIVERSAL_COMPANIONS, asset, logs[:, column], horizon, job)
            if track is not None:
                tracks[TrackKey(asset.asset, UNIVERSAL_COMPANIONS, horizon)] = track
    return tracks


def _track(
    model: str, asset: AssetData, log_forecast: FloatArray, horizon: int, job: PanelJob
) -> ForecastTrack | None:
    """The forecasts from a block's sessions; None where it has none."""
    pairs = _judged_pairs(asset, horizon, job)
    if not len(pairs):
        return None
    dates: DateArray = asset.series.dates[MINIMUM - 1 :]
    at = np.searchsorted(dates, pairs.as_of)
    return ForecastTrack(
        model=model,
        as_of=pairs.as_of,
        target_dates=pairs.target_dates,
        forecast=np.exp(log_forecast[at]),
        rv=pairs.targets,
        horizon=horizon,
    )


def _judged_pairs(asset: AssetData, horizon: int, job: PanelJob) -> Pairs:
    """What an asset is judged on in a block."""
    pairs = asset.pairs(MINIMUM, horizon=horizon)
    in_block = (pairs.as_of > job.start) & (pairs.as_of <= job.end)
    return pairs.where(in_block & (pairs.target_dates >= last_half(asset)))


def _joined(parts: Sequence[ForecastTrack]) -> ForecastTrack:
    own = sorted(parts, key=lambda part: part.target_dates[0])
    return ForecastTrack(
        model=own[0].model,
        as_of=np.concatenate([part.as_of for part in own]),
        target_dates=np.concatenate([part.target_dates for part in own]),
        forecast=np.concatenate([part.forecast for part in own]),
        rv=np.concatenate([part.rv for part in own]),
        horizon=own[0].horizon,
    )
