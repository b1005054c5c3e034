from dataclasses import replace

import numpy as np
import pytest

from tests.volatility.honest import WARM_UP, honest_forecasts, horizon_means
from volatility.calendars import get_calendar
from volatility.datasets import load
from volatility.errors import (
    InvalidSeries,
    MisalignedForecasts,
    TooFewObservations,
    UnknownModel,
    UnsupportedHorizon,
)
from volatility.evaluation.breaks import after_breaks
from volatility.evaluation.compare import compare
from volatility.evaluation.confidence_set import model_confidence_set
from volatility.evaluation.diebold_mariano import diebold_mariano
from volatility.evaluation.influence import influence
from volatility.evaluation.intervals import MINIMUM, rolling_offsets, rolling_quantiles
from volatility.evaluation.losses import qlike_losses
from volatility.evaluation.superior_ability import superior_ability_pvalues
from volatility.evaluation.tracks import ForecastTrack, align
from volatility.series import DatedSeries, daily_series
from volatility.simulation.regression import har_process

NOBS = 500
DAY = np.timedelta64(1, "D")


def make_track(model: str, forecast: np.ndarray, rv: np.ndarray) -> ForecastTrack:
    dates = np.datetime64("2020-01-01") + np.arange(len(rv))
    return ForecastTrack(model, dates - DAY, dates, forecast, rv)


@pytest.fixture(scope="module")
def tracks() -> dict[str, ForecastTrack]:
    """Honest forecasts of one simulated asset, by model."""
    rv = har_process((-0.8, 0.4, 0.3, 0.2), NOBS + WARM_UP, np.random.default_rng(1), scale="logs")[
        0
    ]
    forecasts = honest_forecasts(rv)
    return {model: make_track(model, forecasts[model], rv[WARM_UP:]) for model in forecasts}


@pytest.fixture(scope="module")
def daily() -> DatedSeries:
    rv = har_process((-0.8, 0.4, 0.3, 0.2), 900, np.random.default_rng(3), scale="logs")[0]
    return DatedSeries(rv, "garman_klass", np.datetime64("2020-01-01") + np.arange(900))


def part(track: ForecastTrack, rows: slice | np.ndarray) -> ForecastTrack:
    return replace(
        track,
        as_of=track.as_of[rows],
        target_dates=track.target_dates[rows],
        forecast=track.forecast[rows],
        rv=track.rv[rows],
    )


def bounds_of(track: ForecastTrack, horizon: int = 1) -> np.ndarray:
    """80 % interval given at each date of a walk-forward; (n, 2), NaN before the first."""
    offsets = rolling_offsets(np.log(track.rv / track.forecast), (0.8,), horizon)[:, 0]
    return track.forecast[:, None] * np.exp(offsets)


def moved(track: ForecastTrack, sessions: int) -> ForecastTrack:
    """Each forecast by the date ``sessions`` after its own; rv and dates where they belong."""
    rows = np.arange(2, len(track) - 2)
    return replace(part(track, rows), forecast=track.forecast[rows - sessions])


def horizon_tracks(series: DatedSeries, horizon: int) -> dict[str, ForecastTrack]:
    """Honest forecasts of the mean over ``horizon`` sessions, by model."""
    dates, rv = series.dates, horizon_means(series.rv, horizon)
    rows = slice(WARM_UP, WARM_UP + len(rv))
    as_of, target_dates = dates[WARM_UP - 1 :][: len(rv)], dates[rows]
    return {
        model: ForecastTrack(model, as_of, target_dates, forecast, rv, horizon)
        for model, forecast in honest_forecasts(series.rv, horizon).items()
    }


def tell(tracks: dict[str, ForecastTrack], daily: DatedSeries | None = None) -> dict[str, str]:
    """What a comparison says of models' timing, with a baseline that is in time beside them."""
    inert = replace(next(iter(tracks.values())), model="inert")
    inert = replace(inert, forecast=np.full(len(inert), 3e-4))
    result = compare([*tracks.values(), inert], baseline="inert", daily=daily)
    assert set(result.left_out).isdisjoint(row.model for row in result.rows)
    return {**result.warnings, **result.left_out}


