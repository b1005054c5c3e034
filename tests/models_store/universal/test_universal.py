"""The universal model on disk, and bound to assets."""

import hashlib
import json
import shutil
from dataclasses import replace
from datetime import date

import numpy as np
import onnx
import pytest
from pydantic import ValidationError

from models_store.artifact import with_sums
from models_store.errors import ArtifactRefused
from models_store.forecast import ForecastInput
from models_store.manifest import TrainingData
from models_store.predictors.pooled_graph import PooledGraph
from models_store.universal.asset_model import bind
from models_store.universal.manifest import KindRecord, PanelAsset, UniversalManifest
from models_store.universal.model import UniversalModel
from models_store.universal.store import UniversalStore
from tests.models_store.universal.small import (
    END,
    HORIZONS,
    small_files,
    small_graph,
    small_manifest,
)
from tests.simulated_panel import simulated_asset
from tests.universal import universal_files
from volatility.arrays import DAY
from volatility.calendars import get_calendar
from volatility.errors import HistoryTooShort
from volatility.evaluation.intervals import LEVELS
from volatility.scale_free import KINDS
from volatility.seasonality import DAY_CLASSES
from volatility.series import DatedSeries, RealizedSeries


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = UniversalStore(tmp_path_factory.mktemp("store"))
    for files in universal_files():
        store.publish(files)
    return store


@pytest.fixture(scope="module")
def model(store):
    found, refused = store.newest()
    assert not refused
    return found


@pytest.fixture(scope="module")
def history():
    return simulated_asset("NEW", "stock", "XNYS", 700, seed=11).series


@pytest.fixture(scope="module")
def bound(model):
    return bind(model, "NEW", "stock", "XNYS", "garman_klass")


def test_versions_are_in_order_of_what_they_have_seen(store):
    ends = [store.load(version).manifest.training_end for version in store.versions()]
    assert len(ends) > 1
    assert ends == sorted(ends)


def test_no_series_is_in_an_artifact(store, model):
    folder = store.folder / str(model.version)
    names = {path.name for path in folder.iterdir()}
    assert names == {"manifest.json", "model.onnx", "reference.npz", "SHA256SUMS"}
    reference = np.load(folder / "reference.npz")
    assert max(len(reference[name]) for name in reference.files) < 64


def test_a_damaged_version_gives_way_to_the_one_before(store, tmp_path):
    copy = UniversalStore(tmp_path / "store")
    shutil.copytree(store.folder, copy.folder)
    *_, serving = universal_files()
    newest = copy.publish(serving)
    path = copy.folder / str(newest) / "model.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    found, [refusal] = copy.newest()
    assert found is not None
    assert found.version == newest - 1
    assert "model.onnx has sha256" in refusal.reason
    with pytest.raises(ArtifactRefused, match=r"model\.onnx has sha256"):
        copy.load(newest)


def test_a_version_that_was_made_to_be_evaluated_does_not_serve(store, tmp_path):
    copy = UniversalStore(tmp_path / "store")
    for_evaluation, _ = universal_files()
    copy.publish(for_evaluation)
    found, [refusal] = copy.newest()
    assert found is None
    assert "it cannot serve" in refusal.reason
    shutil.rmtree(copy.folder)
    shutil.copytree(store.folder, copy.folder)
    serving = copy.versions()[-1]
    copy.publish(for_evaluation)  # as in a retrain that has not published its last version yet
    found, refused = copy.newest()
    assert found is not None
    assert (found.version, refused) == (serving, ())


def test_a_network_that_says_something_else_is_not_published(tmp_path):
    *_, files = universal_files()
    store = UniversalStore(tmp_path)
    with pytest.raises(ArtifactRefused, match=r"model\.onnx has sha256"):
        store.publish({**files, "model.onnx": b"nothing"})
    assert store.versions() == []


def test_a_network_whose_forecasts_could_not_be_explained_is_not_published(tmp_path):
    """One mean for all regressors gives the same forecasts, and tells nothing of each."""
    files = dict(small_files())
    model = onnx.load_from_string(files["model.onnx"])
    [mean] = [it for it in model.graph.initializer if it.name == "mean"]
    mean.CopyFrom(onnx.helper.make_tensor("mean", onnx.TensorProto.FLOAT, [1], [0.0]))
    del files["SHA256SUMS"]
    spoiled = with_sums({**files, "model.onnx": model.SerializeToString()})
    with pytest.raises(
        ArtifactRefused, match=r"constant mean has the shape \(1,\); needed: \(84,\)"
    ):
        UniversalStore(tmp_path).publish(spoiled)


