from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_store.forecast import ForecastInput
from models_store.runtime import LoadedModel
from models_store.store import Store
from tests.models_store.artifacts import (
    LEVERAGE,
    make_files,
    make_network_files,
    make_series,
    make_windows,
)
from volatility.errors import (
    HistoryTooShort,
    ImplausibleUnit,
    InvalidSeries,
    UnsupportedHorizon,
    UnsupportedLevel,
)
from volatility.regressors import on_scale
from volatility.series import Bounds, DatedSeries, RealizedSeries, to_rv


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return _published(tmp_path_factory.mktemp("store"), make_files())


@pytest.fixture(scope="module")
def leverage(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """A model that sees returns."""
    return _published(tmp_path_factory.mktemp("store"), make_files(coefficients=LEVERAGE))


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """A network that shows two weights."""
    return _published(tmp_path_factory.mktemp("store"), make_network_files(model="har"))


def _published(folder: Path, files: dict[str, bytes]) -> LoadedModel:
    store = Store(folder)
    store.promote("TEST", "har", store.publish(files))
    return store.load("TEST", "har")


def test_forecast_by_hand(model: LoadedModel) -> None:
    rv = np.full(22, 1e-4)
    rv[-5:] = 2e-4
    rv[-1] = 4e-4
    history = DatedSeries(rv=rv, measure="garman_klass", dates=_days(22))
    # day 4e-4; week (4 * 2e-4 + 4e-4) / 5 = 2.4e-4; month (17e-4 + 12e-4) / 22 = 1.3181818e-4
    expected = 1e-5 + 0.4 * 4e-4 + 0.3 * 2.4e-4 + 0.2 * 29e-4 / 22
    forecast = model.forecast(history, levels=(0.8, 0.95))
    assert forecast.rv == pytest.approx(expected, rel=1e-12)
    assert forecast.volatility == pytest.approx(expected**0.5, rel=1e-12)
    assert forecast.volatility_annualized == pytest.approx((365 * expected) ** 0.5, rel=1e-12)
    assert (forecast.as_of, forecast.target_date) == (date(2020, 1, 22), date(2020, 1, 23))
    narrow, wide = forecast.intervals
    assert narrow.rv == pytest.approx((expected * np.exp(-0.5), expected * np.exp(0.5)))
    assert wide.volatility_annualized == pytest.approx(
        ((365 * expected * np.exp(-1)) ** 0.5, (365 * expected * np.exp(1)) ** 0.5)
    )
    assert (narrow.coverage_observed, narrow.nobs) == (0.8, 100)


def test_the_shortest_sufficient_history_gives_the_same_bits_as_a_long_one(
    model: LoadedModel,
) -> None:
    history = make_series(nobs=3000, seed=3)
    short = DatedSeries(history.rv[-22:], history.measure, history.dates[-22:])
    # The long one also tells how the model has done since its fit.
    calibration = model.calibrate(short)
    asked = ForecastInput(history, calibration=calibration)
    assert model.forecast_batch([asked]) == [model.forecast(short)]


def test_a_forecast_from_returns_by_hand(leverage: LoadedModel) -> None:
    rv = np.full(22, 1e-4)
    for last, more in ((-0.05, 5e-5), (0.05, 0.0)):  # a loss of 5 %, times -1e-3; a gain counts 0
        returns = np.append(np.full(21, -0.01), last)
        history = DatedSeries(rv, "garman_klass", _days(22), columns={"return": returns})
        assert leverage.forecast(history).rv == pytest.approx(1e-5 + 0.9e-4 + more, rel=1e-12)


def test_earlier_and_other_columns_change_nothing(leverage: LoadedModel) -> None:
    history = make_series(nobs=300, seed=3)
    wide = replace(history, columns={"jump": history.rv, **history.columns})
    assert (
        leverage.forecast(wide) == leverage.forecast(history) == leverage.forecast(history.tail(22))
    )


def test_a_history_that_lacks_a_column_is_refused_and_told_what_to_send(
    leverage: LoadedModel,
) -> None:
    history = make_series()
    message = "har of TEST needs return beside rv; the history lacks return; send bars"
    for refuse in (leverage.forecast, lambda series: leverage.check(ForecastInput(series))):
        with pytest.raises(InvalidSeries, match=message) as refused:
            refuse(history.select(()))
        assert (refused.value.code, refused.value.field) == ("missing_columns", "history")
    with pytest.raises(InvalidSeries, match=message):  # however short: a longer one lacks it, too
        leverage.forecast(history.select(()).tail(5))
    with pytest.raises(HistoryTooShort, match="got 5"):
        leverage.forecast(history.tail(5))


def test_diagnostics_are_those_of_the_row(network: LoadedModel) -> None:
    rv = np.full(22, np.exp(-9.0))
    even = network.forecast(RealizedSeries(rv, "garman_klass"))
    assert even.diagnostics == {"weights": pytest.approx((0.5, 0.5), abs=1e-6)}
    rv[-1] = 3 * np.exp(-9.0)  # the logistic of ln 3 is 3 / (1 + 3)
    history = RealizedSeries(rv, "garman_klass")
    assert network.forecast(history).diagnostics["weights"] == pytest.approx((0.75, 0.25), abs=1e-6)
    # The mean of the logs is -9 + ln 3 / 22; half of 0.1 moves it to the mean.
    expected = np.exp(-9 + np.log(3) / 22 + 0.05)
    assert network.forecast(history).rv == pytest.approx(expected, rel=1e-5)


def test_most_models_show_nothing_of_themselves(model: LoadedModel) -> None:
    assert model.forecast(make_series()).diagnostics == {}


@pytest.mark.parametrize("name", ["model", "leverage", "network"])
@pytest.mark.parametrize("size", [1, 2, 17, 40])
def test_a_forecast_does_not_depend_on_its_batch(
    request: pytest.FixtureRequest, name: str, size: int
) -> None:
    model: LoadedModel = request.getfixturevalue(name)
    histories = [make_series(nobs=30 + i, seed=i) for i in range(size)]
    batch = model.forecast_batch([ForecastInput(history, (0.8,)) for history in histories])
    assert batch == [model.forecast(history, (0.8,)) for history in histories]


@given(st.floats(1e-6, 0.01), st.floats(-1, 1))
def test_what_comes_later_changes_no_forecast(
    leverage: LoadedModel, rv: float, later_return: float
) -> None:
    known = make_series(nobs=60)
    extended = DatedSeries(
        np.append(known.rv, rv),
        known.measure,
        np.append(known.dates, known.dates[-1] + 1),
        columns={"return": np.append(known.columns["return"], later_return)},
    )
    assert leverage.forecast(extended.until(known.dates[-1])) == leverage.forecast(known)


def test_rv_alone_is_logged() -> None:
    windows = make_windows(("return",))
    assert on_scale(windows, "levels") is windows
    logs = on_scale(windows, "logs")
    assert (logs["rv"] == np.log(windows["rv"])).all()
    assert logs["return"] is windows["return"]


def test_a_history_without_dates_has_no_place_in_time(model: LoadedModel) -> None:
    forecast = model.forecast(RealizedSeries(rv=np.full(22, 1e-4), measure="garman_klass"))
    assert forecast.as_of is None
    assert forecast.target_date is None


def test_missing_sessions_are_counted_inside_the_window_alone(model: LoadedModel) -> None:
    dates = np.delete(_days(60), [3, 50, 51])  # the first gap is older than the window
    history = DatedSeries(rv=np.full(57, 1e-4), measure="garman_klass", dates=dates)
    forecast = model.forecast(history)
    assert forecast.missing_sessions == 2
    assert any("2 sessions are missing" in warning for warning in forecast.warnings)


def test_a_forecast_beyond_the_training_range_is_clipped_and_says_so(model: LoadedModel) -> None:
    history = DatedSeries(rv=np.full(22, 0.05), measure="garman_klass", dates=_days(22))
    forecast = model.forecast(history)
    assert forecast.rv == 0.01
    assert any("clipped" in warning for warning in forecast.warnings)


@pytest.mark.parametrize(
    ("history", "options", "error", "message"),
    [
        (np.full(17, 1e-4), {}, HistoryTooShort, r"har with lags \(1, 5, 22\) needs 22 .* got 17"),
        (np.full(22, 20.0), {}, ImplausibleUnit, "newest 22 sessions is 20"),
        (np.full(22, 1e-4), {"horizon": 5}, UnsupportedHorizon, "horizon 5 is not supported"),
        (np.full(22, 1e-4), {"levels": (0.81,)}, UnsupportedLevel, "level 0.81 is not supported"),
    ],
)
def test_what_a_model_cannot_answer(
    model: LoadedModel, history: np.ndarray, options: dict, error: type[Exception], message: str
) -> None:
    series = DatedSeries(rv=history, measure="garman_klass", dates=_days(len(history)))
    with pytest.raises(error, match=message):
        model.forecast(series, **options)


def test_a_history_in_another_measure_is_refused(model: LoadedModel) -> None:
    with pytest.raises(InvalidSeries, match="fitted on garman_klass") as refused:
        model.forecast(make_series(measure="parkinson"))
    assert refused.value.code == "measure_mismatch"


def test_logs_are_moved_to_the_mean() -> None:
    # exp(-9 + 0.5 / 2) = exp(-8.75)
    rv, clipped = to_rv(np.array([-9.0]), "logs", 0.5, Bounds(1e-9, 1.0, 0.1))
    assert rv[0] == pytest.approx(np.exp(-8.75), rel=1e-12)
    assert not clipped[0]


def test_a_negative_forecast_in_levels_becomes_the_mean_rv_seen() -> None:
    predictions = np.array([-1e-4, 0.0, 1e-7, 0.5, 2.0])
    rv, replaced = to_rv(predictions, "levels", 0.0, Bounds(low=1e-6, high=1.0, mean=1e-3))
    np.testing.assert_array_equal(rv, [1e-3, 1e-3, 1e-6, 0.5, 1.0])
    np.testing.assert_array_equal(replaced, [True, True, True, False, True])


def test_a_negative_log_is_a_forecast_like_any_other() -> None:
    rv, replaced = to_rv(np.array([-2.0]), "logs", 0.0, Bounds(1e-6, 1.0, 1e-3))
    assert rv[0] == np.exp(-2.0)
    assert not replaced[0]


def _days(count: int) -> np.ndarray:
    return np.datetime64("2020-01-01") + np.arange(count)


def test_store_root_is_only_a_path(tmp_path: Path) -> None:
    assert Store(tmp_path / "absent").assets() == []
