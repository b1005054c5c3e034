from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import roughcast
from models_store.store import Store
from roughcast.fitting import FittedModel
from roughcast.results.summary import Summary
from tests.errors import details
from tests.service.worlds import NOW
from training.config import read_config
from training.data.assets import TrainingSet
from training.data.bars_file import make_asset
from training.models.calendar_adjusted import CalendarAdjusted
from training.models.registry import LINEAR, make_recipe
from training.publishing.retrain import publish, train
from volatility.errors import (
    HistoryTooShort,
    InvalidInput,
    TooFewObservations,
    UnknownMeasure,
    UnknownModel,
    UnsupportedHorizon,
)
from volatility.evaluation import fixed_b
from volatility.frames import from_frame


def design(rv: pd.Series, horizon: int, log: bool) -> tuple[np.ndarray, np.ndarray]:
    """Means of 1, 5 and 22 sessions, and what followed; no session of these is missing."""
    values = np.log(rv) if log else rv
    regressors = pd.concat([values.rolling(lag).mean() for lag in (1, 5, 22)], axis=1)
    ahead = rv.rolling(horizon).mean().shift(-horizon)
    rows = regressors.notna().all(axis=1) & ahead.notna()
    targets = np.log(ahead) if log else ahead
    return sm.add_constant(regressors[rows].to_numpy()), targets[rows].to_numpy()


@pytest.fixture(scope="module")
def whole(rv: pd.Series) -> pd.Series:
    """The newest part without a missing session."""
    part = rv.loc["2018-08-13":"2020-04-16"]
    assert (np.diff(part.index) == np.timedelta64(1, "D")).all()
    return part


@pytest.mark.parametrize("name", ["har", "log_har", "har_wls"])
@pytest.mark.parametrize("horizon", [1, 22])
def test_a_summary_is_that_of_statsmodels(name: str, horizon: int, whole: pd.Series) -> None:
    found = roughcast.fit(name, whole, horizons=[horizon]).summary(horizon)
    rows, targets = design(whole, horizon, log=name == "log_har")
    lags = {"cov_type": "HAC", "cov_kwds": {"maxlags": found.lags, "use_correction": True}}
    expected = sm.OLS(targets, rows).fit(**lags)
    if name == "har_wls":
        floor = np.quantile(targets, 0.01)
        weights = np.maximum(expected.fittedvalues, floor) ** -2.0
        expected = sm.WLS(targets, rows, weights=weights).fit(**lags)
    frame: Any = found.to_frame()
    assert frame.index.tolist() == ["constant", "mean_1", "mean_5", "mean_22"]
    assert frame["coefficient"].to_numpy() == pytest.approx(expected.params, rel=1e-8)
    assert frame["standard_error"].to_numpy() == pytest.approx(expected.bse, rel=1e-6)
    assert frame["t"].to_numpy() == pytest.approx(expected.tvalues, rel=1e-6)
    share = (found.lags + 1) / found.nobs
    by_share = [fixed_b.two_sided_pvalue(it, share) for it in expected.tvalues]
    assert frame["pvalue"].to_numpy() == pytest.approx(by_share, rel=1e-4, abs=1e-12)
    assert (frame["pvalue"] >= expected.pvalues).all()  # those of the normal distribution
    assert found.critical == pytest.approx(fixed_b.two_sided_quantile(0.05, share))
    assert found.critical > 1.97
    assert found.r_squared == pytest.approx(expected.rsquared, rel=1e-8)
    assert found.nobs == len(targets)
    assert found.lags >= horizon - 1  # or errors of overlapping targets would be told too small
    assert [str(it) for it in found.span] == ["2018-08-13", "2020-04-16"]


