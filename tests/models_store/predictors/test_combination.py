"""Several models as one: their mean in logs, and the archive that holds them."""

import io
import math
import zipfile

import numpy as np
import pytest

from models_store.predictors import combination
from models_store.predictors.calendar_adjusted import CalendarAdjustedPredictor
from models_store.predictors.combination import CombinedPredictor, CombinedPredictorSpec, Member
from models_store.predictors.kinds import KINDS
from models_store.predictors.pooled import PooledPredictor
from models_store.predictors.pooled_graph import PooledGraph
from models_store.predictors.predictor import Predictor
from tests.models_store.universal.small import HORIZONS, small_graph
from volatility.arrays import Windows
from volatility.calendars import get_calendar
from volatility.regressor_names import coefficients_of
from volatility.regressors import LinearPredictor
from volatility.seasonality import DAY_CLASSES
from volatility.series import Bounds

EFFECTS = {name: 0.1 * place for place, name in enumerate(DAY_CLASSES)}
BOUNDS = Bounds(1e-6, 1e-2, 2e-4)
NARROW = Bounds(1e-6, 2e-4, 1e-4)
DAYS = get_calendar("XNYS").sessions(np.datetime64("2018-01-02"), np.datetime64("2018-12-31"))


def windows(sessions: int = 30) -> Windows:
    rng = np.random.default_rng(3)
    rv = 1e-4 * np.exp(rng.normal(size=(2, sessions)))
    return {
        "rv": rv,
        "return": np.sqrt(rv) * rng.normal(size=rv.shape),
        "day": np.tile(DAYS[-sessions:].astype(np.float64), (2, 1)),
    }


def in_levels(horizon: int) -> LinearPredictor:
    return LinearPredictor("levels", coefficients_of({"mean_5": 0.8 / horizon}), 1e-5)


def in_logs(horizon: int) -> LinearPredictor:
    names = {"mean_22": 0.9, "negative_mean_1:return": -2.0 * horizon}
    return LinearPredictor("logs", coefficients_of(names), -1.0)


def pooled(output: int, effects: float = 0.0) -> PooledPredictor:
    return PooledPredictor(
        graph=PooledGraph.of(small_graph(1.0)),
        output=output,
        horizon=HORIZONS[output],
        asset_kind="index",
        effects=dict.fromkeys(DAY_CLASSES, effects),
        calendar_name="XNYS",
        measure="parkinson",
        columns=("return",),
    )


def combined(place: int) -> CombinedPredictor:
    """Three members at one of two horizons, one of which knows the calendar."""
    horizon = HORIZONS[place]
    return CombinedPredictor(
        [
            Member("har", in_levels(horizon), 0.0, BOUNDS),
            Member(
                "log_har",
                CalendarAdjustedPredictor(in_logs(horizon), EFFECTS, "XNYS", horizon),
                0.3 + place,
                NARROW,
            ),
            Member("universal", pooled(place), 0.2, BOUNDS),
        ]
    )


PREDICTORS = {HORIZONS[place]: combined(place) for place in range(len(HORIZONS))}


def test_it_is_the_mean_of_logs_of_what_each_says_alone() -> None:
    predictor, given = PREDICTORS[5], windows()
    said = predictor.predict(given)
    alone = {member.model: member.rv(given) for member in predictor.members}
    np.testing.assert_allclose(said.values, np.log(list(alone.values())).mean(axis=0), rtol=1e-14)
    assert list(said.diagnostics) == ["rv_har", "rv_log_har", "rv_universal"]
    for model, rv in alone.items():
        np.testing.assert_array_equal(said.diagnostics[f"rv_{model}"], rv[:, None])


def test_a_member_is_moved_to_the_mean_and_bounded_as_it_would_be_alone() -> None:
    given = {"rv": np.array([[4e-4], [4e-2], [1e-9]])}
    one = LinearPredictor("logs", coefficients_of({"mean_1": 1.0}), 0.0)
    rv = Member("one", one, 0.2, BOUNDS).rv(given)
    assert rv.tolist() == pytest.approx([4e-4 * math.exp(0.1), 1e-2, 1e-6], rel=1e-12)
    level = LinearPredictor("levels", coefficients_of({"mean_1": 1.0}), -1e-3)
    rv = Member("other", level, 0.0, BOUNDS).rv(given)  # the first and the last below zero
    assert rv.tolist() == pytest.approx([2e-4, 1e-2, 2e-4], rel=1e-12)


