"""Linear models: ``coefficients.json``, for people to read as much as for the service."""

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from models_store.predictors.predictor import PredictorKind, PredictorSpec
from volatility.arrays import Scale, Windows
from volatility.regressor_names import make_regressor
from volatility.regressors import LinearPredictor


class LinearPredictorSpec(PredictorSpec):
    """A linear combination of regressors, with its numbers in ``coefficients.json``."""

    kind: Literal["linear"] = "linear"
    regressors: tuple[str, ...] = Field(
        description="Regressors in the order of the design matrix; see volatility.regressor_names."
    )


def describe(predictor: LinearPredictor) -> LinearPredictorSpec:
    """The names of the regressors."""
    return LinearPredictorSpec(regressors=tuple(it.name for it in predictor.coefficients))


def write(
    predictor: LinearPredictor,
    _spec: LinearPredictorSpec | None = None,
    _example: Windows | None = None,
) -> bytes:
    """Intercept and coefficients by regressor, and the parameters of those that have any.

    Raises
    ------
    ValueError : two regressors have one name.
    """
    names = [regressor.name for regressor in predictor.coefficients]
    if len(set(names)) < len(names):
        raise ValueError(f"two regressors have one name among {', '.join(names)}")
    content: dict[str, Any] = {
        "intercept": predictor.intercept,
        "coefficients": {it.name: value for it, value in predictor.coefficients.items()},
    }
    parameters = {it.name: dict(it.parameters) for it in predictor.coefficients if it.parameters}
    if parameters:
        content["parameters"] = parameters
    return (json.dumps(content, indent=2) + "\n").encode()


def load(path: Path, spec: LinearPredictorSpec, scale: Scale, _lookback: int) -> LinearPredictor:
    """Read ``coefficients.json``.

    Raises
    ------
    ValueError : the file is not of this form, or names other regressors than the manifest.
    InvalidInput : a regressor is unknown or has other parameters.
    """
    fields = json.loads(path.read_bytes())
    names = tuple(fields["coefficients"])
    if names != spec.regressors:
        raise ValueError(f"{path.name} names {names}, the manifest {spec.regressors}")
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
