"""One artifact holds several horizons, each as if it were alone."""

import hashlib
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models_store import artifact
from models_store.errors import ArtifactRefused
from models_store.forecast import ForecastInput
from models_store.manifest import Manifest
from models_store.runtime import LoadedModel
from models_store.signatures import SUMS
from models_store.store import Store
from tests.models_store.artifacts import make_files, make_series
from volatility.errors import UnsupportedHorizon
from volatility.evaluation.intervals import (
    WINDOW,
    conformal_offsets,
    rolling_offsets,
    scale_errors,
)
from volatility.series import DatedSeries

HORIZONS = (1, 5, 22)
FILES = make_files(further=HORIZONS[1:])
TRAINED = 400


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    store = Store(tmp_path_factory.mktemp("store"))
    store.promote("TEST", "har", store.publish(FILES))
    return store.load("TEST", "har")


def test_each_horizon_has_its_function_its_intervals_and_its_evaluation(
    model: LoadedModel,
) -> None:
    history = make_series()
    daily, weekly = (model.forecast(history, (0.8,), horizon) for horizon in (1, 5))
    assert weekly.rv == pytest.approx(daily.rv / 5**0.5, rel=1e-12)
    assert (daily.horizon, weekly.horizon) == (1, 5)
    assert weekly.target_date == daily.target_date  # the first of the five
    assert weekly.intervals[0].rv == pytest.approx(
        (weekly.rv * np.exp(-0.25), weekly.rv * np.exp(0.25))
    )
    for horizon in HORIZONS:
        track = model.tracks[horizon]
        assert (track.horizon, len(track)) == (horizon, TRAINED - 22 - horizon + 1)
        assert track.rv[-1] == pytest.approx(history.rv[-horizon:].mean(), rel=1e-12)


def test_a_batch_of_several_horizons_gives_the_bits_of_each_alone(model: LoadedModel) -> None:
    histories = [make_series().tail(count) for count in (22, 60, 400)]
    asked = [ForecastInput(it, (0.8,), horizon) for it in histories for horizon in (5, 1, 22, 5)]
    alone = [model.forecast(it.history, it.levels, it.horizon) for it in asked]
    assert model.forecast_batch(asked) == alone


def test_other_horizons_are_refused_with_what_there_is(model: LoadedModel) -> None:
    for refuse in (model.forecast, model.calibrate):
        with pytest.raises(UnsupportedHorizon, match=r"horizon 7 is not.*\[1, 5, 22\]"):
            refuse(make_series(), horizon=7)


@pytest.mark.parametrize("horizon", HORIZONS)
def test_a_replay_counts_errors_whose_last_session_had_closed(
    model: LoadedModel, horizon: int
) -> None:
    calibration = model.calibrate(make_series().until(make_series().dates[-41]), horizon=horizon)
    track = model.tracks[horizon]
    row = int(np.searchsorted(track.target_dates, make_series().dates[-40]))
    residuals = np.log(track.rv / track.forecast)
    expected = rolling_offsets(residuals, (0.8,), horizon)[row, 0]
    found = np.log([calibration.multipliers[0.8].lower, calibration.multipliers[0.8].upper])
    assert found == pytest.approx(expected, rel=1e-9)


def test_outcomes_of_several_sessions_count_when_the_last_has_closed(model: LoadedModel) -> None:
    before, after = make_series(), make_series(TRAINED + 30, seed=5)
    rv = np.concatenate([before.rv, after.rv[TRAINED:]])
    history = DatedSeries(rv, before.measure, after.dates)
    calibration = model.calibrate(history, horizon=5)
    assert calibration.from_history == 30 - 4
    starts = range(TRAINED, TRAINED + 26)
    windows = {"rv": np.array([rv[start - 22 : start] for start in starts])}
    came = [rv[start : start + 5].mean() for start in starts]
    own = np.log(came / model.predict_rv(windows, 5).rv)
    track = model.tracks[5]
    known = np.concatenate([np.log(track.rv / track.forecast), own])
    errors, scales = scale_errors(known, 5)
    lower, _ = conformal_offsets(errors[-WINDOW:], 0.8, 5)
    expected = scales[-1] * lower
    assert np.log(calibration.multipliers[0.8].lower) == pytest.approx(expected, rel=1e-9)


def test_a_forecast_that_is_clipped_says_the_range_of_its_own_horizon(model: LoadedModel) -> None:
    record = model.manifest.by_horizon[5].model_copy(update={"clip": (1e-6, 2e-6)})
    narrow = model.manifest.model_copy(
        update={"by_horizon": {**model.manifest.by_horizon, 5: record}}
    )
    forecast = replace(model, manifest=narrow).forecast(make_series(), horizon=5)
    assert forecast.rv == 2e-6
    assert "1e-06 to 2e-06" in forecast.warnings[0]


def test_every_horizon_is_replayed_when_an_artifact_is_opened(tmp_path: Path) -> None:
    with np.load(io.BytesIO(FILES[artifact.REFERENCE])) as content:
        arrays = dict(content)
    arrays["22/forecast"] = arrays["22/forecast"] * 1.001
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    with pytest.raises(ArtifactRefused, match="replaying"):
        Store(tmp_path).publish(signed(FILES | {artifact.REFERENCE: buffer.getvalue()}))


def test_a_model_that_lacks_a_horizon_of_its_manifest_is_refused(tmp_path: Path) -> None:
    content = json.loads(FILES["coefficients.json"])
    del content["horizons"]["22"]
    files = signed(FILES | {"coefficients.json": json.dumps(content).encode()})
    with pytest.raises(ArtifactRefused, match=r"horizons \[1, 5, 22\], .* forecasts \[1, 5\]"):
        Store(tmp_path).publish(files)


def test_a_manifest_tells_of_every_horizon_that_it_names() -> None:
    content = json.loads(FILES[artifact.MANIFEST])
    del content["by_horizon"]["5"]
    with pytest.raises(ValueError, match=r"by_horizon has \[22\]; needed: \[5, 22\]"):
        Manifest.model_validate(content)


def signed(files: dict[str, bytes]) -> dict[str, bytes]:
    """The same files with digests that fit."""
    digests = [
        f"{hashlib.sha256(content).hexdigest()}  {name}\n"
        for name, content in sorted(files.items())
        if name != SUMS
    ]
    return files | {SUMS: "".join(digests).encode()}
