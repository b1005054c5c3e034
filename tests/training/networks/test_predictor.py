import copy
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]
import pytest
import torch

from models_store.predictors.network import OnnxPredictorSpec, describe, load, write
from tests.training.fits import torch_of
from tests.training.simulated import make_asset, small_config
from training.data.assets import TrainingSet
from training.models.recipe import Fit
from training.models.registry import make_recipe, recipes
from training.networks import predictor as module
from training.networks.carried_network import CarriedNetwork
from training.networks.predictor import ParityError, TorchPredictor
from volatility.arrays import Windows

DIAGNOSTICS = {  # of one network of each shape
    "lstm": (),
    "transformer": (),
    "residual_boosting": (),
    "dynamic_attention": ("alpha",),
    "regime_ensemble": ("regime_probabilities",),
}


@cache
def trained(model: str) -> TorchPredictor:
    return torch_of(make_recipe(model, small_config()).fit(TrainingSet(make_asset(), {}, 1)))


@cache
def averaged(model: str) -> Fit:
    (*_, recipe) = recipes([model], replace(small_config(), seeds=2))
    return recipe.fit(TrainingSet(make_asset(), {}, 1))


def rows(model: str, count: int = 100) -> Windows:
    return {"rv": make_asset(seed=9).pairs(trained(model).lookback).windows["rv"][-count:]}


def spec_of(model: str) -> OnnxPredictorSpec:
    return OnnxPredictorSpec(diagnostics=DIAGNOSTICS[model])


@cache
def exported(model: str) -> bytes:
    return trained(model).to_onnx(spec_of(model), rows(model))


@cache
def exported_mean(model: str) -> bytes:
    return torch_of(averaged(model)).to_onnx(spec_of(model), rows(model))


def write_as_before(model: str) -> Callable[..., None]:
    """An exporter that has not noticed that the network changed."""
    content = exported(model)
    return lambda _predictor, _further, _spec, path: path.write_bytes(content)


@pytest.mark.parametrize("model", DIAGNOSTICS)
def test_onnxruntime_says_what_torch_says(model: str) -> None:
    served = load(exported(model), spec_of(model), "logs", trained(model).lookback)[1]
    for size in (1, 2, 33, 100):
        part = rows(model, size)
        one, other = served.predict(part), trained(model).predict(part)
        np.testing.assert_allclose(one.values, other.values, rtol=0, atol=1e-5)
        assert tuple(one.diagnostics) == tuple(other.diagnostics) == DIAGNOSTICS[model]
        for name, values in one.diagnostics.items():
            assert values.shape[0] == size
            np.testing.assert_allclose(values, other.diagnostics[name], rtol=0, atol=1e-5)


@pytest.mark.parametrize("model", ["lstm", "regime_ensemble"])
def test_the_graph_takes_any_batch_and_names_its_ends(model: str) -> None:
    session = ort.InferenceSession(exported(model))
    (given,), returned = session.get_inputs(), session.get_outputs()
    assert given.name == "log_rv"
    assert [output.name for output in returned] == ["log_rv_next", *DIAGNOSTICS[model]]
    assert isinstance(given.shape[0], str)
    assert given.shape[1] == trained(model).lookback


@pytest.mark.parametrize("model", DIAGNOSTICS)
def test_the_graph_does_not_say_where_it_was_made(model: str) -> None:
    assert b"volatility_network" not in exported(model)
    assert str(Path(module.__file__).parent).encode() not in exported(model)


def test_an_export_that_predicts_something_else_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_write_onnx", write_as_before("lstm"))
    predictor = copy.deepcopy(trained("lstm"))
    network: Any = predictor.network
    network.scaler.mean.add_(1e-3)
    with pytest.raises(ParityError, match="differ by"):
        predictor.to_onnx(spec_of("lstm"), rows("lstm"))


def test_an_export_that_shows_something_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_write_onnx", write_as_before("regime_ensemble"))
    predictor = copy.deepcopy(trained("regime_ensemble"))
    network: Any = predictor.network
    with torch.no_grad():
        for layer in (network.classifier, network.predictors):
            layer.weight.copy_(layer.weight.flip(0))  # the same forecast, under other names
            layer.bias.copy_(layer.bias.flip(0))
    with pytest.raises(ParityError, match="differ by"):
        predictor.to_onnx(spec_of("regime_ensemble"), rows("regime_ensemble"))


def test_logs_are_taken_as_they_are() -> None:
    predictor, part = trained("lstm"), rows("lstm", 5)
    log_rv = np.log(part["rv"])
    expected = predictor.predict(part).values
    assert np.array_equal(predictor.predict_log(log_rv), expected)
    assert np.array_equal(predictor.predict_log(torch.from_numpy(log_rv).float()), expected)


@pytest.mark.parametrize("model", ["lstm", "regime_ensemble"])
def test_a_mean_of_networks_is_one_graph(model: str) -> None:
    alone = [torch_of(fit) for fit in (averaged(model).by_seed.values())]
    lookback = torch_of(averaged(model)).lookback
    served = load(exported_mean(model), spec_of(model), "logs", lookback)[1]
    assert len(served.session.get_inputs()) == 1
    for size in (1, 64):
        part = rows(model, size)
        outputs = [predictor.predict(part) for predictor in alone]
        found = served.predict(part)
        expected = np.mean([output.values for output in outputs], axis=0)
        np.testing.assert_allclose(found.values, expected, rtol=0, atol=1e-5)
        for name in DIAGNOSTICS[model]:
            shown = np.mean([output.diagnostics[name] for output in outputs], axis=0)
            np.testing.assert_allclose(found.diagnostics[name], shown, rtol=0, atol=1e-5)
    many = served.predict(rows(model, 64)).values
    one_by_one = [served.predict({"rv": row[None]}).values[0] for row in rows(model, 64)["rv"]]
    assert many.tobytes() == np.array(one_by_one).tobytes()


def test_one_graph_has_an_output_a_horizon() -> None:
    model = "regime_ensemble"
    of_next = averaged(model)
    (*_, recipe) = recipes([model], replace(small_config(), seeds=2))
    networks = {1: torch_of(of_next)} | {
        horizon: torch_of(recipe.fit(TrainingSet(make_asset(), {}, 1, horizon)))
        for horizon in (5, 22)
    }
    spec = describe(networks)
    assert spec.horizons == (1, 5, 22)
    content = write(networks, spec, rows(model))
    assert len(content) < 1.1 * len(exported_mean(model))  # the network is in it once
    served = load(content, spec, "logs", networks[1].lookback)
    assert list(served) == [1, 5, 22]
    for horizon, network in networks.items():
        found, expected = served[horizon].predict(rows(model)), network.predict(rows(model))
        np.testing.assert_allclose(found.values, expected.values, rtol=0, atol=1e-5)
        assert tuple(found.diagnostics) == DIAGNOSTICS[model]
    said = [served[it].predict(rows(model)).values for it in served]
    assert len({values.tobytes() for values in said}) == len(served)


def test_an_export_that_errs_at_a_further_horizon_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    next_session, spec = trained("lstm"), OnnxPredictorSpec(further={5: "log_rv_next_5"})
    right, wrong = (
        replace(next_session, network=CarriedNetwork(next_session.network, intercept, 0.5))
        for intercept in (1.0, 1.001)
    )
    content = next_session.to_onnx(spec, rows("lstm"), [right])
    monkeypatch.setattr(module, "_write_onnx", lambda *given: given[-1].write_bytes(content))
    with pytest.raises(ParityError, match=r"differ by 0\.001 "):
        next_session.to_onnx(spec, rows("lstm"), [wrong])
