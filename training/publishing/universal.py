"""Fit the model for every asset on a panel, as it was known at one date after another, and publish.

Each version is a fit on all assets up to a session. The newest serves; the ones before forecast, in
the walk-forward of any asset, what came after them, so that no evaluation sees a model that knew
its outcomes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version

import joblib  # type: ignore[import-untyped]
import numpy as np

from models_store.manifest import TrainingData
from models_store.predictors.pooled_graph import PooledGraph
from models_store.units import median_range
from models_store.universal import artifact
from models_store.universal.manifest import PanelAsset, UniversalManifest
from models_store.universal.model import UniversalModel
from training.config import Config, flatten, seeds_from
from training.data.assets import AssetData
from training.evaluation.workers import Pool
from training.models.pooled.rows import COLUMNS
from training.models.pooled.zero_shot import ExportedPooled, FitPooled
from training.publishing.kind_records import NO_RECORDS, PanelRecords
from volatility.arrays import DAY, Windows
from volatility.calendars import get_calendar
from volatility.scale_free import KINDS, MINIMUM
from volatility.seasonality import DAY_CLASSES
from volatility.trailing import SESSIONS

LONG = 1_000  # sessions: what an asset must have for a first fit to count it
REFERENCE_ROWS = 20  # more than a chunk of the network's runs


@dataclass(frozen=True)
class Vintage:
    """A fit on what was known at a date."""

    cut_off: np.datetime64
    assets: tuple[AssetData, ...]  # until then


def vintages(assets: Sequence[AssetData], months: int, fewest: int) -> list[Vintage]:
    """The dates of fits: ends of calendar years and their parts, and the end of the panel.

    Parameters
    ----------
    assets : of the panel.
    months : between two fits.
    fewest : assets that must have 1,000 sessions for the first.
    """
    long = sorted(it.series.dates[LONG - 1] for it in assets if len(it.series) >= LONG)
    end = max(it.series.dates[-1] for it in assets)
    cut_offs = []
    if len(long) >= fewest:
        month = (long[fewest - 1].astype("datetime64[Y]") + 1).astype("datetime64[M]")
        while month.astype("datetime64[D]") <= end:
            cut_offs.append(month.astype("datetime64[D]") - np.timedelta64(1, "D"))
            month = month + months
    return [_vintage(assets, cut_off) for cut_off in (*cut_offs, end)]


def fit_vintages(
    found: Sequence[Vintage],
    fit: FitPooled,
    config: Config,
    parallel: Pool,
) -> Iterator[tuple[Vintage, ExportedPooled]]:
    """Fit each vintage, and export it; as they are done, in no particular order."""
    jobs = (joblib.delayed(_fit)(place, it, fit, config) for place, it in enumerate(found))
    for place, exported in parallel(jobs):
        yield found[place], exported


def to_files(
    vintage: Vintage,
    exported: ExportedPooled,
    config: Config,
    records: PanelRecords = NO_RECORDS,
) -> dict[str, bytes]:
    """The files of a version; see :mod:`models_store.universal.artifact`."""
    rv = [it.series.rv for it in vintage.assets]
    medians = [median_range(it) for it in rv]
    manifest = UniversalManifest(
        horizons=exported.horizons,
        minimum_sessions=MINIMUM,
        lookback=SESSIONS,
        columns=tuple(sorted(COLUMNS)),
        measures=tuple(sorted({it.series.measure for it in vintage.assets})),
        training_end=max(it.series.dates[-1] for it in vintage.assets).item(),
        assets=tuple(_panel_asset(it) for it in vintage.assets),
        calendar_effects={
            kind: dict(zip(DAY_CLASSES, effects.tolist(), strict=True))
            for kind, effects in exported.effects.items()
        },
        capped_means=tuple(exported.capped_means.tolist()),
        kind_scales={kind: tuple(it.tolist()) for kind, it in exported.kind_scales.items()},
        clip=(float(min(it.min() for it in rv)), float(max(it.max() for it in rv))),
        rv_medians=(min(low for low, _ in medians), max(high for _, high in medians)),
        by_kind={kind: dict(known) for kind, known in records.by_kind.items()},
        short_histories={
            kind: {it: dict(known[kind]) for it, known in records.short_histories.items()}
            for kind in KINDS
            if records.short_histories
        },
        hyperparameters=flatten(config.universal),
        seed=config.seed,
        seeds=seeds_from(config.seed, config.universal.seeds),
        code_version=version("roughcast"),
    )
    reference = reference_histories()
    model = UniversalModel(manifest, 0, "", PooledGraph.of(exported.graph))
    log_forecasts = artifact.reference_forecasts(model, reference)
    return artifact.encode(manifest, exported.graph, reference, log_forecasts)


def reference_histories() -> Windows:
    """Simulated histories of a stock in New York, of 22 to 250 sessions; (20, 250) by column."""
    rng = np.random.default_rng(20251201)
    calendar = get_calendar(artifact.REFERENCE_CALENDAR)
    sessions = calendar.sessions(np.datetime64("2015-01-02"), np.datetime64("2016-12-30"))
    shape = (REFERENCE_ROWS, SESSIONS)
    log_rv = -9.0 + np.cumsum(rng.normal(0.0, 0.15, shape), axis=1) + rng.normal(0.0, 0.5, shape)
    deviation = np.exp(log_rv / 2)
    histories = {
        "rv": np.exp(log_rv),
        "return": deviation * rng.normal(size=shape),
        "overnight_return": 0.4 * deviation * rng.normal(size=shape),
        "range_ratio": rng.normal(0.0, 0.3, shape),
        DAY: np.tile(sessions[:SESSIONS].astype("datetime64[D]").astype(np.float64), (shape[0], 1)),
    }
    lengths = np.linspace(MINIMUM, SESSIONS, REFERENCE_ROWS).astype(np.int64)
    there = np.arange(SESSIONS) >= SESSIONS - lengths[:, None]
    return {name: np.where(there, values, np.nan) for name, values in histories.items()}


def _vintage(assets: Sequence[AssetData], cut_off: np.datetime64) -> Vintage:
    begun = [it.until(cut_off) for it in assets if it.series.dates[0] <= cut_off]
    return Vintage(cut_off, tuple(it for it in begun if len(it.series) > MINIMUM))


def _fit(
    place: int, vintage: Vintage, fit: FitPooled, config: Config
) -> tuple[int, ExportedPooled]:
    return place, ExportedPooled.of(fit(vintage.assets, config))


def _panel_asset(data: AssetData) -> PanelAsset:
    dates = data.series.dates
    known = TrainingData(
        asset=data.asset,
        source=data.source,
        start=dates[0].item(),
        end=dates[-1].item(),
        nobs=len(dates),
        missing_sessions=len(data.calendar.missing_sessions(dates)),
        sha256=data.series.select(COLUMNS).sha256,
    )
    return PanelAsset(
        **known.model_dump(),
        kind=data.kind,
        measure=data.series.measure,
        calendar=data.calendar_name,
    )
