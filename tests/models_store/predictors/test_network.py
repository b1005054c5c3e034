"""Networks as the service runs them: a graph of log rv, one row at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from unittest.mock import Mock

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]
import pytest

from models_store.predictors import network
from models_store.predictors.network import OnnxPredictor, OnnxPredictorSpec, session_options
from models_store.shipped import shipped_artifacts
from tests.models_store.artifacts import make_network, make_windows
from volatility.arrays import Windows

SPEC = OnnxPredictorSpec(diagnostics=("weights",))
PREDICTOR = network.load(make_network(SPEC), SPEC, "logs", 22)[1]


def test_it_says_the_logs_of_its_output_and_shows_what_is_behind_them() -> None:
    windows = make_windows()
    said = PREDICTOR.predict(windows)
    log_rv = np.log(windows["rv"])
    assert said.values.dtype == np.float64
    np.testing.assert_allclose(said.values, log_rv.mean(axis=1), rtol=1e-6)
    assert list(said.diagnostics) == ["weights"]
    first = 1 / (1 + np.exp(-9 - log_rv[:, -1]))
    np.testing.assert_allclose(
        said.diagnostics["weights"], np.column_stack([first, 1 - first]), rtol=1e-4
    )


def test_of_no_windows_it_says_nothing() -> None:
    said = PREDICTOR.predict({"rv": np.empty((0, 22))})
    assert said.values.shape == (0,)
    assert said.diagnostics == {}


@pytest.mark.parametrize("length", [1, 15, 16, 17, 22, 32])
def test_a_row_begins_where_a_vector_register_may(length: int) -> None:
    values = np.arange(3.0 * length).reshape(3, length) / 7
    rows = network._aligned(values)
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows, values.astype(np.float32))
    assert [row.ctypes.data % 64 for row in rows] == [0, 0, 0]


@dataclass
class Recorder:
    """Stands for a session of onnxruntime, and notes what it is asked."""

    asked: list[tuple[list[str], dict[str, tuple[int, ...]]]] = field(default_factory=list)

    def run(
        self, names: Sequence[str], given: dict[str, np.ndarray], _options: object
    ) -> list[np.ndarray]:
        self.asked.append((list(names), {name: it.shape for name, it in given.items()}))
        ((_, values),) = given.items()
        return [values.sum(axis=1) + place for place, _ in enumerate(names)]


def test_windows_are_predicted_one_by_one_and_together_only_where_asked() -> None:
    recorder = Recorder()
    day, week = (
        OnnxPredictor(recorder, "window", (name, "weights"), 3) for name in ("day", "week")
    )
    windows: Windows = {"rv": np.exp(np.arange(6.0).reshape(2, 3))}
    assert day.predict(windows).values.tolist() == [3.0, 12.0]
    assert recorder.asked == [(["day", "weights"], {"window": (1, 3)})] * 2
    recorder.asked.clear()
    together = day.predict_together([day, week], windows)
    assert [it.tolist() for it in together] == [[3.0, 12.0], [4.0, 13.0]]
    assert recorder.asked == [(["day", "week"], {"window": (2, 3)})]


def test_it_is_one_part() -> None:
    windows = {name: values[:2] for name, values in make_windows().items()}
    [part] = PREDICTOR.explain(windows, 1e-4)
    assert (part.name, part.group) == ("network", "network")
    np.testing.assert_array_equal(part.added, PREDICTOR.predict(windows).values)


@dataclass
class Trained:
    """A network in the framework that trained it, which notes how it is exported."""

    name: str
    diagnostics: tuple[str, ...] = ("weights",)

    def to_onnx(
        self, spec: OnnxPredictorSpec, example: Windows, further: Sequence["Trained"]
    ) -> bytes:
        return f"{self.name} of {spec.outputs} on {len(example)} beside {further}".encode()


def test_one_graph_has_an_output_a_horizon() -> None:
    networks = {
        horizon: Trained(name) for horizon, name in ((5, "week"), (1, "day"), (22, "month"))
    }
    spec = network.describe(networks)
    assert (spec.kind, spec.horizon, spec.input) == ("onnx", 5, "log_rv")
    assert spec.horizons == (5, 1, 22)
    assert spec.outputs == ["log_rv_next", "log_rv_next_1", "log_rv_next_22", "weights"]
    written = network.write(networks, spec, {"rv": np.ones((1, 22))}).decode()
    expected = f"week of {spec.outputs} on 1 beside {[networks[1], networks[22]]}"
    assert written == expected


def test_each_horizon_has_its_output_and_the_diagnostics() -> None:
    spec = OnnxPredictorSpec(
        horizon=5, output="five", further={1: "one"}, input="window", diagnostics=("weights",)
    )
    content = make_network(OnnxPredictorSpec(diagnostics=("weights",)))
    found = network.load(content, spec, "logs", 44)
    assert {horizon: it.outputs for horizon, it in found.items()} == {
        5: ("five", "weights"),
        1: ("one", "weights"),
    }
    for predictor in found.values():
        assert (predictor.input, predictor.lookback, predictor.scale) == ("window", 44, "logs")
        assert (predictor.columns, predictor.kind) == ((), "onnx")
        assert not predictor.vectorized
        assert not predictor.dated
    assert found[1].session is found[5].session


def test_a_session_leaves_cores_and_memory_to_others() -> None:
    options = session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
    assert not options.enable_cpu_mem_arena
    assert options.graph_optimization_level == ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    assert options.log_severity_level == 3
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert PREDICTOR.session.get_providers() == ["CPUExecutionProvider"]


GRAPHS = {it.parts[-3]: it for it in sorted(shipped_artifacts().glob("**/model.onnx"))}


@pytest.mark.parametrize("model", sorted(GRAPHS))
@pytest.mark.parametrize("rows", [1, 64])
def test_passes_that_are_left_out_change_no_bit(model: str, rows: int) -> None:
    content = GRAPHS[model].read_bytes()
    whole = ort.InferenceSession(content, session_options(), providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(1)
    given = {
        it.name: rng.normal(-9.0, 1.0, (rows, *it.shape[1:])).astype(np.float32)
        for it in whole.get_inputs()
    }
    said, wanted = (it.run(None, given) for it in (network.open_session(content), whole))
    assert [it.tobytes() for it in said] == [it.tobytes() for it in wanted]


def test_passes_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Mock()
    monkeypatch.setattr("onnxruntime.InferenceSession", opened)
    network.open_session(b"")
    assert opened.call_args.kwargs["disabled_optimizers"] == (
        "CommonSubexpressionElimination",
        "TransposeOptimizer",
        "Level1_RuleBasedTransformer",
    )