def test_each_member_sees_as_much_of_a_window_as_it_needs() -> None:
    """A mean of five sessions is of the newest five, however long the window is."""
    given = windows()
    member = Member("har", in_levels(1), 0.0, BOUNDS)
    newest = {name: values[:, -5:] for name, values in given.items()}
    np.testing.assert_array_equal(member.rv(given), member.rv(newest))


def test_it_needs_what_any_member_needs() -> None:
    predictor = CombinedPredictor(combined(0).members[:2])
    assert predictor.lookback == 22
    assert predictor.columns == ("return",)
    assert CombinedPredictor(combined(0).members[::-1]).lookback == 250
    assert (predictor.kind, predictor.scale) == ("combination", "logs")
    assert predictor.vectorized
    assert predictor.dated


def test_what_is_written_is_read_to_the_last_bit() -> None:
    spec = combination.describe(PREDICTORS)
    given = windows(250)
    content = combination.write(PREDICTORS, spec, given)
    found = combination.load(content, spec, "logs", 250)
    assert list(found) == list(HORIZONS)
    for horizon, predictor in PREDICTORS.items():
        assert [it.model for it in found[horizon].members] == ["har", "log_har", "universal"]
        np.testing.assert_array_equal(
            found[horizon].predict(given).values, predictor.predict(given).values
        )


def test_the_manifest_says_what_each_member_is() -> None:
    spec = combination.describe(PREDICTORS)
    har, log_har, universal = spec.members
    assert [it.model for it in spec.members] == ["har", "log_har", "universal"]
    assert (har.scale, har.lookback, har.calendar, har.calendar_effects) == (
        "levels",
        5,
        None,
        None,
    )
    assert (log_har.scale, log_har.lookback) == ("logs", 22)
    assert (log_har.calendar, log_har.calendar_effects) == ("XNYS", EFFECTS)
    assert [it.predictor.kind for it in spec.members] == ["linear", "linear", "pooled"]
    assert universal.calendar is None
    assert list(log_har.by_horizon) == list(HORIZONS)
    record = log_har.by_horizon[HORIZONS[1]]
    assert record.residual_variance == 1.3
    assert (record.clip, record.mean_rv) == ((NARROW.low, NARROW.high), NARROW.mean)
    # JSON and back.
    again = CombinedPredictorSpec.model_validate_json(spec.model_dump_json())
    assert again == spec


def test_it_takes_its_asset_for_what_a_member_takes_it_for() -> None:
    assert combination.describe(PREDICTORS).kind_of_asset() == "index"
    alone = {1: CombinedPredictor(combined(0).members[:2])}
    assert combination.describe(alone).kind_of_asset() is None


def test_the_archive_has_a_file_a_member_and_the_same_bytes_at_any_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = combination.describe(PREDICTORS)
    content = combination.write(PREDICTORS, spec, windows(250))
    monkeypatch.setattr("time.time", lambda: 1e9)
    assert combination.write(PREDICTORS, spec, windows(250)) == content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == [
            "har/coefficients.json",
            "log_har/coefficients.json",
            "universal/model.onnx",
        ]
        # What zlib makes of a file differs between its versions.
        assert {it.compress_type for it in archive.infolist()} == {zipfile.ZIP_STORED}


def test_every_kind_is_in_the_table_by_the_name_that_it_has() -> None:
    """A manifest names its kind, and a predictor too."""
    for name, kind in KINDS.items():
        assert kind.spec.model_fields["kind"].default == name
        with pytest.raises(ValueError, match="kind"):
            kind.spec.model_validate({"kind": "another"})
    predictors: list[Predictor] = [in_levels(1), pooled(0), combined(0)]
    assert [it.kind for it in predictors] == ["linear", "pooled", "combination"]
    files = {name: kind.file for name, kind in KINDS.items()}
    assert files == files | {
        "linear": "coefficients.json",
        "onnx": "model.onnx",
        "pooled": "model.onnx",
        "combination": "members.zip",
    }


def test_all_horizons_together_are_what_each_is_alone() -> None:
    each = [combined(place) for place in range(len(HORIZONS))]
    together = each[0].predict_together(each, windows())
    assert len(together) == len(each)
    for predictor, values in zip(each, together, strict=True):
        assert values == pytest.approx(predictor.predict(windows()).values, rel=1e-12)
    assert together[0].tolist() != together[1].tolist()
