"""A torch network as a predictor, and its export to ONNX."""

import logging
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from models_store.predictors.network import OnnxPredictor, OnnxPredictorSpec, load
from training.networks.carried_network import CarriedNetwork, SeveralHorizons
from training.networks.diagnostics import diagnostics_of, outputs_of
from training.networks.threads import one_thread
from volatility.arrays import FloatArray, Prediction, Scale, Windows
from volatility.errors import RoughcastError

PARITY_BATCHES = (1, 7, 64)
PARITY_TOLERANCE = 1e-5  # of log rv


class ParityError(RoughcastError):
    """The exported network does not predict what the trained one does."""

    code = "parity"


@dataclass(frozen=True)
class TorchPredictor:
    """A trained network behind the interface that serving uses for its ONNX export."""

    network: nn.Module
    lookback: int
    scale: Scale = "logs"
    columns: tuple[str, ...] = ()
    kind: ClassVar[str] = "onnx"  # what it becomes for serving
    vectorized: ClassVar[bool] = True
    dated: ClassVar[bool] = False

    @property
    def diagnostics(self) -> tuple[str, ...]:
        """Names of what the network shows besides its prediction."""
        return diagnostics_of(self.network)

    def predict(self, windows: Windows) -> Prediction:
        """Predict log rv of the sessions ahead from (batch, lookback) ``rv``."""
        log_rv = torch.from_numpy(np.log(windows["rv"]).astype(np.float32))
        values, *diagnostics = (output.double().numpy() for output in self._outputs(log_rv))
        return Prediction(values, dict(zip(self.diagnostics, diagnostics, strict=True)))

    def predict_log(self, log_windows: Tensor | FloatArray) -> FloatArray:
        """Predict from (batch, lookback) windows that are logs already; (batch,) logs."""
        log_rv = torch.as_tensor(log_windows, dtype=torch.float32)
        return self._outputs(log_rv)[0].double().numpy()

    def to_onnx(
        self, spec: OnnxPredictorSpec, example: Windows, further: Sequence["TorchPredictor"] = ()
    ) -> bytes:
        """The network as the content of ``model.onnx``, checked against torch.

        Parameters
        ----------
        spec : names of the graph's input and outputs.
        example : (n, lookback) windows, at least 64 rows, to compare the two on.
        further : the same network carried to the further horizons of ``spec``, in their order.

        Raises
        ------
        ParityError : some prediction differs by more than 1e-5 of log rv.
        """
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            _write_onnx(self, further, spec, path)
            content = path.read_bytes()
        exported = load(content, spec, self.scale, self.lookback)
        for trained, horizon in zip((self, *further), spec.horizons, strict=True):
            _check_parity(trained, exported[horizon], example)
        return content

    def _outputs(self, log_rv: Tensor) -> tuple[Tensor, ...]:
        self.network.eval()
        with one_thread(), torch.no_grad():
            return outputs_of(self.network, log_rv)


def _write_onnx(
    predictor: TorchPredictor,
    further: Sequence[TorchPredictor],
    spec: OnnxPredictorSpec,
    path: Path,
) -> None:
    example = torch.zeros(2, predictor.lookback)
    network = SeveralHorizons(predictor.network, [_carried(it) for it in further])
    with quiet_exporter():
        program = torch.onnx.export(
            network.eval(),
            (example,),
            dynamo=True,
            verbose=False,
            input_names=[spec.input],
            output_names=spec.outputs,
            dynamic_shapes=({0: torch.export.Dim("batch")},),
        )
    assert program is not None
    model = program.model_proto
    forget_origins(model)
    onnx.save(model, path)


def _carried(predictor: TorchPredictor) -> CarriedNetwork:
    assert isinstance(predictor.network, CarriedNetwork), "one graph holds one network"
    return predictor.network


def forget_origins(model: onnx.ModelProto) -> None:
    """Drop the exporter's notes on which source line made what, with paths of this machine.

    Without them, the same network exports the same bytes wherever it was trained.
    """
    graph = model.graph
    values = [*graph.value_info, *graph.input, *graph.output]
    for part in [model, graph, *graph.node, *graph.initializer, *values]:
        part.ClearField("doc_string")
        part.ClearField("metadata_props")
    assert not model.functions, "a function would have notes of its own"


@contextmanager
def quiet_exporter() -> Iterator[None]:
    """Keep the exporter's remarks on its own workings, and on packages not here, off the screen."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _check_parity(trained: TorchPredictor, exported: OnnxPredictor, example: Windows) -> None:
    for size in PARITY_BATCHES:
        rows = {name: values[-size:] for name, values in example.items()}
        difference = _largest_difference(trained.predict(rows), exported.predict(rows))
        if not difference <= PARITY_TOLERANCE:  # also true for NaN
            raise ParityError(
                f"onnxruntime and torch differ by {difference:.2g} of log rv on a batch of {size}; "
                f"at most {PARITY_TOLERANCE:g} is accepted"
            )


def _largest_difference(one: Prediction, other: Prediction) -> float:
    outputs = [(one.values, other.values)]
    outputs += [(values, other.diagnostics[name]) for name, values in one.diagnostics.items()]
    return float(np.max([np.max(np.abs(left - right)) for left, right in outputs]))