def test_it_has_seen_what_the_panel_had(model, bound):
    seen = {bound.at(it).training_end for it in bound.manifest.horizons}
    assert seen == {model.manifest.training_end}


@pytest.mark.parametrize("nobs", [22, 60, 250, 251, 700])
def test_histories_of_any_length_are_forecast(bound, history, nobs):
    for horizon in (1, 5, 10, 22):
        said = bound.forecast(history.tail(nobs), horizon=horizon)
        assert 1e-6 < said.rv < 1e-2
        assert (said.asset, said.model, said.horizon) == ("NEW", "universal", horizon)
        low, high = said.intervals[0].rv
        assert low < said.rv < high


@pytest.mark.parametrize("horizon", [1, 5, 10, 22])
def test_a_short_history_is_forecast_as_the_network_says(bound, history, horizon):
    """Its logs are of means already: nothing is added for their variance, and no scale known."""
    short = history.tail(250)
    dates = short.dates.astype("datetime64[D]").astype(float)
    windows = {"rv": short.rv[None], DAY: dates[None]}
    windows |= {name: short.column(name)[None] for name in bound.manifest.columns}
    said = bound.predictors[horizon].predict(windows).values[0]
    assert bound.forecast(short, horizon=horizon).rv == pytest.approx(np.exp(said), rel=1e-6)


def test_a_model_is_what_its_manifest_says(tmp_path):
    store = UniversalStore(tmp_path)
    version = store.publish(small_files())
    model = store.load(version)
    sums = small_files()["SHA256SUMS"]
    assert (model.version, model.sha256) == (version, hashlib.sha256(sums).hexdigest())
    assert model.horizons == (1, 5, 10, 22)
    assert model.capped_means.tolist() == list(small_manifest().capped_means)
    by_kind = small_manifest().calendar_effects
    assert set(model.effects) == set(KINDS)
    for kind, effects in model.effects.items():
        assert effects.tolist() == [by_kind[kind][name] for name in DAY_CLASSES]


def test_what_is_said_of_an_asset_is_of_the_panel_and_its_kind():
    ours = small_manifest()
    model = UniversalModel(ours, 3, "d" * 64, PooledGraph.of(small_graph(1.0)))
    bound = bind(model, "NEW", "fx", "24/5", "parkinson", 60)
    said = bound.manifest
    assert (bound.version, bound.sha256, bound.tracks) == (3, "d" * 64, {})
    assert (said.asset, said.model, said.scale) == ("NEW", "universal", "logs")
    assert (said.measure, said.calendar, said.bar_interval) == ("parkinson", "24/5", 86_400)
    assert said.periods_per_year == get_calendar("24/5").periods_per_year
    same = ("lookback", "minimum_sessions", "horizons", "rv_medians", "hyperparameters")
    for name in (*same, "seed", "seeds", "code_version"):
        assert getattr(said, name) == getattr(ours, name), name
    assert said.training == TrainingData(
        asset="universal",
        source="a panel of 2 assets",
        start=date(2010, 1, 4),
        end=END,
        nobs=5_000,
        missing_sessions=0,
        sha256="d" * 64,
    )
    for horizon in HORIZONS:
        told, known = said.at(horizon), ours.short_histories["fx"][60][horizon]
        assert (told.residual_variance, told.clip, told.learned) == (0.0, (1e-8, 1.0), {})
        assert told.mean_rv == pytest.approx(1e-4)  # the geometric mean of the bounds
        assert told.evaluation == known.evaluation
        assert [it.level for it in told.intervals] == list(LEVELS)
        for interval in told.intervals:
            assert interval.lower < 0 < interval.upper
            assert (interval.calibration_nobs, interval.nobs) == (20_060, 20_060)
            assert interval.coverage_observed == known.coverage_observed[str(interval.level)]
        assert bound.at(horizon).training_end == END
        assert bound.pooled[horizon].size == known.error_size
        assert bound.pooled[horizon].assets == known.assets
    assert bound.capped_means == dict(zip(HORIZONS, ours.capped_means, strict=True))
    other = bind(model, "NEW", "fx", "24/7", "parkinson", 60)
    assert len({bound.identity, other.identity}) == 2
    assert bound.identity == f"{'d' * 64} fx 24/5 parkinson 60"


