"""A small universal model, fitted on simulated assets, as files."""

from functools import cache

import numpy as np

from models_store.universal.manifest import KindRecord
from tests.simulated_panel import TINY, simulated_panel
from training.evaluation.panel.scores import AssetScore
from training.evaluation.panel.walk_forward import UNIVERSAL, PanelWalkForward, TrackKey
from training.models.pooled.fitting import fit_pooled
from training.models.pooled.rows import log_targets
from training.models.pooled.zero_shot import ExportedPooled, zero_shot
from training.publishing.kind_records import kind_records
from training.publishing.universal import Vintage, to_files, vintages
from volatility.evaluation.tracks import ForecastTrack

_PLAN = PanelWalkForward(2, 24, ())


@cache
def universal_files() -> tuple[dict[str, bytes], ...]:
    """Two versions: one of 2019, which was made to be evaluated, and the one that serves."""
    panel = simulated_panel()
    newest = vintages(panel, 12, 2)[-1]
    cut_off = np.datetime64("2019-06-28")
    early = Vintage(cut_off, tuple(it.until(cut_off) for it in panel))
    files = []
    for vintage in (early, newest):
        fitted = fit_pooled(vintage.assets, TINY)
        records = _records(fitted) if vintage is newest else {}
        files.append(to_files(vintage, ExportedPooled.of(fitted), TINY, records))
    return tuple(files)


def _records(fitted) -> dict[str, dict[int, KindRecord]]:
    """In-sample, which a test may do."""
    tracks, scores = {}, []
    for asset in simulated_panel():
        said, outcomes = zero_shot(fitted, asset), log_targets(asset, fitted.horizons)
        dates = asset.series.dates[21:]
        for column, horizon in enumerate(fitted.horizons):
            known = np.flatnonzero(~np.isnan(outcomes[:, column]))
            tracks[TrackKey(asset.asset, UNIVERSAL, horizon)] = ForecastTrack(
                UNIVERSAL,
                dates[known],
                dates[known + 1],
                np.exp(said.scaled[known, column]),
                np.exp(outcomes[known, column]),
                horizon,
            )
            scores.append(
                AssetScore(asset.asset, asset.kind, UNIVERSAL, horizon, 1, 0.2, -0.1, None)
            )
    return kind_records(simulated_panel(), tracks, scores, _PLAN)
