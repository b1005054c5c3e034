"""A torch network as a predictor, and its export to ONNX."""

import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn

from models_store.manifest import OnnxPredictorSpec
from models_store.predictors import OnnxPredictor, Prediction, Scale
from training.networks.threads import one_thread
from volatility.arrays import Windows
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

    def predict(self, windows: Windows) -> Prediction:
        """Predict log rv of the next session from (batch, lookback) windows; (batch,)."""
        self.network.eval()
        log_rv = torch.from_numpy(np.log(windows["rv"]).astype(np.float32))
        with one_thread(), torch.no_grad():
            predicted: torch.Tensor = self.network(log_rv)
        return Prediction(predicted.double().numpy(), {})


def export_onnx(predictor: TorchPredictor, spec: OnnxPredictorSpec, example: Windows) -> bytes:
    """The network as the content of ``model.onnx``, checked against torch before it is returned.

    Parameters
    ----------
    predictor : the trained network.
    spec : names of the graph's input and output.
    example : (n, lookback) windows, at least 64 rows, to compare the two on.

    Raises
    ------
    ParityError : some prediction differs by more than 1e-5 of log rv.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        _write_onnx(predictor, spec, path)
        exported = OnnxPredictor.from_file(path, spec, predictor.lookback)
        _check_parity(predictor, exported, example)
        return path.read_bytes()


def _write_onnx(predictor: TorchPredictor, spec: OnnxPredictorSpec, path: Path) -> None:
    example = torch.zeros(2, predictor.lookback)
    with _quiet_exporter():
        program = torch.onnx.export(
            predictor.network.eval(),
            (example,),
            dynamo=True,
            verbose=False,
            input_names=[spec.input],
            output_names=[spec.output],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
        )
    assert program is not None
    model = program.model_proto
    _forget_origins(model)
    onnx.save(model, path)


def _forget_origins(model: onnx.ModelProto) -> None:
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
def _quiet_exporter() -> Iterator[None]:
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
        found, expected = exported.predict(rows).values, trained.predict(rows).values
        difference = float(np.max(np.abs(found - expected)))
        if not difference <= PARITY_TOLERANCE:  # also true for NaN
            raise ParityError(
                f"onnxruntime and torch differ by {difference:.2g} of log rv on a batch of {size}; "
                f"at most {PARITY_TOLERANCE:g} is accepted"
            )
