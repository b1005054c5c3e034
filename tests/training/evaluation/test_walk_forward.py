from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from tests.training.simulated import (
    asset_of,
    make_companion,
    make_intraday_asset,
    make_training_set,
    small_config,
)
from training.data.assets import TrainingSet
from training.data.companions import with_companions
from training.evaluation.study import Study, applicable
from training.evaluation.walk_forward import (
    BlockForecasts,
    blocks,
    count_fits,
    only_needed,
    together,
    tracks_of,
    walk_forward,
)
from training.evaluation.workers import worker_pool
from training.models.linear.averages import last_value
from training.models.linear.garch import Garch
from training.models.recipe import Fit
from training.models.registry import LINEAR, MODELS, recipes
from volatility.evaluation.compare import BENCHMARKS
from volatility.evaluation.tracks import ForecastTrack
from volatility.series import DatedSeries

CHANGED_AFTER = 450  # sessions; inside the third network block and the walk-forward's middle


def forecast_all(
    data: TrainingSet, names: Sequence[str] = tuple(MODELS), seeds: int = 1
) -> dict[str, ForecastTrack]:
    chosen = recipes(names, replace(small_config(), seeds=seeds))
    study = Study(data, applicable(chosen, data.target))
    forecasts = list(walk_forward([study], worker_pool(1)))
    assert sum(it.fits for it in forecasts) == count_fits([study]).total()
    return tracks_of(study, forecasts)


def with_another_future(data: TrainingSet, cut: np.datetime64) -> TrainingSet:
    """The same up to ``cut`` and something else after it, in the target and in the source."""

    def change(series: DatedSeries) -> DatedSeries:
        factor = np.where(series.dates > cut, 3.7, 1.0)
        columns = {name: values * factor for name, values in series.columns.items()}
        return DatedSeries(series.rv * factor, series.measure, series.dates, columns=columns)

    return replace(
        data,
        target=asset_of("TARGET", change(data.target.series)),
        sources={name: asset_of(name, change(s.series)) for name, s in data.sources.items()},
    )


@pytest.fixture(scope="module")
def data() -> TrainingSet:
    """A target with every column and a companion, so that every model can be fitted."""
    target = with_companions(make_intraday_asset(nobs=600), [make_companion()])
    return replace(make_training_set(nobs=600), target=target)


@pytest.fixture(scope="module")
def tracks(data: TrainingSet) -> dict[str, ForecastTrack]:
    return forecast_all(data)


def test_the_future_changes_no_forecast(
    data: TrainingSet, tracks: dict[str, ForecastTrack]
) -> None:
    cut = data.target.series.dates[CHANGED_AFTER]
    changed = forecast_all(with_another_future(data, cut))
    for model, track in tracks.items():
        known = track.as_of <= cut
        assert known.sum() == CHANGED_AFTER - 298  # as of sessions 299 to 450
        assert np.array_equal(changed[model].forecast[known], track.forecast[known]), model
        assert not np.allclose(changed[model].forecast[~known], track.forecast[~known]), model


def test_every_model_forecasts_every_session_of_the_second_half(
    data: TrainingSet, tracks: dict[str, ForecastTrack]
) -> None:
    dates, rv = data.target.series.dates, data.target.series.rv
    assert set(tracks) == set(MODELS)
    for track in tracks.values():
        assert np.array_equal(track.target_dates, dates[300:])
        assert np.array_equal(track.as_of, dates[299:-1])
        assert np.array_equal(track.rv, rv[300:])


@pytest.mark.parametrize(
    ("horizon", "names"),
    [(5, [*LINEAR, "lstm", "transfer"]), (10, list(LINEAR)), (22, list(LINEAR))],
)
def test_the_future_changes_no_forecast_of_several_sessions(
    data: TrainingSet, horizon: int, names: Sequence[str]
) -> None:
    """A forecast sees what has closed; a target of five sessions closes four sessions later."""
    cut = data.target.series.dates[CHANGED_AFTER]
    ahead = replace(data, horizon=horizon)
    before = forecast_all(ahead, names)
    after = forecast_all(with_another_future(ahead, cut), names)
    for model, track in before.items():
        known = track.as_of <= cut
        assert known.sum() == CHANGED_AFTER - 298
        assert np.array_equal(after[model].forecast[known], track.forecast[known]), model
        assert not np.allclose(after[model].forecast[~known], track.forecast[~known]), model


def test_forecasts_of_several_sessions_are_scored_by_their_mean(data: TrainingSet) -> None:
    dates, rv = data.target.series.dates, data.target.series.rv
    track = forecast_all(replace(data, horizon=5), ["har"])["har"]
    assert track.horizon == 5
    assert np.array_equal(track.target_dates, dates[300:-4])
    assert np.array_equal(track.as_of, dates[299:-5])
    expected = [rv[start : start + 5].mean() for start in range(300, 596)]
    np.testing.assert_allclose(track.rv, expected, rtol=1e-12)