class TestForecastTrack:
    def test_a_forecast_made_after_its_target_is_refused(self, tracks):
        har = tracks["har"]
        with pytest.raises(MisalignedForecasts, match="har forecasts 2020-01-01 as of 2020-01-01"):
            replace(har, as_of=har.target_dates)

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            (lambda t: {"rv": t.rv[1:]}, "length_mismatch"),
            (
                lambda t: {"target_dates": t.target_dates[::-1], "as_of": t.as_of[::-1]},
                "unsorted_dates",
            ),
            (lambda t: {"forecast": -t.forecast}, "non_positive_rv"),
            (lambda t: {"rv": t.rv * np.nan}, "non_positive_rv"),
        ],
    )
    def test_what_cannot_be_scored_is_refused(self, tracks, change, code):
        with pytest.raises(InvalidSeries, match="the forecasts of har have") as refusal:
            replace(tracks["har"], **change(tracks["har"]))
        assert refusal.value.code == code

    @pytest.mark.parametrize("forecast", [np.ones(NOBS - 1), np.full(NOBS, np.nan)])
    def test_a_seed_that_cannot_be_scored_is_refused(self, tracks, forecast):
        with pytest.raises(InvalidSeries, match="the forecasts of har have"):
            replace(tracks["har"], by_seed={7: forecast})

    def test_a_horizon_of_no_session_is_refused(self, tracks):
        with pytest.raises(UnsupportedHorizon, match="har forecasts 0 sessions"):
            replace(tracks["har"], horizon=0)


class TestAlign:
    def test_tracks_of_two_horizons_are_refused(self, tracks):
        with pytest.raises(MisalignedForecasts, match=r"horizons \[1, 5\]"):
            align([tracks["har"], replace(tracks["ewma"], horizon=5)])

    def test_tracks_meet_on_their_common_dates(self, tracks):
        odd = np.delete(np.arange(NOBS), [3, 200])
        aligned = align([part(tracks["har"], slice(5, 400)), part(tracks["ewma"], odd)])
        expected = np.delete(np.arange(5, 400), 195)
        np.testing.assert_array_equal(aligned.target_dates, tracks["har"].target_dates[expected])
        np.testing.assert_array_equal(aligned.rv, tracks["har"].rv[expected])
        for model in ("har", "ewma"):
            np.testing.assert_array_equal(
                aligned.forecasts[model], tracks[model].forecast[expected]
            )

    def test_tracks_that_disagree_on_what_happened_are_refused(self, tracks):
        other = replace(tracks["ewma"], rv=tracks["ewma"].rv * 1.01)
        with pytest.raises(MisalignedForecasts, match="har and ewma disagree on the rv of 2020-01"):
            align([tracks["har"], other])

    def test_one_wrong_as_of_among_many_is_found(self, tracks):
        as_of = tracks["ewma"].as_of.copy()
        as_of[77] -= DAY
        with pytest.raises(MisalignedForecasts, match="disagree on the as_of of 2020-03-18"):
            align([tracks["har"], replace(tracks["ewma"], as_of=as_of)])

    def test_a_model_is_compared_once(self, tracks):
        with pytest.raises(MisalignedForecasts, match="one name"):
            align([tracks["har"], tracks["har"]])

    def test_tracks_without_a_common_date_are_refused(self, tracks):
        with pytest.raises(TooFewObservations, match="common to the 2 tracks"):
            align([part(tracks["har"], slice(0, 50)), part(tracks["ewma"], slice(50, 99))])
        with pytest.raises(TooFewObservations, match="common to the 0 tracks"):
            align([])


