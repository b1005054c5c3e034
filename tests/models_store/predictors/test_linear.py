import json

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


def read(content: bytes, predictor: LinearPredictor) -> LinearPredictor:
    spec = linear.describe({1: predictor})
    return linear.load(content, spec, predictor.scale, predictor.lookback)[1]


@pytest.mark.parametrize("case", PREDICTORS)
def test_a_predictor_survives_json_to_the_last_bit(case: str) -> None:
    predictor = PREDICTORS[case]
    assert read(linear.write({1: predictor}), predictor) == predictor


def test_other_regressors_than_the_manifest_names_are_refused() -> None:
    content = linear.write({1: PREDICTORS["names tell all"]})
    with pytest.raises(ValueError, match=r"coefficients\.json names"):
        linear.load(content, LinearPredictorSpec(regressors=("mean_1",)), "levels", 1)


def test_a_parameter_that_is_missing_is_refused() -> None:
    predictor = PREDICTORS["a decay was estimated"]
    content = json.loads(linear.write({1: predictor}))
    del content["horizons"]["1"]["parameters"]["return_squares"]["decay"]
    with pytest.raises(InvalidInput, match="return_squares has the parameters"):
        read(json.dumps(content).encode(), predictor)


def test_two_regressors_of_one_name_are_not_written() -> None:
    predictor = LinearPredictor(
        "levels", {ReturnSquares(0.9, 200): 0.1, ReturnSquares(0.8, 200): 1}
    )
    with pytest.raises(ValueError, match="return_squares"):
        linear.write({1: predictor})


def test_one_file_holds_every_horizon() -> None:
    rough = {
        horizon: LinearPredictor(
            "logs",
            {RoughForecast(1 / 7, 100, it): 1 / horizon for it in range(1, horizon + 1)},
            -0.01 * horizon,
        )
        for horizon in (1, 5)
    }
    spec = linear.describe(rough)
    assert spec.regressors == ("rough_1", "rough_2", "rough_3", "rough_4", "rough_5")
    assert linear.load(linear.write(rough), spec, "logs", 100) == rough


def test_a_file_of_the_time_before_horizons_is_one_of_the_next_session() -> None:
    content = b'{"intercept": 1e-05, "coefficients": {"mean_1": 0.5}}'
    (found,) = linear.load(
        content, LinearPredictorSpec(regressors=("mean_1",)), "levels", 1
    ).items()
    assert found == (1, LinearPredictor("levels", coefficients_of({"mean_1": 0.5}), 1e-5))
