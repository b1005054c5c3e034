"""Linear models: ``coefficients.json``, for people to read as much as for the service.

::

    {"horizons": {"1": {"intercept": 1e-05, "coefficients": {"mean_1": 0.4, …}},
                  "5": {"intercept": 2e-05, "coefficients": {"mean_1": 0.3, …}}}}

with ``parameters`` beside the coefficients of a horizon where regressors have any. A file of one
horizon's content alone, as older versions wrote it, is one of horizon 1.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from models_store.predictors.predictor import PredictorKind, PredictorSpec
from volatility.arrays import Scale, Windows
from volatility.regressor_names import make_regressor
from volatility.regressors import LinearPredictor

LinearPredictors = Mapping[int, LinearPredictor]


class LinearPredictorSpec(PredictorSpec):
    """A linear combination of regressors, with its numbers in ``coefficients.json``."""

    kind: Literal["linear"] = "linear"
    regressors: tuple[str, ...] = Field(
        description="Regressors in the order of the design matrix, those of further horizons "
        "behind those of the first; see volatility.regressor_names."
    )


def describe(predictors: LinearPredictors) -> LinearPredictorSpec:
    """The names of the regressors."""
    names = [it.name for predictor in predictors.values() for it in predictor.coefficients]
    return LinearPredictorSpec(regressors=tuple(dict.fromkeys(names)))


def write(
    predictors: LinearPredictors,
    _spec: LinearPredictorSpec | None = None,
    _example: Windows | None = None,
) -> bytes:
    """By horizon: intercept and coefficients by regressor, and the parameters of some.

    Raises
    ------
    ValueError : two regressors of one horizon have one name.
    """
    content = {str(horizon): _content(predictor) for horizon, predictor in predictors.items()}
    return (json.dumps({"horizons": content}, indent=2) + "\n").encode()


def load(
    content: bytes, spec: LinearPredictorSpec, scale: Scale, _lookback: int
) -> LinearPredictors:
    """Read ``coefficients.json``.

    Raises
    ------
    ValueError : the file is not of this form, or names other regressors than the manifest.
    InvalidInput : a regressor is unknown or has other parameters.
    """
    numbers = json.loads(content)
    of_horizons = numbers.get("horizons", {"1": numbers})
    predictors = {int(horizon): _predictor(it, scale) for horizon, it in of_horizons.items()}
    found = describe(predictors).regressors
    if found != spec.regressors:
        raise ValueError(f"{KIND.file} names {found}, the manifest {spec.regressors}")
    return predictors


def _content(predictor: LinearPredictor) -> dict[str, Any]:
    regressors = tuple(predictor.coefficients)
    names = [regressor.name for regressor in regressors]
    if len(set(names)) < len(names):
        raise ValueError(f"two regressors have one name among {', '.join(names)}")
    content: dict[str, Any] = {
        "intercept": predictor.intercept,
        "coefficients": {it.name: value for it, value in predictor.coefficients.items()},
    }
    parameters = {it.name: dict(it.parameters) for it in regressors if it.parameters}
    return content | {"parameters": parameters} if parameters else content


def _predictor(fields: Mapping[str, Any], scale: Scale) -> LinearPredictor:
    parameters = fields.get("parameters", {})
    return LinearPredictor(
        scale=scale,
        coefficients={
            make_regressor(name, parameters.get(name)): float(value)
            for name, value in fields["coefficients"].items()
        },
        intercept=float(fields["intercept"]),
    )


KIND = PredictorKind(LinearPredictorSpec, "coefficients.json", describe, write, load)