class TestCompare:
    def test_rows_hold_the_losses_of_the_scored_dates_best_first(self, tracks):
        start = tracks["har"].target_dates[300]
        result = compare(list(tracks.values()), start)
        assert result.nobs == NOBS - 300
        assert result.span == (start, tracks["har"].target_dates[-1])
        assert {row.model for row in result.rows} == set(tracks)
        losses = [row.qlike_loss for row in result.rows]
        assert losses == sorted(losses)
        for row in result.rows:
            track = tracks[row.model]
            expected = qlike_losses(track.rv[300:], track.forecast[300:])
            assert row.qlike_loss == pytest.approx(expected.mean(), rel=1e-14)
            error = np.sqrt(track.rv[300:]) - np.sqrt(track.forecast[300:])
            assert row.rmse_volatility == pytest.approx(np.sqrt(np.mean(error**2)))
            assert row.mae_volatility == pytest.approx(np.abs(error).mean())
            log_rv, log_forecast = np.log(track.rv[300:]), np.log(track.forecast[300:])
            assert row.correlation_log == pytest.approx(np.corrcoef(log_rv, log_forecast)[0, 1])
            assert row.r_squared_log == pytest.approx(
                1 - np.mean((log_rv - log_forecast) ** 2) / log_rv.var()
            )
            assert row.information_lag == 1

    def test_single_seeds_are_scored_on_the_same_dates_as_their_mean(self, tracks):
        track = tracks["log_har"]
        by_seed = {7: track.forecast * 1.1, 8: track.forecast * 0.8, 9: track.forecast}
        mean = replace(track, by_seed=by_seed)
        others = [part(own, slice(10, None)) for name, own in tracks.items() if name != "log_har"]
        result = compare([*others, mean], track.target_dates[300])
        rows = {row.model: row for row in result.rows}
        found = rows["log_har"]
        expected = {
            seed: qlike_losses(track.rv[300:], forecast[300:]).mean()
            for seed, forecast in by_seed.items()
        }
        assert found.qlike_loss_by_seed == pytest.approx(expected, rel=1e-12)
        losses = list(expected.values())
        assert found.qlike_seed_mean == pytest.approx(np.mean(losses))
        assert found.qlike_seed_deviation == pytest.approx(np.std(losses, ddof=1))
        assert found.qlike_loss == found.qlike_loss_by_seed[9]
        har = rows["har"]
        assert (har.qlike_loss_by_seed, har.qlike_seed_mean, har.qlike_seed_deviation) == (
            {},
            None,
            None,
        )

    def test_one_seed_has_no_deviation(self, tracks):
        one = replace(tracks["log_har"], by_seed={7: tracks["log_har"].forecast})
        rows = {row.model: row for row in compare([tracks["har"], one]).rows}
        assert rows["log_har"].qlike_seed_mean == rows["log_har"].qlike_loss
        assert rows["log_har"].qlike_seed_deviation is None

    def test_significance_is_that_of_the_tests_on_the_same_losses(self, tracks):
        result = compare(list(tracks.values()))
        losses = {m: qlike_losses(t.rv, t.forecast) for m, t in tracks.items()}
        confidence_set = model_confidence_set(losses)
        for row in result.rows:
            assert set(row.diebold_mariano) == {"har", "log_har", "last_value"} - {row.model}
            for benchmark, test in row.diebold_mariano.items():
                assert test == diebold_mariano(losses[row.model], losses[benchmark])
            assert row.in_confidence_set == (row.model in confidence_set.included)
            assert row.confidence_set_pvalue == confidence_set.pvalues[row.model]

    def test_a_benchmark_is_tested_against_the_best_of_all(self, tracks):
        result = compare(list(tracks.values()))
        losses = {m: qlike_losses(t.rv, t.forecast) for m, t in tracks.items()}
        names = ("har", "log_har", "last_value")
        assert result.spa_pvalue == superior_ability_pvalues(losses, names)

    def test_the_most_influential_day_is_that_of_the_scored_dates(self, tracks):
        start = tracks["har"].target_dates[300]
        row = next(row for row in compare(list(tracks.values()), start).rows if row.model == "ewma")
        losses = {m: qlike_losses(t.rv, t.forecast)[300:] for m, t in tracks.items()}
        dates = tracks["har"].target_dates[300:]
        assert row.influence == {
            name: influence(losses["ewma"], losses[name], dates)
            for name in ("har", "log_har", "last_value")
        }

    def test_a_shift_beyond_doubt_is_left_out_and_the_others_go_on(self, tracks):
        shifted = {**tracks, "ewma": moved(tracks["ewma"], 1)}
        result = compare(list(shifted.values()))
        without = {m: t for m, t in tracks.items() if m != "ewma"}
        rows = slice(2, NOBS - 2)  # where the moved forecasts are
        assert set(result.left_out) == {"ewma"}
        assert result.rows == compare([part(t, rows) for t in without.values()]).rows

    def test_a_baseline_beyond_doubt_is_refused(self, tracks):
        shifted = {**tracks, "har": moved(tracks["har"], 1)}
        with pytest.raises(MisalignedForecasts, match="har follows the news of 2 sessions") as it:
            compare(list(shifted.values()))
        assert it.value.field == "har"

    def test_ratios_refer_to_the_baseline(self, tracks):
        result = compare(list(tracks.values()), baseline="last_value")
        by_model = {row.model: row for row in result.rows}
        assert by_model["last_value"].qlike_ratio == 1.0
        assert by_model["log_har"].qlike_ratio == pytest.approx(
            by_model["log_har"].qlike_loss / by_model["last_value"].qlike_loss
        )

    def test_coverage_is_that_of_the_intervals_given_at_the_time(self, tracks):
        har = tracks["har"]
        row = compare([har], har.target_dates[200]).rows[0]
        bounds = bounds_of(har)[200:]
        inside = (bounds[:, 0] <= har.rv[200:]) & (har.rv[200:] <= bounds[:, 1])
        assert row.coverage[0.8] == pytest.approx(inside.mean())
        assert row.coverage_nobs == NOBS - 200
        by_size = np.array_split(inside[np.argsort(har.forecast[200:], kind="stable")], 3)
        assert row.coverage_by_tercile[0.8] == pytest.approx([third.mean() for third in by_size])
        width = np.log(bounds[:, 1] / bounds[:, 0]).mean()
        assert row.interval_loss_log[0.8] > width
        assert row.coverage[0.95] > row.coverage[0.8]

    def test_intervals_after_breaks_and_quantiles_are_those_given_at_the_time(self, tracks):
        har = tracks["har"]
        row = compare([har], har.target_dates[200]).rows[0]
        bounds = bounds_of(har)
        inside = (bounds[:, 0] <= har.rv) & (har.rv <= bounds[:, 1])
        scored = np.arange(NOBS) >= 200
        after = after_breaks(np.log(har.rv), scored) & scored
        assert row.coverage_after_breaks[0.8] == pytest.approx(inside[after].mean())
        grid = [(k + 0.5) / 20 for k in range(20)]
        offsets = rolling_quantiles(np.log(har.rv / har.forecast), grid)[200:]
        error = np.log(har.rv / har.forecast)[200:, None] - offsets
        crps = 2 * np.mean(np.where(error < 0, np.array(grid) - 1, grid) * error)
        assert row.crps_log == pytest.approx(crps)
        assert row.crps_log < np.abs(error[:, 10]).mean()

    def test_dates_before_the_first_interval_are_not_counted(self, tracks):
        row = compare([tracks["har"]]).rows[0]
        assert row.coverage_nobs == NOBS - MINIMUM
        short = compare([part(tracks["har"], slice(0, MINIMUM))]).rows[0]
        assert (short.coverage_nobs, dict(short.coverage)) == (0, {})
        assert (dict(short.coverage_after_breaks), short.crps_log) == ({}, None)

    def test_is_repeatable(self, tracks):
        everything = list(tracks.values())
        assert compare(everything) == compare(everything)

    def test_dates_are_joined_and_not_positions(self, tracks):
        ragged = [part(track, slice(10 * at, None)) for at, track in enumerate(tracks.values())]
        whole = [part(track, slice(40, None)) for track in tracks.values()]
        assert compare(ragged) == compare(whole)

    @pytest.mark.parametrize("model", ["last_value", "moving_average", "ewma", "har", "log_har"])
    @pytest.mark.parametrize(("sessions", "lag"), [(1, 2), (-1, 0)])
    def test_a_shift_by_one_session_in_one_model_is_caught(self, tracks, model, sessions, lag):
        shifted = {**tracks, model: moved(tracks[model], sessions)}
        told = tell(shifted)
        assert f"{model} follows the news of {lag} session" in told[model]
        assert set(told) == {model}

    def test_a_shift_of_a_whole_track_by_one_date_is_caught(self, tracks):
        ewma = tracks["ewma"]
        later = replace(ewma, as_of=ewma.as_of + DAY, target_dates=ewma.target_dates + DAY)
        with pytest.raises(MisalignedForecasts, match="disagree on the rv"):
            compare([tracks["har"], later])

    @pytest.mark.parametrize("sessions", [1, -1])
    def test_a_shift_is_caught_on_real_data(self, sessions):
        dataset = load("BTC-USD")
        series, _ = daily_series(dataset.bars, dataset.measure, get_calendar(dataset.calendar))
        dates, rv = series.dates, series.rv
        as_of, target_dates, target = dates[WARM_UP - 1 : -1], dates[WARM_UP:], rv[WARM_UP:]
        honest = {
            model: ForecastTrack(model, as_of, target_dates, forecast, target)
            for model, forecast in honest_forecasts(rv).items()
        }
        assert {row.information_lag for row in compare(list(honest.values())).rows} == {1}
        for model, track in honest.items():
            shifted = {**honest, model: moved(track, sessions)}
            assert set(tell(shifted)) == {model}

    def test_the_baseline_has_to_be_among_the_models(self, tracks):
        with pytest.raises(UnknownModel, match="baseline lstm is not among har"):
            compare([tracks["har"]], baseline="lstm")

    def test_a_start_after_the_last_forecast_is_refused(self, tracks):
        with pytest.raises(TooFewObservations, match="no forecast on or after 2031-01-01"):
            compare([tracks["har"]], np.datetime64("2031-01-01"))