@pytest.mark.parametrize("name", [it for it in LINEAR if it not in {"garch", "gjr"}])
def test_every_model_without_a_network_is_fitted(name: str) -> None:
    daily = roughcast.dataset("ETH-USD")
    needs = set(make_recipe(name, read_config()).columns)
    of_day = {"jump", "continuous", "significant_jump", "realized_quarticity"}
    within = needs & of_day or any("semivariance" in it for it in needs)
    data = roughcast.dataset("BTC-USD-1H") if within else daily
    beside = {"BTC-USD": roughcast.dataset("BTC-USD")} if "companions" in name else None
    model = roughcast.fit(name, data, horizons=[1, 5], companions=beside)
    rv = roughcast.measure(data)
    said = model.forecast([5]).at(5)
    assert rv.quantile(0.01) < said.rv < rv.quantile(0.999)
    summary = model.summary(5)
    frame: Any = summary.to_frame()
    assert np.isfinite(frame["coefficient"]).all()
    assert frame["standard_error"].isna().all() == (summary.remark is not None)
    assert summary.remark is not None or (frame["standard_error"] > 0).all()
    unknown = [it is None for it in (summary.lags, summary.critical, summary.r_squared)]
    assert unknown == [summary.remark is not None] * 3
    assert (summary.model, summary.horizon, frame.index[0]) == (name, 5, "constant")
    assert summary.span == (rv.index[0].date(), rv.index[-1].date())
    recipe = make_recipe(name, read_config())
    calendar = " without the calendar" if isinstance(recipe, CalendarAdjusted) else ""
    assert summary.unit in (f"rv{calendar}", f"log rv{calendar}")
    assert summary.nobs <= len(rv) - recipe.lookback - 4


def test_garch_tells_its_parameters() -> None:
    data = roughcast.dataset("ETH-USD").tail(520)
    summary = roughcast.fit("gjr", data, horizons=[1]).summary()
    assert {"omega", "alpha", "gamma", "beta"} <= set(summary.learned)
    assert "omega = " in repr(summary)
    assert "std. error" in repr(summary)


