"""Results of a small evaluation, for the tests of what is made of them."""

from functools import cache

from tests.training.simulated import make_asset, small_config
from training.data.assets import TrainingSet
from training.evaluation.run import Evaluated, evaluate
from training.evaluation.study import Study
from training.models.registry import recipes

MODELS = ("last_value", "moving_average", "har", "log_har")
NOBS = 700


@cache
def results() -> tuple[Evaluated, ...]:
    """Two assets, one and five sessions ahead; the second asset has no moving average."""
    chosen = {
        "FIRST": tuple(recipes(MODELS, small_config())),
        "SECOND": tuple(recipes(["har"], small_config())),
    }
    assets = {name: make_asset(name, NOBS, seed) for seed, name in enumerate(chosen)}
    studies = [
        Study(TrainingSet(assets[name], {}, seed=7, horizon=horizon), models)
        for name, models in chosen.items()
        for horizon in (1, 5)
    ]
    return tuple(evaluate(studies, jobs=1))
