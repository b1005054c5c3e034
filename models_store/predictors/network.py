"""Networks: ``model.onnx``, a graph from a window of raw ``log_rv`` to ``log_rv`` ahead of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, Self

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]
from numpy.typing import NDArray
from pydantic import Field, PositiveInt

from models_store.predictors.predictor import PredictorKind, PredictorSpec
from models_store.predictors.time_limit import run_options
from volatility.arrays import FloatArray, Prediction, Scale, Windows
from volatility.contributions import Part

_REGISTER = 16  # float32 values in the widest vector register, of 64 bytes


class OnnxPredictorSpec(PredictorSpec):
    """A network in ``model.onnx``: a window of raw ``log_rv`` in, an output a horizon out."""

    kind: Literal["onnx"] = "onnx"
    horizon: PositiveInt = Field(default=1, description="Sessions ahead that `output` is about.")
    input: str = Field(default="log_rv", description="Name of the (batch, lookback) float32 input.")
    output: str = Field(default="log_rv_next", description="Name of the (batch,) float32 output.")
    further: dict[PositiveInt, str] = Field(
        default={},
        description="Names of the (batch,) float32 outputs that are about further horizons, each "
        "the log of mean rv over so many sessions.",
    )
    diagnostics: tuple[str, ...] = Field(
        default=(),
        description="Names of further outputs, (batch, k) float32 each, that a forecast shows: "
        "the weights or probabilities behind it.",
    )

    @property
    def horizons(self) -> tuple[int, ...]:
        """Sessions ahead that the graph has outputs for, in their order."""
        return (self.horizon, *self.further)

    @property
    def outputs(self) -> list[str]:
        """Names of all outputs: the forecasts by horizon, then the diagnostics."""
        return [self.output, *self.further.values(), *self.diagnostics]


class TrainedNetwork(Protocol):
    """A network in the framework that trained it."""

    @property
    def diagnostics(self) -> tuple[str, ...]:
        """Names of what it shows besides its prediction."""

    def to_onnx(self, spec: OnnxPredictorSpec, example: Windows, further: Sequence[Self]) -> bytes:
        """The graph of all horizons, checked on (n, lookback) example windows."""


@dataclass(frozen=True)
class OnnxPredictor:
    """One output of a network: raw ``log_rv`` in, the log of mean rv of the sessions ahead out."""

    session: ort.InferenceSession
    input: str
    outputs: Sequence[str]  # the forecast, then the diagnostics
    lookback: int
    scale: Scale = "logs"
    columns: tuple[str, ...] = ()
    kind: ClassVar[str] = "onnx"
    vectorized: ClassVar[bool] = False
    dated: ClassVar[bool] = False

    def predict(self, windows: Windows) -> Prediction:
        """Predict the sessions ahead from (batch, lookback) windows; (batch,) log rv.

        Row by row: matrix kernels for one row and for many differ in the last bits, and a forecast
        must not depend on the batch it came in.
        """
        run, names, given, options = self.session.run, self.outputs, self.input, run_options()
        log_rv = _aligned(np.log(windows["rv"]))
        rows = [run(names, {given: row[None, :]}, options) for row in log_rv]
        if not rows:
            return Prediction(np.empty(0), {})
        diagnostics = {name: _joined(rows, at) for at, name in enumerate(names[1:], start=1)}
        return Prediction(_joined(rows, 0), diagnostics)

    def predict_together(self, horizons: Sequence[Self], windows: Windows) -> list[FloatArray]:
        """Predict all windows at all horizons in one run of the graph."""
        given = {self.input: _aligned(np.log(windows["rv"]))}
        rows = [self.session.run([it.outputs[0] for it in horizons], given, run_options())]
        return [_joined(rows, at) for at in range(len(horizons))]

    def explain(self, windows: Windows, _usual_rv: float) -> list[Part]:
        """The whole, as one: a network is no sum of parts."""
        return [Part("network", "network", self.predict(windows).values)]


# Of the passes of the runtime over a graph, those that make none of the shipped ones faster,
# nor change a bit of what it says, and take a sixth of the time of opening.
_LEFT_OUT = (
    "CommonSubexpressionElimination",
    "TransposeOptimizer",
    "Level1_RuleBasedTransformer",
)


def open_session(content: bytes) -> ort.InferenceSession:
    """A session on one thread of the CPU, that keeps no memory between runs.

    A forecast takes a tenth of a millisecond, and a service that holds dozens of sessions must
    leave the cores to its requests. Graphs are simplified but not rebuilt: runtimes fuse nodes by
    rules of their release; here that takes a third of the time of opening, and no forecast is
    faster for it.

    Parameters
    ----------
    content : the ONNX file.

    Raises
    ------
    Whatever onnxruntime raises on a file that is no graph.
    """
    session = ort.InferenceSession(
        content,
        session_options(),
        providers=["CPUExecutionProvider"],
        disabled_optimizers=_LEFT_OUT,
    )
    # Kept for other providers, up to a megabyte beside the graph that was made of it.
    session._model_bytes = None  # noqa: SLF001 - there is no other way
    return session


def session_options() -> ort.SessionOptions:
    """Those of :func:`open_session`."""
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.enable_cpu_mem_arena = False  # which would keep what a graph's largest run needed
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return options


def _joined(rows: Sequence[Sequence[NDArray[np.float32]]], output: int) -> FloatArray:
    """One output of every row."""
    return np.concatenate([row[output] for row in rows]).astype(np.float64)


def _aligned(values: FloatArray) -> NDArray[np.float32]:
    """A copy as float32, (batch, n), in which every row begins where a vector register may.

    Kernels take the values before such a place one by one, and so add them in another order: the
    same row would give other last bits wherever in memory it happens to stand.
    """
    count, length = values.shape
    width = -(-length // _REGISTER) * _REGISTER
    memory = np.empty(count * width + _REGISTER, np.float32)
    start = -(memory.ctypes.data // memory.itemsize) % _REGISTER
    rows = memory[start : start + count * width].reshape(count, width)[:, :length]
    rows[:] = values
    return rows


def describe(networks: Mapping[int, TrainedNetwork]) -> OnnxPredictorSpec:
    """Names of the graph's input and outputs."""
    (horizon, network), *further = networks.items()
    return OnnxPredictorSpec(
        horizon=horizon,
        further={it: f"log_rv_next_{it}" for it, _ in further},
        diagnostics=network.diagnostics,
    )


def write(
    networks: Mapping[int, TrainedNetwork], spec: OnnxPredictorSpec, example: Windows
) -> bytes:
    """Let the framework that trained the network export it."""
    network, *further = (networks[horizon] for horizon in spec.horizons)
    return network.to_onnx(spec, example, further)


def load(
    content: bytes, spec: OnnxPredictorSpec, _scale: Scale, lookback: int
) -> Mapping[int, OnnxPredictor]:
    """Open ``model.onnx`` on one thread of the CPU.

    Raises
    ------
    Whatever onnxruntime raises on a file that is no graph.
    """
    session = open_session(content)
    outputs = {spec.horizon: spec.output, **spec.further}
    return {
        horizon: OnnxPredictor(session, spec.input, (output, *spec.diagnostics), lookback)
        for horizon, output in outputs.items()
    }


KIND = PredictorKind(OnnxPredictorSpec, "model.onnx", describe, write, load)