def test_a_fit_sees_no_target_that_ends_after_its_cut_off(
    data: TrainingSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def record(recipe: Garch, known: TrainingSet) -> Fit:
        pairs = known.pairs(recipe.lookback)
        seen.append((pairs.target_dates[-1] + 4, known.target.series.dates[-1]))
        return last_value(small_config()).fit(known)

    monkeypatch.setattr(Garch, "fit", record)
    forecast_all(replace(data, horizon=5), ["garch"])
    assert len(seen) == 14  # blocks of 22 in 296 targets
    assert all(last_day_of_a_target == cut_off for last_day_of_a_target, cut_off in seen)


def test_last_sessions_that_begin_no_whole_horizon_are_no_block(data: TrainingSet) -> None:
    assert len(blocks(data, 50)) == 6
    assert len(blocks(replace(data, horizon=60), 50)) == 5  # the last 59 sessions begin none


def test_a_target_whose_second_half_begins_no_horizon_is_not_forecast(data: TrainingSet) -> None:
    series = data.target.series
    kept = np.arange(len(series)) % 15 != 0  # no 22 sessions in a row
    kept[: len(series) // 2] = True
    thin = replace(data.target, series=series.part(kept))
    names = ("last_value", "log_har", "garch")
    thinned = TrainingSet(thin, {}, data.seed, 22)
    assert forecast_all(thinned, names) == {}
    assert set(forecast_all(replace(thinned, horizon=5), names)) >= set(names)


def test_forecasts_stay_in_the_range_of_what_is_forecast(data: TrainingSet) -> None:
    """Means over a month vary less than days do, and so may their forecasts."""
    monthly = replace(data, horizon=22)
    first = monthly.until(blocks(monthly, 22)[0].cut_off).pairs(1).targets
    forecast = forecast_all(monthly, ["last_value"])["last_value"].forecast[:22]
    assert first.min() <= forecast.min()
    assert forecast.max() <= first.max()
    assert forecast.min() == first.min() or forecast.max() == first.max()  # days went beyond


def test_a_network_is_forecast_by_its_mean_and_by_each_of_its_seeds(data: TrainingSet) -> None:
    tracks = forecast_all(data, ["lstm"], seeds=2)
    mean = tracks["lstm"]
    assert list(mean.by_seed) == [7, 8]
    for seed, forecast in mean.by_seed.items():
        alone = forecast_all(replace(data, seed=seed), ["lstm"])["lstm"]
        assert forecast.tobytes() == alone.forecast.tobytes() == alone.by_seed[seed].tobytes()
        assert not np.allclose(forecast, mean.forecast)
    # exp(m + s²/2) with m the mean of the seeds' logs, so off their geometric mean by one factor
    # a block and seed: that of the residual variances. Both blocks are of 150 sessions.
    moved = mean.forecast / np.sqrt(mean.by_seed[7] * mean.by_seed[8])
    for block in (moved[:150], moved[150:]):
        np.testing.assert_allclose(block, block[0], rtol=1e-6)
        assert block[0] < 1  # the mean's errors are the smaller ones
    assert tracks["har"].by_seed == {}


def test_models_that_share_a_pre_training_are_fitted_together() -> None:
    names = ["har", "lstm", "transfer", "transfer_residual", "transfer_full"]
    groups = [[r.name for r in group] for group in together(recipes(names, small_config()))]
    networks = [["transfer", "transfer_full"], ["transfer_residual"], ["lstm"]]
    assert groups == [*networks, *([name] for name in BENCHMARKS)]


def test_big_jobs_go_first_and_carry_only_the_sources_they_need(data: TrainingSet) -> None:
    sent: list[tuple[str, str, int]] = []

    def here(jobs: Iterable[tuple[Callable, tuple, dict]]) -> Iterator[list[BlockForecasts]]:
        for run, (job,), _ in jobs:
            sent.extend(
                (part.recipes[0].name, "".join(part.data.sources), part.key.horizon) for part in job
            )
            yield run(job)

    chosen = tuple(recipes(["transfer", "lstm"], small_config()))
    studies = [Study(data, chosen), Study(replace(data, horizon=5), chosen)]
    assert sum(it.fits for it in walk_forward(studies, here)) == count_fits(studies).total()
    assert sent[:4] == [("transfer", "SOURCE", horizon) for horizon in (1, 5, 1, 5)]
    assert sent[4:8] == [("lstm", "", horizon) for horizon in (1, 5, 1, 5)]
    assert {name for name, _, _ in sent[8:]} == set(BENCHMARKS)


def test_last_value_is_the_value_of_the_day_before(
    data: TrainingSet, tracks: dict[str, ForecastTrack]
) -> None:
    np.testing.assert_allclose(tracks["last_value"].forecast, data.target.series.rv[299:-1])


def test_fits_are_as_far_apart_as_configured(data: TrainingSet) -> None:
    found = blocks(data, 150)
    assert [block.cut_off for block in found] == [data.target.series.dates[i] for i in (299, 449)]
    assert found[-1].last_target == data.target.series.dates[-1]


def test_a_source_is_cut_where_the_target_is(data: TrainingSet) -> None:
    cut = data.target.series.dates[100]
    known = data.until(cut)
    for series in (known.target.series, known.sources["SOURCE"].series):
        assert series.dates[-1] == cut


def test_a_process_is_sent_the_sources_that_its_models_learn_from(data: TrainingSet) -> None:
    both = replace(data, sources={**data.sources, "OTHER": data.target})
    named = {it.name: it for it in recipes(["transfer"], small_config())}
    assert list(only_needed(both, (named["har"], named["transfer"])).sources) == ["SOURCE"]
    assert only_needed(both, (named["har"],)).sources == {}
