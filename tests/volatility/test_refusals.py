"""Each refusal says its case, the field at fault, what was found there and what is needed."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from tests.errors import details
from tests.volatility.prices import changed, make_bars
from volatility import datasets
from volatility.calendars import epoch_second, get_calendar
from volatility.errors import RoughcastError
from volatility.evaluation import compare, intervals, losses, superior_ability, tracks
from volatility.evaluation.diebold_mariano import diebold_mariano
from volatility.filters import trailing_means
from volatility.hurst.calibration import normal_quantile
from volatility.hurst.scaling import fit_scaling_law
from volatility.hurst.variogram import fit_power_law
from volatility.measures import MEASURES, daily, intraday
from volatility.pairs import make_pairs
from volatility.plausibility import check_series
from volatility.regressor_names import design_of, make_regressor
from volatility.regressors import ExponentialMean
from volatility.series import DatedSeries, RealizedSeries, daily_series
from volatility.simulation import fractional, regression

CRYPTO = get_calendar("24/7")
DAYS = np.arange("2021-01-01", "2021-01-31", dtype="datetime64[D]")
RV = np.linspace(1e-4, 2e-4, 30)
RV_MANY = np.linspace(1e-4, 2e-4, 100)
LOSSES = np.linspace(0.1, 0.4, 30)
RETURNS = np.full((2, 4), 0.01)
BARS = make_bars(30)
FLAT = changed(BARS, open=BARS.low, high=BARS.low, close=BARS.low)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def track(model: str = "har", **changes: Any) -> tracks.ForecastTrack:
    given = {
        "as_of": DAYS[:-1],
        "target_dates": DAYS[1:],
        "forecast": RV[1:],
        "rv": RV[1:],
    }
    return tracks.ForecastTrack(model, **(given | changes))


def measured(rv: np.ndarray, **columns: np.ndarray) -> RealizedSeries:
    return RealizedSeries(rv, "parkinson", columns=columns)


def with_one(position: int, value: float) -> np.ndarray:
    changed_rv = RV.copy()
    changed_rv[position] = value
    return changed_rv


def jumping(**changes: float) -> object:
    given: dict[str, Any] = {"jump_share": 0.5, "jump_probability": 0.5, "steps_per_day": 4}
    return regression.regression_process({"mean_1": 0.5}, 1e-5, 5, rng(), **(given | changes))


MEASURE_NAMES = ", ".join(MEASURES)
DATASET_NAMES = ", ".join(datasets.NAMES)
ONE_EACH = "one positive, finite forecast and rv for each of strictly increasing dates"
CASES: list[tuple[Callable[[], object], str, str | None, object, str | None]] = [
    # calendars and datasets
    (
        lambda: CRYPTO.is_session(np.array(["2100-01-01"], "M8[D]")),
        "outside_calendar",
        "date",
        "2100-01-01",
        "dates from 1900-01-01 to 2099-12-31",
    ),
    (
        lambda: CRYPTO.sessions_after(np.array(["2020-01-01", "2099-12-30"], "M8[D]"), 2),
        "outside_calendar",
        "date",
        "one of the 2 sessions after 2099-12-30",
        "dates from 1900-01-01 to 2099-12-31",
    ),
    (
        lambda: CRYPTO.last_closed_session(datetime(1900, 1, 1, 23, 59, 59, tzinfo=UTC)),
        "outside_calendar",
        "date",
        "the last session closed at 1900-01-01T23:59:59",
        "dates from 1900-01-01 to 2099-12-31",
    ),
    (
        lambda: get_calendar("MOON"),
        "unknown_calendar",
        "calendar",
        "MOON",
        "24/7, or an exchange's code such as XNYS or XLON",
    ),
    (
        lambda: epoch_second(datetime(2021, 1, 1)),  # noqa: DTZ001 - what is refused
        "invalid_input",
        "now",
        "2021-01-01T00:00:00",
        "a datetime with a time zone",
    ),
    (
        lambda: datasets.load("GOLD"),
        "unknown_asset",
        "asset",
        "GOLD",
        f"one of {DATASET_NAMES}",
    ),
    # forecasts that are compared
    (
        lambda: compare.compare([track("har"), track("garch")], baseline="best"),
        "unknown_model",
        "baseline",
        "best",
        "one of har, garch",
    ),
    (
        lambda: compare.compare([track()], np.datetime64("2021-01-31")),
        "too_few_observations",
        "start",
        "2021-01-31",
        "a date up to 2021-01-30",
    ),
    (
        lambda: compare.compare(
            [track(horizon=5)],
            daily=DatedSeries(RV[:20], "parkinson", DAYS[:20]),
        ),
        "misaligned_forecasts",
        "daily",
        "2021-01-01 to 2021-01-20 without it",
        "2021-01-21",
    ),
    (
        lambda: diebold_mariano(LOSSES, LOSSES[::-1], horizon=30),
        "too_few_observations",
        "losses",
        30,
        "more than 30",
    ),
    (
        lambda: superior_ability.superior_ability_pvalues({"har": LOSSES}, ("best",)),
        "unknown_model",
        "benchmarks",
        "best",
        "one of har",
    ),
    (
        lambda: tracks.align([track(), track()]),
        "misaligned_forecasts",
        "tracks",
        ["har", "har"],
        "distinct models",
    ),
    (lambda: tracks.align([]), "too_few_observations", "tracks", 0, "a common target date"),
    (
        lambda: tracks.align([track(), track("garch", horizon=5)]),
        "misaligned_forecasts",
        "horizon",
        [1, 5],
        "one horizon",
    ),
    (lambda: track(horizon=0), "unsupported_horizon", "horizon", 0, "at least 1"),
    (lambda: track(rv=RV), "length_mismatch", "har", "columns of lengths [29, 30]", ONE_EACH),
    (
        lambda: track(target_dates=np.append(DAYS[2:], DAYS[-1])),
        "unsorted_dates",
        "har",
        "target dates that do not strictly increase",
        ONE_EACH,
    ),
    (
        lambda: track(rv=with_one(3, 0.0)[1:]),
        "non_positive_rv",
        "har",
        "a rv that is not positive and finite",
        ONE_EACH,
    ),
    (
        lambda: track(by_seed={7: with_one(3, np.inf)[1:]}),
        "non_positive_rv",
        "har",
        "a forecast that is not positive and finite",
        ONE_EACH,
    ),
    (
        lambda: track(as_of=np.where(np.arange(29) >= 5, DAYS[1:], DAYS[:-1])),
        "misaligned_forecasts",
        "har",
        "2021-01-07",
        "a date before 2021-01-07",
    ),
    (
        lambda: tracks.align(
            [track(), track("garch", rv=RV[1:] * np.where(DAYS[1:] > DAYS[9], 2, 1))]
        ),
        "misaligned_forecasts",
        "rv",
        f"{RV[10]} and {RV[10] * 2} on 2021-01-11",
        "one rv a target date",
    ),
    (
        lambda: tracks.align([track(), track("garch", as_of=DAYS[:-1] - 1)]),
        "misaligned_forecasts",
        "as_of",
        "2021-01-01 and 2020-12-31 on 2021-01-02",
        "one as_of a target date",
    ),
    # losses and intervals
    (
        lambda: losses.qlike_losses(RV, RV[1:]),
        "length_mismatch",
        "forecast",
        (29,),
        "shape (30,)",
    ),
    (
        lambda: losses.qlike_losses(RV[:0], RV[:0]),
        "empty_history",
        "forecast",
        0,
        "at least 1",
    ),
    (
        lambda: losses.qlike_losses(RV, with_one(3, 0.0)),
        "non_positive_rv",
        "forecast",
        0.0,
        "a positive, finite number",
    ),
    (
        lambda: losses.mae_loss(with_one(3, np.inf), RV),
        "non_finite_rv",
        "actual",
        np.inf,
        "a finite number",
    ),
    (lambda: losses.check_paired({}), "empty_history", "losses", 0, "at least 1 model"),
    (
        lambda: losses.check_paired({"a": LOSSES, "b": LOSSES[1:]}),
        "length_mismatch",
        "losses",
        [(29,), (30,)],
        "equal lengths",
    ),
    (
        lambda: losses.check_paired({"a": LOSSES, "b": with_one(3, -np.inf)}),
        "non_finite_loss",
        "b",
        -np.inf,
        "finite numbers",
    ),
    (
        lambda: losses.check_paired({"a": LOSSES[:1]}),
        "too_few_observations",
        "losses",
        1,
        f"at least {losses.MINIMUM_FORECASTS}",
    ),
    (
        lambda: intervals.check_enough(intervals.MINIMUM - 1),
        "too_few_observations",
        "residuals",
        intervals.MINIMUM - 1,
        f"at least {intervals.MINIMUM}",
    ),
    (
        lambda: intervals.conformal_offsets(np.linspace(-1, 1, 200), 0.75),
        "unsupported_level",
        "level",
        0.75,
        f"one of {', '.join(map(str, intervals.LEVELS))}",
    ),
    (
        lambda: intervals.ordered_quantiles(RV_MANY, [0.5, 0.009]),
        "unsupported_quantile",
        "quantiles",
        0.009,
        "between 0.0099 and 0.9901",  # 1 / 101
    ),
    # regressors
    (
        lambda: design_of(("mean_5", "mean_1:continuous")).build({"rv": RV[None, :]}),
        "missing_columns",
        "windows",
        "windows of rv",
        "continuous",
    ),
    (
        lambda: design_of(("mean_5", "mean_22")).build({"rv": RV[None, :21]}),
        "history_too_short",
        "history",
        21,
        "at least 22 sessions",
    ),
    *[
        (
            lambda name=name: make_regressor(name),
            "invalid_parameters",
            "parameters",
            {"sessions": 251},
            "a whole number of sessions from 1 to 250",
        )
        for name in ("excursion_251", "absolute_shock_251:return")
    ],
    # roughness
    (lambda: normal_quantile(1.0), "unsupported_level", "level", 1.0, "a number in (0, 1)"),
    (
        lambda: fit_scaling_law(
            np.arange(1.0, 5.0),
            np.array([1.0, 0.0, 2.0, 0.0]),
            np.ones(4),
            log_expected=lambda hurst: np.full(4, hurst),
            law=(1.0, 0.0),
        ),
        "constant_series",
        "log_volatility",
        None,
        "fluctuations at 3 scales or more",
    ),
    (
        lambda: fit_power_law(np.array([1.0, 0.0, 2.0, 0.0]), 0.0),
        "constant_series",
        "log_volatility",
        None,
        "differences at 3 lags or more",
    ),
    # measures
    (
        lambda: MEASURES["garch"],
        "unknown_measure",
        "measure",
        "garch",
        f"one of {MEASURE_NAMES}",
    ),
    (
        lambda: daily.rolling_std(RV, 1, 252),
        "too_few_observations",
        "window",
        1,
        "at least 2",
    ),
    (
        lambda: daily.rolling_std(RV, 31, 252),
        "history_too_short",
        "returns",
        30,
        "at least 31 returns",
    ),
    (
        lambda: daily.parkinson(with_one(3, -2.0), RV),
        "non_positive_price",
        "price",
        -2.0,
        "finite prices above zero",
    ),
    (
        lambda: intraday.realized_kernel(RETURNS, 4),
        "invalid_bandwidth",
        "bandwidth",
        4,
        "0 to 3",
    ),
    (
        lambda: intraday.realized_kernel(RETURNS, -1),
        "invalid_bandwidth",
        "bandwidth",
        -1,
        "0 to 3",
    ),
    (
        lambda: intraday.bipower_variation(RETURNS[0]),
        "invalid_returns",
        "returns",
        "shape (4,)",
        "a (days, intraday) matrix of finite returns",
    ),
    (
        lambda: intraday.bipower_variation(np.full((2, 4), np.nan)),
        "invalid_returns",
        "returns",
        "values that are not finite",
        "a (days, intraday) matrix of finite returns",
    ),
    (
        lambda: intraday.med_rv(RETURNS[:, :2]),
        "too_few_observations",
        "returns",
        2,
        "at least 3 returns a day",
    ),
    # series
    (
        lambda: trailing_means(RV[None, :4], (1, 5)),
        "history_too_short",
        "history",
        4,
        "at least 5 sessions",
    ),
    (
        lambda: make_pairs(DatedSeries(RV, "parkinson", DAYS), 22, CRYPTO, 9),
        "history_too_short",
        "history",
        30,
        "at least 31 sessions",
    ),
    (
        lambda: check_series(measured(RV[:0])),
        "empty_history",
        "rv",
        0,
        "at least one value",
    ),
    (
        lambda: check_series(measured(np.full(3, 0.3))),
        "implausible_unit",
        "rv",
        0.3,
        "a median of at most 0.25",
    ),
    (
        lambda: check_series(measured(with_one(3, 2e9))),
        "implausible_unit",
        "rv",
        2e9,
        "values of at most 1e+09",
    ),
    (
        lambda: check_series(measured(with_one(3, np.nan))),
        "non_finite_rv",
        "rv",
        np.nan,
        "finite values",
    ),
    (
        lambda: check_series(measured(with_one(3, 0.0))),
        "non_positive_rv",
        "rv",
        0.0,
        "values above zero",
    ),
    (
        lambda: check_series(DatedSeries(RV[:2], "parkinson", DAYS[[3, 3]])),
        "duplicate_dates",
        "dates",
        "2021-01-04",
        "each date once",
    ),
    (
        lambda: check_series(DatedSeries(RV[:2], "parkinson", DAYS[[4, 3]])),
        "unsorted_dates",
        "dates",
        "2021-01-04",
        "dates from the oldest to the newest",
    ),
    (
        lambda: measured(RV, jump=RV[1:]),
        "length_mismatch",
        "jump",
        "(29,) and (30,)",
        "one value a session",
    ),
    (
        lambda: measured(RV, jump=with_one(3, np.inf)),
        "non_finite_column",
        "jump",
        np.inf,
        "finite values",
    ),
    (
        lambda: DatedSeries(RV, "parkinson", DAYS[1:]),
        "length_mismatch",
        "dates",
        "(30,) and (29,)",
        "one date a value",
    ),
    (
        lambda: daily_series(BARS, "parkinson", CRYPTO, ["return", "jump"]),
        "unknown_column",
        "columns",
        "jump",
        "one of return, range_ratio",
    ),
    (
        lambda: daily_series(BARS, "med_rv", CRYPTO),
        "wrong_interval",
        "bars",
        86_400,
        "intraday bars",
    ),
    (
        lambda: daily_series(make_bars(1), "squared_return", CRYPTO),
        "history_too_short",
        "bars",
        1,
        "complete sessions, and before them those that the measure looks back on",
    ),
    (
        lambda: daily_series(FLAT, "parkinson", CRYPTO),
        "constant_prices",
        "bars",
        30,
        "prices that move",
    ),
    # simulations
    (
        lambda: fractional.rough_log_volatility(0.1, 5, rng(), steps_per_day=0),
        "invalid_input",
        "steps_per_day",
        0,
        "1 or more",
    ),
    (
        lambda: fractional.rough_log_volatility(0.1, 5, rng(), mean_reversion=-1e-9),
        "invalid_input",
        "mean_reversion",
        -1e-9,
        "a speed of zero or more",
    ),
    (
        lambda: fractional.fgn_autocovariance(0.0, 5),
        "invalid_input",
        "hurst",
        0.0,
        "a number in (0, 1)",
    ),
    (
        lambda: fractional.fractional_gaussian_noise(1.0, 5, rng()),
        "invalid_input",
        "hurst",
        1.0,
        "a number in (0, 1)",
    ),
    (
        lambda: fractional.check_size(0, 1),
        "invalid_input",
        "nobs",
        0,
        "1 or more",
    ),
    (lambda: fractional.check_size(1, 0), "invalid_input", "paths", 0, "1 or more"),
    (
        lambda: jumping(steps_per_day=0),
        "invalid_size",
        "steps_per_day",
        0,
        "1 or more",
    ),
    *[
        (
            lambda share=share: jumping(jump_share=share),
            "invalid_size",
            "jump_share",
            share,
            "a share from 0 to below 1",
        )
        for share in (-1e-9, 1.0, np.nan)
    ],
    *[
        (
            lambda probability=probability: jumping(jump_probability=probability),
            "invalid_size",
            "jump_probability",
            probability,
            "above 0 and up to 1",
        )
        for probability in (0.0, 1 + 1e-9, np.nan)
    ],
    (
        lambda: regression.regression_process({"mean_1": -5.0}, 0.0, 5, rng()),
        "invalid_input",
        "coefficients",
        {"mean_1": -5.0},
        "coefficients under which variance stays above 0 and below 1e+09",
    ),
    (
        lambda: regression.har_process((0.1, 0.2), 5, rng()),
        "invalid_input",
        "coefficients",
        2,
        "a constant and one coefficient a lag: 4",
    ),
    (
        lambda: regression.har_process((0.0, 0.5, 0.3, 0.2), 5, rng()),
        "invalid_input",
        "coefficients",
        [0.0, 0.5, 0.3, 0.2],
        "autoregressive weights whose absolute values sum to less than 1",
    ),
]


@pytest.mark.parametrize(("refused", "code", "field", "found", "needed"), CASES)
def test_a_refusal_says_what_is_wrong_where_and_what_is_needed(
    refused: Callable[[], object], code: str, field: str, found: object, needed: str
) -> None:
    with pytest.raises(RoughcastError) as error:
        refused()
    assert error.value.code == code
    assert str(error.value)
    assert repr(details(error.value)) == repr((field, found, needed))


@pytest.mark.parametrize(
    ("name", "parameters", "found", "needed"),
    [
        ("ewma_0.94", {"decay": 0.5}, {"decay": 0.5}, "those it has"),
        ("mean_5", {"decay": 0.5}, {"decay": 0.5}, "those it has"),
        ("return_squares", {}, {}, "those it has"),
        (
            "return_squares",
            {"decay": 1.0, "sessions": 5},
            {"decay": 1.0},
            "a decay of 0 to below 1",
        ),
        (
            "negative_return_squares",
            {"decay": 0.9, "sessions": 2.5},
            {"sessions": 2.5},
            "a whole number of sessions from 1 to 9999",
        ),
        ("rough_5", {"hurst": 0.5, "sessions": 5}, {"hurst": 0.5}, "0 < hurst < 1/2"),
        ("rough_5", {"hurst": 0.0, "sessions": 5}, {"hurst": 0.0}, "0 < hurst < 1/2"),
        (
            "rough_5",
            {"hurst": 0.1, "sessions": 10_000},
            {"sessions": 10_000},
            "a whole number of sessions from 1 to 9999",
        ),
    ],
)
def test_parameters_that_a_regressor_cannot_have(
    name: str, parameters: dict[str, float], found: dict[str, float], needed: str
) -> None:
    with pytest.raises(RoughcastError) as error:
        make_regressor(name, parameters)
    assert error.value.code == "invalid_parameters"
    assert details(error.value) == ("parameters", found, needed)
    said = f"regressor {name} has the parameters {found}; needed: {needed}"
    assert str(error.value) == said


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("excursion_250", {}),
        ("absolute_shock_250:return", {}),
        ("return_squares", {"decay": 0.0, "sessions": 1}),
        ("return_squares", {"decay": 0.999, "sessions": 9_999}),
        ("rough_5", {"hurst": 1e-9, "sessions": 1}),
        ("rough_5", {"hurst": 0.499, "sessions": 9_999}),
    ],
)
def test_parameters_up_to_their_bounds(name: str, parameters: dict[str, float]) -> None:
    assert make_regressor(name, parameters).parameters == parameters


@pytest.mark.parametrize("decay", [0.0, 1.0, np.nan])
def test_a_decay_is_between_zero_and_one(decay: float) -> None:
    with pytest.raises(RoughcastError) as error:
        ExponentialMean(decay)
    assert repr(details(error.value)) == repr(("parameters", {"decay": decay}, "0 < decay < 1"))


def test_an_unknown_regressor_is_refused_with_all_forms_of_names() -> None:
    with pytest.raises(RoughcastError) as error:
        make_regressor("average_5")
    assert error.value.code == "unknown_regressor"
    field, found, needed = details(error.value)
    assert (field, found) == ("regressors", "average_5")
    assert str(error.value) == f"regressor 'average_5' is unknown; needed: {needed}"


def test_a_damaged_dataset_is_refused_with_both_digests() -> None:
    file = datasets._FILES["SPX"]
    with pytest.raises(datasets.DamagedDataset) as error:
        datasets._verify(file, b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # SHA-256 of nothing
    assert details(error.value) == (file.name, empty, file.sha256)


def test_jumps_up_to_their_bounds() -> None:
    for changes in ({"jump_share": 0.0}, {"jump_probability": 1.0}, {"steps_per_day": 1}):
        assert jumping(**changes) is not None
    assert np.isfinite(fractional.rough_log_volatility(0.1, 1, rng(), steps_per_day=1)).all()


def test_a_message_says_what_its_details_say() -> None:
    with pytest.raises(RoughcastError, match=r"paths is 0; needed: 1 or more"):
        fractional.check_size(1, 0)
    with pytest.raises(RoughcastError, match=r"jump_share is 1.0; needed: a share from 0 to"):
        jumping(jump_share=1.0)
