import numpy as np
import pytest

from tests.training.reproduction.stand_in import stand_in_data
from training.reproduction.samples import bitcoin_daily, samples_of, spx_daily
from training.reproduction.simple_forecasts import SIMPLE_FORECASTS, har
from volatility.measures.intraday import realized_variance


def test_no_window_reaches_from_one_file_into_another() -> None:
    data = stand_in_data()
    partition = samples_of(data)["published"].target.partition(20)
    for rows, series in (
        (partition.training, data.bitcoin.training),
        (partition.validation, data.bitcoin.validation),
        (partition.test, data.bitcoin.test),
    ):
        assert len(rows) == len(series) - 20
        np.testing.assert_array_equal(rows.windows[0], series.log_rv[:20])
        np.testing.assert_array_equal(rows.targets, series.log_rv[20:])
        np.testing.assert_array_equal(rows.times, series.times[20:])
    assert len(partition.both) == len(data.bitcoin.training) + len(data.bitcoin.validation) - 20


def test_the_daily_measure_is_a_days_own_returns() -> None:
    data = stand_in_data()
    daily = bitcoin_daily(data)
    day = daily.series.dates[5]
    bars = data.bitcoin.bars
    inside = np.flatnonzero(bars.dates == day)
    returns = np.diff(np.log(bars.close[inside[0] - 1 : inside[-1] + 1]))
    expected = 0.5 * np.log(365 * realized_variance(returns[None, :]))
    assert len(returns) == 24
    assert daily.log_volatility.values[5] == pytest.approx(expected[0], rel=1e-12)


def test_the_daily_sample_is_split_by_date_in_the_papers_shares() -> None:
    daily = bitcoin_daily(stand_in_data())
    partition = daily.partition(22)
    assert partition.training.times[-1] < daily.validation_start <= partition.validation.times[0]
    assert partition.validation.times[-1] < daily.test_start <= partition.test.times[0]
    nobs = len(daily.series)
    assert len(partition.test) == nobs - int(nobs * 0.75)
    assert len(partition.validation) == int(nobs * 0.75) - int(nobs * 0.5)
    assert len(partition.training) == int(nobs * 0.5) - 22
    # A window of the test part reaches back into the validation part.
    assert partition.test.windows[0, -1] == partition.validation.targets[-1]


def test_the_source_ends_where_the_papers_files_do() -> None:
    data = stand_in_data()
    partition = spx_daily(data).partition(20)
    assert partition.validation.times[0] == data.spx.validation.times[0].astype("datetime64[D]")
    assert partition.test.times[0] == data.spx.test.times[0].astype("datetime64[D]")


def test_z_scores_are_those_of_the_training_part_and_can_be_undone() -> None:
    partition = samples_of(stand_in_data())["published"].target.partition(22)
    standardized = partition.standardized()
    assert standardized.training.targets.mean() == pytest.approx(0, abs=1e-12)
    assert standardized.training.targets.std() == pytest.approx(1, abs=1e-12)
    restored = partition.moments.restore(standardized.test.targets)
    np.testing.assert_allclose(restored, partition.test.targets, rtol=0, atol=1e-12)


def test_har_is_least_squares_on_training_and_validation_part() -> None:
    series = samples_of(stand_in_data())["published"].target
    partition = series.partition(22)

    def design(windows: np.ndarray) -> np.ndarray:
        means = [windows[:, -lag:].mean(axis=1) for lag in (1, 5, 22)]
        return np.column_stack([np.ones(len(windows)), *means])

    fitted = np.linalg.lstsq(design(partition.both.windows), partition.both.targets, rcond=None)[0]
    np.testing.assert_allclose(
        har(series).values, design(partition.test.windows) @ fitted, rtol=0, atol=1e-10
    )


def test_benchmarks_forecast_from_the_row_that_their_window_allows() -> None:
    series = samples_of(stand_in_data())["published"].target
    test = stand_in_data().bitcoin.test
    tracks = {name: forecast(series) for name, forecast in SIMPLE_FORECASTS.items()}
    first = {
        name: int(np.searchsorted(test.times, track.times[0])) for name, track in tracks.items()
    }
    assert first == {
        "last_value": 1,
        "moving_average": 5,
        "har": 22,
        "har_of_training_part": 22,
    }
    np.testing.assert_array_equal(tracks["last_value"].values, test.log_rv[:-1])
    assert tracks["moving_average"].values[0] == pytest.approx(test.log_rv[:5].mean(), rel=1e-14)
    assert not np.array_equal(tracks["har"].values, tracks["har_of_training_part"].values)