def test_fewer_than_a_month_are_refused(bound, history):
    with pytest.raises(HistoryTooShort, match="needs 22 sessions; got 21"):
        bound.forecast(history.tail(21))


def test_what_lies_before_the_window_moves_nothing_but_scale_and_errors(bound, history):
    whole, window = history, history.tail(250)
    calibration = bound.calibrate(window)
    said = [
        bound.forecast_batch([ForecastInput(it, calibration=calibration)])[0]
        for it in (whole, window)
    ]
    assert said[0].rv == said[1].rv


def test_a_batch_says_what_each_says_alone(bound, history):
    inputs = [ForecastInput(history.part(slice(0, nobs))) for nobs in range(22, 322, 7)]
    together = bound.forecast_batch(inputs)
    assert together == [bound.forecast_batch([it])[0] for it in inputs]


def test_the_network_looks_once_at_each_window(bound, history, monkeypatch):
    """For its past errors and forecasts at four horizons, and to the same bits as at each alone."""
    alone = {nobs: _at_all_horizons(bound, history.tail(nobs)) for nobs in (250, 400)}
    rows, run = [], PooledGraph.run

    def counted(graph, regressors, sequence):
        rows.append(len(regressors))
        return run(graph, regressors, sequence)

    monkeypatch.setattr(PooledGraph, "run", counted)
    for nobs, expected in ((250, [1]), (400, [128, 22, 1])):  # windows with an outcome, the newest
        given = ForecastInput(history.tail(nobs))
        each = [given._replace(horizon=it) for it in bound.manifest.horizons]
        assert bound.forecast_batch(each) == alone[nobs]
        assert rows == expected
        rows.clear()
    assert set(bound.calibrations(history.tail(400), 5)) == set(bound.manifest.horizons)
    assert sum(rows) == 150


def _at_all_horizons(bound, history):
    return [bound.forecast(history, horizon=it) for it in bound.manifest.horizons]


def test_own_errors_take_the_place_of_the_kinds(bound, history):
    short, long = (bound.calibrate(history.tail(nobs)) for nobs in (250, 700))
    assert (short.from_history, short.log_scale) == (0, 0.0)
    assert long.from_history == 450
    assert long.log_scale != 0.0
    assert long.through == history.dates[-1].item()


def test_errors_of_the_kind_are_dated_by_the_panel(tmp_path, history):
    store = UniversalStore(tmp_path)
    bound = bind(store.load(store.publish(small_files())), "NEW", "stock", "XNYS", "garman_klass")
    assert bound.calibrate(history.tail(100)).through == END
    assert bound.calibrate(RealizedSeries(history.rv, history.measure)).through == END
    dates = history.dates
    for nobs, through in ((300, max(END, dates[-1].item())), (700, dates[-1].item())):
        found = bound.calibrate(history.tail(nobs))
        assert (found.from_history, found.through) == (nobs - 250, through)
    last = np.searchsorted(dates, np.datetime64("2019-12-30"))
    for nobs in (40, 300):  # with none of its own, and with some, beside those of later days
        replayed = bound.forecast(history.part(slice(last + 1 - nobs, last + 1)))
        assert replayed.calibration.through == END > replayed.as_of
        assert f"intervals are made of errors up to {END}, after {replayed.as_of}" in str(
            replayed.warnings
        )


@pytest.mark.parametrize(
    ("nobs", "recorded"), [(22, 22), (59, 22), (60, 60), (249, 60), (250, 250), (700, 250)]
)
def test_a_short_history_has_the_errors_of_short_histories(tmp_path, history, nobs, recorded):
    store = UniversalStore(tmp_path)
    model = store.load(store.publish(small_files()))
    bound = bind(model, "NEW", "stock", "XNYS", "garman_klass", nobs)
    assert bound.sessions == recorded
    assert bound.pooled[1].nobs == 20_000 + recorded
    said = bound.forecast(history.tail(nobs), horizon=1)
    assert said.intervals[0].nobs == 20_000 + recorded
    if nobs < 250:
        whole = bind(model, "NEW", "stock", "XNYS", "garman_klass")
        other = whole.forecast(history.tail(nobs), horizon=1)
        assert said.rv == other.rv
        assert said.intervals[0].rv[1] > other.intervals[0].rv[1]
        assert bound.identity != whole.identity


def test_the_scale_is_that_of_the_assets_own_outcomes(bound, history):
    # What the model says of prices does not change when all rv is a half more than ranges tell.
    calm = bound.calibrate(history)
    larger = DatedSeries(
        history.rv * 1.5, history.measure, history.dates, columns=dict(history.columns)
    )
    # Scale-free forecasts move with the level, so that ratios and their scale stay.
    assert bound.calibrate(larger).log_scale == pytest.approx(calm.log_scale, abs=0.2)


