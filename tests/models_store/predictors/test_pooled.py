"""The model for every asset, bound to one: what it sees, and what moved its forecasts."""

import gc
import hashlib
from dataclasses import replace

import numpy as np
import pytest
from onnx import TensorProto, helper

from models_store.predictors import pooled_graph
from models_store.predictors.pooled import PooledPredictor, look
from models_store.predictors.pooled_graph import PooledGraph
from tests.models_store.universal.small import HORIZONS, WEIGHTS, small_graph
from volatility.arrays import DAY, Windows
from volatility.calendars import get_calendar
from volatility.scale_free import CHANNELS, ENCODED, KINDS, REGRESSORS
from volatility.seasonality import DAY_CLASSES
from volatility.trailing import SESSIONS

USUAL = 2e-4
PREDICTOR = PooledPredictor(
    graph=PooledGraph.of(small_graph(1.0)),
    output=1,
    horizon=HORIZONS[1],
    asset_kind="stock",
    effects={name: 0.02 * place for place, name in enumerate(DAY_CLASSES)},
    calendar_name="XNYS",
    measure="garman_klass",
    columns=("range_ratio", "return"),
    kind_scale=0.2,
    log_scale=0.05,
)


@pytest.fixture(scope="module")
def windows() -> Windows:
    """Two rows: one of a whole window, one of a month."""
    rng = np.random.default_rng(0)
    days = get_calendar("XNYS").sessions(np.datetime64("2018-01-02"), np.datetime64("2018-12-27"))
    dates = np.tile(days[-SESSIONS:].astype(np.float64), (2, 1))
    rv = 1e-4 * np.exp(rng.normal(size=(2, len(dates[0]))))
    columns = {"return": np.sqrt(rv) * rng.normal(size=rv.shape), "range_ratio": 0.1 * rv / rv}
    found = {"rv": rv, DAY: dates, **columns}
    for values in found.values():
        values[1, :-22] = np.nan
    return found


def parts_of(predictor: PooledPredictor, windows: Windows) -> dict[str, np.ndarray]:
    return {part.name: part.added for part in predictor.explain(windows, USUAL)}


def test_the_parts_sum_to_the_forecast(windows: Windows) -> None:
    parts = parts_of(PREDICTOR, windows)
    said = PREDICTOR.predict(windows).values
    np.testing.assert_allclose(np.sum(list(parts.values()), axis=0), said, atol=1e-12)


def test_regressors_are_told_as_the_network_sees_them(windows: Windows) -> None:
    """In single precision, so that no rounding counts as the encoders'."""
    told = [it.regressor for it in PREDICTOR.explain(windows, USUAL) if it.name in REGRESSORS]
    assert len(told) == len(REGRESSORS)
    assert all((np.float32(it) == it).all() for it in told)


def test_a_planted_coefficient_is_told_by_its_regressor(windows: Windows) -> None:
    parts = {part.name: part for part in PREDICTOR.explain(windows, USUAL)}
    for name in REGRESSORS:
        weight = WEIGHTS.get(name, 0.0) / np.sqrt(PREDICTOR.horizon)
        part = parts[name]
        # Slopes are float32 in the graph.
        np.testing.assert_allclose(part.added, weight * part.regressor, rtol=1e-6, err_msg=name)
        assert part.usual == 0.0
    assert (parts["mean_1"].added != 0).all()
    assert (parts["kind_scale"].added == 0.2).all()
    assert (parts["own_scale"].added == 0.05).all()
    assert parts["baseline"].added == pytest.approx(np.log(USUAL))
    # Of the sequence the small network takes the mean, and a tenth of that: no regression tells it.
    assert (np.abs(parts["encoders"].added) > 1e-4).all()


def test_more_deviations_than_eight_say_no_more(windows: Windows) -> None:
    wild = {**windows, "rv": windows["rv"].copy()}
    wild["rv"][:, -1] *= 1e12
    parts = parts_of(PREDICTOR, wild)
    np.testing.assert_allclose(
        parts["mean_1"], WEIGHTS["mean_1"] / np.sqrt(PREDICTOR.horizon) * 8.0, rtol=1e-6
    )
    said = PREDICTOR.predict(wild).values
    np.testing.assert_allclose(np.sum(list(parts.values()), axis=0), said, atol=1e-12)


def mute_graph(**constants: np.ndarray) -> bytes:
    """A graph that hands out what it is given, with constants that it does not use."""
    shapes = [("regressors", [None, len(REGRESSORS)]), ("sequence", [None, ENCODED, len(CHANNELS)])]
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, it) for name, it in shapes]
    output = helper.make_tensor_value_info("log_rv", TensorProto.FLOAT, [None, len(REGRESSORS)])
    node = helper.make_node("Identity", ["regressors"], ["log_rv"])
    kept = [
        helper.make_tensor(name, TensorProto.FLOAT, it.shape, it.ravel().tolist())
        for name, it in constants.items()
    ]
    graph = helper.make_graph([node], "mute", inputs, [output], kept)
    opset = [helper.make_opsetid("", 18)]
    content: bytes = helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()
    return content