def test_a_forecast_is_that_of_the_model_a_retrain_publishes(
    bars: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> None:
    newest = bars.tail(700)
    asset, _ = make_asset(
        "series",
        from_frame(newest),
        calendar_name="24/7",
        measure="garman_klass",
        source="a DataFrame",
        now=NOW,
        kind="crypto",
    )
    config = read_config()
    recipes = [make_recipe(it, config) for it in ("har", "log_har", "last_value")]
    store = Store(tmp_path_factory.mktemp("store"))
    publish(train(recipes, TrainingSet(asset, {}, config.seed), 1, further=(5,)), store, ["har"])
    published = store.load("series", "har")
    found = roughcast.fit("har", newest, horizons=[5], now=NOW).forecast([1, 5])
    assert found.as_of == asset.series.dates[-1].item()
    for horizon in (1, 5):
        expected, said = published.forecast(asset.series, horizon=horizon), found.at(horizon)
        assert (said.rv, said.volatility_annualized) == (
            expected.rv,
            expected.volatility_annualized,
        )
        assert [it.rv for it in said.intervals] == [it.rv for it in expected.intervals]


def test_a_model_shows_what_it_is(model: FittedModel) -> None:
    assert repr(model).startswith("har: rv of 1 session ahead, 2014-11-28 to 2021-02-03")
    assert "<td>mean_22</td>" in model._repr_html_()
    assert isinstance(model.summary(22), Summary)
    axes: Any = model.summary(22).plot()
    assert [it.get_text() for it in axes.get_yticklabels()] == [
        "mean_22",
        "mean_5",
        "mean_1",
        "constant",
    ]
    assert [it.horizon for it in model.forecast().horizons] == [1, 5, 22]
    with pytest.raises(UnsupportedHorizon) as refused:
        model.forecast([10])
    assert refused.value.found == 10
    with pytest.raises(UnsupportedHorizon):
        model.summary(10)


def test_a_fitted_model_says_how_old_its_history_is(rv: pd.Series) -> None:
    """By the time that it was fitted at."""
    said = roughcast.fit("har", rv, horizons=[1, 5], now=NOW + timedelta(days=3)).forecast([5])
    assert said.stale_sessions == 3
    assert said.at(5).warnings[0] == (
        "the history is stale: it ends on 2021-02-03, and 3 sessions have closed since"
    )


def test_rv_and_bars_give_the_same_fit(bars: pd.DataFrame, rv: pd.Series) -> None:
    """One print of more than five times the low is measured, and nothing is fitted on it."""
    data = roughcast.dataset("ETH-USD")
    measured = roughcast.measure(data)
    assert measured.attrs["extreme_sessions"] == ("2017-06-21",)
    assert len(measured) == len(measured.loc["2016":])
    by_bars, by_rv = (roughcast.fit("har", it, horizons=[1]) for it in (data, measured))
    assert by_bars.summary() == by_rv.summary()
    assert any("five times the low" in it for it in by_rv.warnings)
    data.attrs = {}
    inferred = roughcast.fit("har", data, horizons=[1]).warnings
    assert inferred[0].startswith("calendar 24/7 and kind crypto are inferred")
    assert inferred[1:] == by_bars.warnings
    assert rv.attrs["extreme_sessions"] == ()


def test_what_cannot_be_fitted_is_refused_with_what_is_needed(
    rv: pd.Series, bars: pd.DataFrame
) -> None:
    with pytest.raises(UnknownModel) as unknown:
        roughcast.fit("universal", rv)
    assert unknown.value.needed is not None
    assert "log_har" in unknown.value.needed
    with pytest.raises(InvalidInput, match="lhar cannot be fitted: its bars give no") as refused:
        roughcast.fit("lhar", rv)
    assert details(refused.value) == ("model", "lhar", "the bars in place of their rv")
    with pytest.raises(InvalidInput) as within:
        roughcast.fit("shar", bars)
    assert within.value.needed == "other bars, companions or another model"
    for few in (rv.tail(499), rv.tail(60)):
        with pytest.raises(HistoryTooShort) as short:
            roughcast.fit("har", few)
        assert short.value.needed == "at least 500 sessions"
    for long in (1_000, 10_000):
        with pytest.raises(TooFewObservations):
            roughcast.fit("har", rv, horizons=[1, long])
    for wrong, code in ((5, "wrong_type"), ("5", "wrong_type"), ([0], "invalid_value")):
        with pytest.raises(InvalidInput) as horizons:
            roughcast.fit("har", rv, horizons=wrong)  # type: ignore[arg-type]
        assert (horizons.value.code, horizons.value.field) == (code, "horizons")
    with pytest.raises(UnknownMeasure):
        roughcast.fit("har", rv, measure="foo")
    for companions in (bars, {"VIX": rv}):
        with pytest.raises(InvalidInput) as beside:
            roughcast.fit("hexp_companions", bars, companions=companions)  # type: ignore[arg-type]
        assert (beside.value.code, beside.value.field) == ("wrong_type", "companions")
    with pytest.raises(InvalidInput) as words:
        roughcast.fit("har", rv.astype(str) + " %")
    assert (words.value.code, words.value.field, words.value.found) == ("wrong_type", "rv", "str")
    with pytest.raises(InvalidInput) as undated:
        roughcast.fit("har", rv.reset_index(drop=True))
    assert undated.value.code == "unclear_time"
    with pytest.raises(InvalidInput) as percent:
        roughcast.fit("har", rv * 1e4)
    assert percent.value.code == "implausible_unit"


def test_a_volatility_in_place_of_a_variance_is_told(rv: pd.Series) -> None:
    assert not any(
        "a volatility of" in it for it in roughcast.fit("har", rv, horizons=[1]).warnings
    )
    model = roughcast.fit("har", rv**0.5, horizons=[1])
    assert "rare for a series of kind crypto" in model.warnings[-1]
    assert "rare for a series of kind crypto" in repr(model).replace("\n ", "")
    assert model.warnings[-1] in model.forecast().warnings