@pytest.mark.parametrize(
    ("kind", "calendar", "columns"),
    [
        ("crypto", "24/7", ("range_ratio", "return")),
        ("fx", "24/5", ("overnight_return", "range_ratio", "return")),
        ("index", "XLON", ("overnight_return", "range_ratio", "return")),
    ],
)
def test_assets_of_all_kinds_and_calendars(model, kind, calendar, columns):
    series = simulated_asset("ANY", kind, calendar, 300, seed=5).series
    bound = bind(model, "ANY", kind, calendar, "garman_klass")
    assert bound.manifest.columns == columns
    assert bound.forecast(series).rv > 0
    parkinson = simulated_asset("ANY", kind, calendar, 300, seed=5, measure="parkinson").series
    assert bind(model, "ANY", kind, calendar, "parkinson").forecast(parkinson).rv > 0


@pytest.mark.parametrize(
    ("kind", "optional"),
    [
        (PanelAsset, set()),
        (KindRecord, set()),
        (UniversalManifest, {"schema_version", "kind_scales", "by_kind", "short_histories"}),
    ],
)
def test_a_manifest_lacks_nothing_but_what_says_whether_it_serves(kind, optional):
    fields = kind.model_fields.items()
    assert {name for name, field in fields if not field.is_required()} == optional
    assert kind.model_config["extra"] == "forbid"


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("horizons",), []),
        (("horizons",), [0, 5, 10, 22]),
        (("minimum_sessions",), 0),
        (("lookback",), 0),
        (("assets",), []),
        (("assets", 0, "kind"), "share"),
        (("by_kind", "stock", "1", "error_size"), 0),
        (("by_kind", "stock", "1", "assets"), 0),
        (("by_kind", "stock", "0"), None),
        (("capped_means",), [0.9]),
    ],
)
def test_a_manifest_that_cannot_be_is_refused(place, value):
    said = json.loads(small_manifest().model_dump_json())
    UniversalManifest.model_validate_json(json.dumps(said))
    at = said
    for name in place[:-1]:
        at = at[name]
    at[place[-1]] = value
    with pytest.raises(ValidationError):
        UniversalManifest.model_validate_json(json.dumps(said))


def test_a_coin_has_the_scale_of_coins():
    model = UniversalModel(small_manifest(), 1, "0" * 64, PooledGraph.of(small_graph(1.0)))
    series = simulated_asset("NEW", "stock", "24/7", 700, seed=11).series
    without = model.manifest.model_copy(update={"kind_scales": {}})
    coin, plain = (
        bind(replace(model, manifest=it), "NEW", "crypto", "24/7", "garman_klass")
        for it in (model.manifest, without)
    )
    short, long = series.tail(100), series
    for horizon, scale in zip((1, 5, 10, 22), (0.2, 0.1, 0.05, 0.0), strict=True):
        said = coin.forecast(short, horizon=horizon).rv
        assert np.log(said / plain.forecast(short, horizon=horizon).rv) == pytest.approx(scale)
    assert model.predictors("fx", "24/5", "garman_klass", ())[1].kind_scale == 0.0
    # Of its own it has 450 outcomes, to which 50 of ordinary coins are added.
    told, alone = (it.forecast(long, horizon=1).rv for it in (coin, plain))
    own = np.exp(plain.calibrate(long).log_scale) * 500 - 50  # their sum over the panel's mean
    expected = np.log((own + 50 * np.exp(0.2)) / (own + 50))
    assert np.log(told / alone) == pytest.approx(expected, abs=1e-9)


def test_an_artifact_without_scales_of_kinds_has_none(model):
    said = json.loads(small_manifest().model_dump_json())
    del said["kind_scales"]
    manifest = UniversalManifest.model_validate_json(json.dumps(said))
    scales = replace(model, manifest=manifest).kind_scales
    assert {kind: it.tolist() for kind, it in scales.items()} == dict.fromkeys(KINDS, [0.0] * 4)


def test_each_horizon_has_the_assets_own_scale(model):
    own = {5: 0.25, 22: -0.5}
    found = model.predictors("stock", "XNYS", "garman_klass", (), own)
    assert {horizon: it.log_scale for horizon, it in found.items()} == {1: 0.0, 10: 0.0, **own}