class TestLongerHorizons:
    @pytest.mark.parametrize("horizon", [5, 22])
    def test_tests_and_intervals_know_that_forecasts_overlap(self, daily, horizon):
        tracks = horizon_tracks(daily, horizon)
        result = compare(list(tracks.values()), daily=daily)
        assert result.horizon == horizon
        losses = {m: qlike_losses(t.rv, t.forecast) for m, t in tracks.items()}
        confidence_set = model_confidence_set(losses, horizon=horizon)
        for row in result.rows:
            assert row.confidence_set_pvalue == confidence_set.pvalues[row.model]
            for benchmark, test in row.diebold_mariano.items():
                assert test == diebold_mariano(losses[row.model], losses[benchmark], horizon)
            track = tracks[row.model]
            bounds = bounds_of(track, horizon)
            known = ~np.isnan(bounds[:, 0])
            assert row.coverage_nobs == known.sum() == len(track) - MINIMUM - (horizon - 1)
            inside = (bounds[known, 0] <= track.rv[known]) & (track.rv[known] <= bounds[known, 1])
            assert row.coverage[0.8] == pytest.approx(inside.mean())

    @pytest.mark.parametrize("horizon", [5, 22])
    @pytest.mark.parametrize("model", ["last_value", "moving_average", "ewma", "har", "log_har"])
    @pytest.mark.parametrize(("sessions", "lag"), [(1, 2), (-1, 0)])
    def test_a_shift_by_one_session_is_caught(self, daily, horizon, model, sessions, lag):
        tracks = horizon_tracks(daily, horizon)
        honest = compare(list(tracks.values()), daily=daily)
        assert {row.information_lag for row in honest.rows} == {1}
        shifted = {**tracks, model: moved(tracks[model], sessions)}
        told = tell(shifted, daily)
        assert f"{model} follows the news of {lag} session" in told[model]
        assert set(told) == {model}

    @pytest.mark.parametrize("horizon", [5, 22])
    @pytest.mark.parametrize("sessions", [1, -1])
    def test_a_shift_is_caught_on_real_data(self, horizon, sessions):
        dataset = load("BTC-USD")
        daily, _ = daily_series(dataset.bars, dataset.measure, get_calendar(dataset.calendar))
        honest = horizon_tracks(daily, horizon)
        rows = compare(list(honest.values()), daily=daily).rows
        assert {row.information_lag for row in rows} == {1}
        for model, track in honest.items():
            shifted = {**honest, model: moved(track, sessions)}
            assert set(tell(shifted, daily)) == {model}

    def test_without_the_daily_series_the_timing_cannot_be_told(self, daily):
        rows = compare(list(horizon_tracks(daily, 5).values())).rows
        assert {row.information_lag for row in rows} == {None}

    def test_a_daily_series_without_a_target_date_is_refused(self, daily):
        tracks = list(horizon_tracks(daily, 5).values())
        rows = np.arange(900) != 300
        gap = DatedSeries(daily.rv[rows], daily.measure, daily.dates[rows])
        with pytest.raises(MisalignedForecasts, match="no session on 2020-10-27"):
            compare(tracks, daily=gap)
