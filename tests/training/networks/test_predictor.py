from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch

from models_store.manifest import OnnxPredictorSpec
from models_store.predictors import OnnxPredictor
from tests.training.data import make_asset, small_config
from training.models.lstm import lstm
from training.models.recipe import TrainingSet
from training.networks import predictor as module
from training.networks.predictor import ParityError, TorchPredictor, export_onnx
from volatility.arrays import Windows


@pytest.fixture(scope="module")
def trained() -> TorchPredictor:
    return lstm(small_config()).fit(TrainingSet(make_asset(), {}, 1)).predictor


@pytest.fixture(scope="module")
def rows() -> Windows:
    return {"rv": make_asset(seed=9).pairs(20).windows["rv"][-100:]}


def test_onnxruntime_predicts_what_torch_predicts(
    trained: TorchPredictor, rows: Windows, tmp_path: Path
) -> None:
    spec = OnnxPredictorSpec()
    path = tmp_path / "model.onnx"
    path.write_bytes(export_onnx(trained, spec, rows))
    served = OnnxPredictor.from_file(path, spec, 20)
    for size in (1, 2, 33, 100):
        part = {"rv": rows["rv"][:size]}
        np.testing.assert_allclose(
            served.predict(part).values, trained.predict(part).values, rtol=0, atol=1e-5
        )


def test_the_graph_takes_any_batch_and_names_its_ends(
    trained: TorchPredictor, rows: Windows
) -> None:
    session = ort.InferenceSession(export_onnx(trained, OnnxPredictorSpec(), rows))
    (given,), (returned,) = session.get_inputs(), session.get_outputs()
    assert (given.name, returned.name) == ("log_rv", "log_rv_next")
    assert isinstance(given.shape[0], str)
    assert given.shape[1] == 20


def test_the_graph_does_not_say_where_it_was_made(trained: TorchPredictor, rows: Windows) -> None:
    content = export_onnx(trained, OnnxPredictorSpec(), rows)
    assert b"volatility_network" not in content
    assert str(Path(module.__file__).parent).encode() not in content


def test_an_export_that_predicts_something_else_is_refused(
    trained: TorchPredictor, rows: Windows, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = module._write_onnx

    def write_another(predictor: TorchPredictor, *rest: object) -> None:
        with torch.no_grad():
            predictor.network.scaler.mean.add_(1e-3)
            write(predictor, *rest)
            predictor.network.scaler.mean.sub_(1e-3)

    monkeypatch.setattr(module, "_write_onnx", write_another)
    with pytest.raises(ParityError, match="differ by"):
        export_onnx(trained, OnnxPredictorSpec(), rows)
