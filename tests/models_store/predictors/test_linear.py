import json
from pathlib import Path

import pytest

from models_store.predictors import linear
from models_store.predictors.linear import LinearPredictorSpec
from volatility.errors import InvalidInput
from volatility.regressor_names import coefficients_of
from volatility.regressors import LinearPredictor, ReturnSquares, RoughForecast

PREDICTORS = {
    "names tell all": LinearPredictor(
        "levels", coefficients_of({"mean_1": 0.1 + 0.2, "mean_22": 1 / 3}), 1e-5 / 3
    ),
    "a decay was estimated": LinearPredictor(
        "levels",
        {ReturnSquares(0.9 / 1.1, 200): 0.1, ReturnSquares(0.9 / 1.1, 200, negative=True): 0.05},
    ),
    "an exponent was estimated": LinearPredictor(
        "logs", {RoughForecast(1 / 7, 100, ahead): 0.5 for ahead in (1, 2)}, -0.01
    ),
}


def read(path: Path, predictor: LinearPredictor) -> LinearPredictor:
    spec = linear.describe({1: predictor})
    return linear.load(path, spec, predictor.scale, predictor.lookback)[1]


@pytest.mark.parametrize("case", PREDICTORS)
def test_a_predictor_survives_json_to_the_last_bit(case: str, tmp_path: Path) -> None:
    predictor, path = PREDICTORS[case], tmp_path / "coefficients.json"
    path.write_bytes(linear.write({1: predictor}))
    assert read(path, predictor) == predictor


def test_other_regressors_than_the_manifest_names_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "coefficients.json"
    path.write_bytes(linear.write({1: PREDICTORS["names tell all"]}))
    with pytest.raises(ValueError, match="names"):
        linear.load(path, LinearPredictorSpec(regressors=("mean_1",)), "levels", 1)


def test_a_parameter_that_is_missing_is_refused(tmp_path: Path) -> None:
    predictor, path = PREDICTORS["a decay was estimated"], tmp_path / "coefficients.json"
    content = json.loads(linear.write({1: predictor}))
    del content["horizons"]["1"]["parameters"]["return_squares"]["decay"]
    path.write_text(json.dumps(content))
    with pytest.raises(InvalidInput, match="return_squares has the parameters"):
        read(path, predictor)


def test_two_regressors_of_one_name_are_not_written() -> None:
    predictor = LinearPredictor(
        "levels", {ReturnSquares(0.9, 200): 0.1, ReturnSquares(0.8, 200): 1}
    )
    with pytest.raises(ValueError, match="return_squares"):
        linear.write({1: predictor})


def test_one_file_holds_every_horizon(tmp_path: Path) -> None:
    rough = {
        horizon: LinearPredictor(
            "logs",
            {RoughForecast(1 / 7, 100, it): 1 / horizon for it in range(1, horizon + 1)},
            -0.01 * horizon,
        )
        for horizon in (1, 5)
    }
    path, spec = tmp_path / "coefficients.json", linear.describe(rough)
    path.write_bytes(linear.write(rough))
    assert spec.regressors == ("rough_1", "rough_2", "rough_3", "rough_4", "rough_5")
    assert linear.load(path, spec, "logs", 100) == rough


def test_a_file_of_the_time_before_horizons_is_one_of_the_next_session(tmp_path: Path) -> None:
    path = tmp_path / "coefficients.json"
    path.write_text('{"intercept": 1e-05, "coefficients": {"mean_1": 0.5}}')
    (found,) = linear.load(path, LinearPredictorSpec(regressors=("mean_1",)), "levels", 1).items()
    assert found == (1, LinearPredictor("levels", coefficients_of({"mean_1": 0.5}), 1e-5))