def test_a_graph_that_tells_of_no_regression_is_one_part(windows: Windows) -> None:
    mute = replace(PREDICTOR, graph=PooledGraph.of(mute_graph()))
    parts = parts_of(mute, windows)
    assert set(parts) == {
        "baseline",
        "slow_mean",
        "network",
        "calendar",
        "kind_scale",
        "own_scale",
    }
    said = mute.predict(windows).values
    np.testing.assert_allclose(np.sum(list(parts.values()), axis=0), said, atol=1e-12)


COUNT = len(REGRESSORS)  # of inputs and outputs of the mute graph
REGRESSION = {
    "mean": np.zeros(COUNT),
    "deviation": np.ones(COUNT),
    "intercepts": np.zeros(COUNT),
    "slopes": np.zeros((COUNT, COUNT)),
}


def test_a_regression_that_fits_its_graph_is_read_when_it_is_opened() -> None:
    told = PooledGraph.of(mute_graph(**REGRESSION)).regression
    assert told is not None
    assert told.slopes.shape == (COUNT, COUNT)
    part = {name: it for name, it in REGRESSION.items() if name != "slopes"}
    assert PooledGraph.of(mute_graph(**part)).regression is None


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("mean", np.zeros(COUNT + 1), "constant mean has the shape"),
        ("deviation", np.ones((1, COUNT)), "constant deviation has the shape"),
        ("intercepts", np.zeros(1), "constant intercepts has the shape"),
        ("slopes", np.zeros((COUNT, 1)), "constant slopes has the shape"),
        ("slopes", np.full((COUNT, COUNT), np.inf), "slopes has values that are not finite"),
        ("deviation", np.zeros(COUNT), "deviation has values of zero or below"),
    ],
)
def test_a_regression_that_does_not_fit_its_graph_is_refused(
    name: str, values: np.ndarray, said: str
) -> None:
    """Before it serves, not once it is asked what moved a forecast."""
    with pytest.raises(ValueError, match=said):
        PooledGraph.of(mute_graph(**{**REGRESSION, name: values}))


def test_it_sees_its_own_columns_and_no_others(windows: Windows) -> None:
    """Of several members one may look at a column that another was not fitted to see."""
    more = {**windows, "overnight_return": np.full(windows["rv"].shape, 0.1)}
    np.testing.assert_array_equal(PREDICTOR.predict(more).values, PREDICTOR.predict(windows).values)
    given = replace(PREDICTOR, columns=("overnight_return", "range_ratio", "return"))
    without = {**windows, "overnight_return": np.zeros(windows["rv"].shape)}
    assert (parts_of(given, more)["night_1"] == parts_of(given, without)["night_1"]).all()
    changed = {it.name: it.regressor for it in given.explain(more, USUAL)}["night_1"]
    assert (changed > 0).all()


@pytest.mark.parametrize(
    ("measure", "sign"), [("garman_klass", 1.0), ("parkinson", -1.0), ("realized_variance", 0.0)]
)
def test_a_range_ratio_says_something_of_measures_of_the_range_alone(
    windows: Windows, measure: str, sign: float
) -> None:
    effects = np.arange(len(DAY_CLASSES)) / 100
    seen, about = look(windows, "index", measure, effects, get_calendar("XNYS"))
    # A window of 249 sessions lacks the first of 250.
    np.testing.assert_array_equal(seen.ranges[:, 1:], sign * windows["range_ratio"])
    assert (about.of_range == (measure == "parkinson")).all()
    assert about.kinds.tolist() == [[float(it == "index") for it in KINDS]] * 2
    # The newest session is a Thursday, and the one after it a Friday.
    newest, following = (DAY_CLASSES.index(it) for it in ("thursday", "friday"))
    assert about.newest_class.tolist() == [newest] * 2
    assert about.next_class.tolist() == [following] * 2
    expected = np.log(windows["rv"][:, -1]) - effects[newest]
    assert seen.log_rv[:, -1] == pytest.approx(expected)
    bare = {name: windows[name] for name in ("rv", DAY)}
    without, _ = look(bare, "index", measure, effects, get_calendar("XNYS"))
    nothing = np.where(np.isnan(windows["rv"]), np.nan, 0.0)
    for values in (without.ranges, without.returns, without.nights):
        np.testing.assert_array_equal(values[:, 1:], nothing)


def test_a_graph_is_open_once_whichever_models_hold_it() -> None:
    content = small_graph(1.25)
    one, other = (PooledGraph.of(content) for _ in range(2))
    assert one is other
    assert PooledGraph.of(small_graph(1.5)) is not one
    digest = hashlib.sha256(content).digest()
    assert digest in pooled_graph._open
    del one, other
    gc.collect()
    assert digest not in pooled_graph._open  # nor is it kept when nobody holds it


def test_all_horizons_together_are_the_same_bits(windows: Windows) -> None:
    many = {name: np.repeat(values, 70, axis=0) for name, values in windows.items()}
    outputs = range(len(HORIZONS))
    each = [replace(PREDICTOR, output=it, horizon=HORIZONS[it], log_scale=it) for it in outputs]
    together = PREDICTOR.predict_together(each, many)
    for predictor, values in zip(each, together, strict=True):
        np.testing.assert_array_equal(values, predictor.predict(many).values)
    nothing = {name: values[:0] for name, values in windows.items()}
    assert PREDICTOR.predict(nothing).values.shape == (0,)
