"""Small real artifacts for tests: a HAR with known coefficients on simulated rv."""

from datetime import date

import numpy as np

from models_store import artifact
from models_store.manifest import (
    Evaluation,
    IntervalCalibration,
    LinearPredictorSpec,
    Manifest,
    TrainingData,
)
from models_store.predictors import LinearPredictor
from volatility.evaluation import ForecastTrack
from volatility.series import RealizedSeries

HAR = {"mean_1": 0.4, "mean_5": 0.3, "mean_22": 0.2}
INTERCEPT = 1e-5
CLIP = (1e-6, 0.01)


def make_series(nobs: int = 400, seed: int = 0, measure: str = "garman_klass") -> RealizedSeries:
    rng = np.random.default_rng(seed)
    rv = np.exp(-9 + 0.5 * rng.standard_normal(nobs))
    return RealizedSeries(
        rv=np.clip(rv, *CLIP), measure=measure, dates=np.datetime64("2020-01-01") + np.arange(nobs)
    )


def make_manifest(asset: str = "TEST", model: str = "har", **changes: object) -> Manifest:
    series = make_series()
    assert series.dates is not None
    fields: dict[str, object] = {
        "asset": asset,
        "model": model,
        "predictor": LinearPredictorSpec(regressors=tuple(HAR)),
        "scale": "levels",
        "lookback": 22,
        "measure": series.measure,
        "calendar": "24/7",
        "periods_per_year": 365,
        "bar_interval": 86_400,
        "training": TrainingData(
            asset=asset,
            source="simulated",
            start=series.dates[0].item(),
            end=series.dates[-1].item(),
            nobs=len(series),
            missing_sessions=0,
            sha256=series.sha256,
        ),
        "residual_variance": 0.0,
        "clip": CLIP,
        "intervals": tuple(
            IntervalCalibration(
                level=level,
                lower=-width,
                upper=width,
                calibration_nobs=250,
                coverage_observed=level,
                nobs=100,
            )
            for level, width in [(0.8, 0.5), (0.95, 1.0)]
        ),
        "evaluation": Evaluation(
            protocol="walk-forward",
            refit_every=22,
            test_start=date(2020, 7, 1),
            test_end=date(2020, 12, 31),
            nobs=100,
            qlike_loss=0.2,
            rmse_volatility=0.01,
            mae_volatility=0.01,
            r_squared_log=0.1,
            correlation_log=0.3,
        ),
        "hyperparameters": {"lags": (1, 5, 22)},
        "seed": 1,
        "code_version": "0.1.0",
    }
    return Manifest.model_validate(fields | changes)


def make_files(
    asset: str = "TEST", model: str = "har", intercept: float = INTERCEPT
) -> dict[str, bytes]:
    """The files of an artifact; another ``intercept`` makes another model."""
    predictor = LinearPredictor(scale="levels", coefficients=HAR, intercept=intercept)
    series = make_series()
    assert series.dates is not None
    windows = np.lib.stride_tricks.sliding_window_view(series.rv, 22).copy()
    forecast = np.clip(predictor.predict({"rv": windows}).values, *CLIP)
    track = ForecastTrack(
        model=model,
        as_of=series.dates[21:-1],
        target_dates=series.dates[22:],
        forecast=forecast[:-1],
        rv=series.rv[22:],
    )
    reference = {"rv": windows[-8:]}
    return artifact.encode(
        make_manifest(asset, model), predictor.to_json(), track, reference, forecast[-8:]
    )


def flip_byte(content: bytes, position: int) -> bytes:
    """``content`` with one bit of one byte inverted."""
    position %= len(content)
    return content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]
