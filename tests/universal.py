"""A small universal model, fitted on simulated assets, as files."""

from dataclasses import replace
from functools import cache

import numpy as np
import onnx
from onnx import numpy_helper

from models_store.predictors.pooled_graph import INTERCEPTS
from tests.simulated_panel import TINY, simulated_panel
from training.evaluation.panel.scores import AssetScore
from training.evaluation.panel.walk_forward import (
    UNIVERSAL,
    PanelWalkForward,
    TrackKey,
    short_name,
)
from training.models.pooled.fitting import fit_pooled
from training.models.pooled.rows import log_targets
from training.models.pooled.zero_shot import ExportedPooled, zero_shot
from training.publishing.kind_records import NO_RECORDS, PanelRecords, panel_records
from training.publishing.universal import Vintage, to_files, vintages
from volatility.evaluation.tracks import ForecastTrack

_PLAN = PanelWalkForward(2, 24, (22,))


@cache
def universal_files() -> tuple[dict[str, bytes], ...]:
    """Two versions: one of 2019, which was made to be evaluated, and the one that serves.

    One is fitted and exported, which takes long, and the other is it with other intercepts.
    """
    panel = simulated_panel()
    newest = vintages(panel, 12, 2)[-1]
    cut_off = np.datetime64("2019-06-28")
    early = Vintage(cut_off, tuple(it.until(cut_off) for it in panel))
    fitted = fit_pooled(newest.assets, TINY)
    exported = ExportedPooled.of(fitted)
    return (
        to_files(early, _raised(exported), TINY, NO_RECORDS),
        to_files(newest, exported, TINY, _records(fitted)),
    )


def _raised(exported: ExportedPooled) -> ExportedPooled:
    model = onnx.load_from_string(exported.graph)
    [intercepts] = [it for it in model.graph.initializer if it.name == INTERCEPTS]
    raised = numpy_helper.to_array(intercepts) + np.float32(0.01)
    intercepts.CopyFrom(numpy_helper.from_array(raised, INTERCEPTS))
    return replace(exported, graph=model.SerializeToString())


def _records(fitted) -> PanelRecords:
    """In-sample, which a test may do."""
    tracks, scores = {}, []
    for asset in simulated_panel():
        outcomes = log_targets(asset, fitted.horizons)
        for model, said in (
            (UNIVERSAL, zero_shot(fitted, asset).scaled),
            (short_name(22), zero_shot(fitted, asset, 22).plain),
        ):
            for column, horizon in enumerate(fitted.horizons):
                key = TrackKey(asset.asset, model, horizon)
                tracks[key] = _track(asset, key, said[:, column], outcomes[:, column])
                change = -0.1 if model == UNIVERSAL else -0.03
                scores.append(
                    AssetScore(asset.asset, asset.kind, model, horizon, 1, 0.2, change, None)
                )
    return panel_records(simulated_panel(), tracks, scores, _PLAN)


def _track(asset, key, said, outcomes) -> ForecastTrack:
    dates = asset.series.dates[21:]
    known = np.flatnonzero(~np.isnan(outcomes))
    forecast, rv = np.exp(said[known]), np.exp(outcomes[known])
    return ForecastTrack(key.model, dates[known], dates[known + 1], forecast, rv, key.horizon)
