from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from tests.training.fits import network_of, torch_of
from tests.training.simulated import make_training_set, small_config
from training.models.neural import pretraining
from training.models.neural.network_recipe import NetworkRecipe
from training.models.neural.seed_mean import SeedMean
from training.models.recipe import Fit
from training.models.registry import make_recipe
from volatility.arrays import FloatArray, Windows

SEEDS = (7, 8)  # two from the configured one on


def recipe_of(model: str) -> NetworkRecipe:
    recipe = make_recipe(model, small_config())
    assert isinstance(recipe, NetworkRecipe)
    return recipe


@cache
def single(model: str, seed: int) -> Fit:
    return recipe_of(model).fit(replace(make_training_set(), seed=seed))


@cache
def averaged(model: str, seeds: int = len(SEEDS)) -> Fit:
    return SeedMean(recipe_of(model), seeds).fit(make_training_set())


def windows() -> Windows:
    return {"rv": make_training_set().pairs(22).windows["rv"][-40:]}


def predictions(fits: Sequence[Fit]) -> FloatArray:
    return np.array([fit.predictor.predict(windows()).values for fit in fits])


@pytest.mark.parametrize("model", ["lstm", "hybrid", "transfer_residual"])
def test_it_predicts_the_mean_of_single_fits(model: str) -> None:
    fit = averaged(model)
    alone = [single(model, seed) for seed in SEEDS]
    first, second = predictions(alone)
    assert not np.allclose(first, second, atol=1e-3)
    expected = (first + second) / 2
    np.testing.assert_allclose(predictions([fit])[0], expected, rtol=0, atol=1e-6)
    assert tuple(fit.by_seed) == SEEDS
    assert np.array_equal(predictions(list(fit.by_seed.values())), predictions(alone))


@pytest.mark.parametrize(
    ("model", "shown"),
    [("dynamic_attention", "alpha"), ("regime_ensemble", "regime_probabilities")],
)
def test_it_shows_the_mean_of_what_single_fits_show(model: str, shown: str) -> None:
    first, second = (
        single(model, seed).predictor.predict(windows()).diagnostics[shown] for seed in SEEDS
    )
    found = averaged(model).predictor.predict(windows()).diagnostics
    assert list(found) == [shown]
    assert not np.allclose(first, second, atol=1e-4)
    np.testing.assert_allclose(found[shown], (first + second) / 2, rtol=0, atol=1e-6)


def test_residual_variance_is_that_of_the_mean() -> None:
    """On the validation part; by Jensen's inequality below the mean of the seeds' own."""
    fit = averaged("lstm")
    validation = recipe_of("lstm").target_split(make_training_set()).validation
    with torch.no_grad():
        forecasts = [network_of(own)(validation.inputs).double() for own in fit.by_seed.values()]
    errors = (forecasts[0] + forecasts[1]) / 2 - validation.targets.double()
    assert fit.residual_variance == pytest.approx(float(errors.square().mean()), rel=1e-5)
    own = [one.residual_variance for one in fit.by_seed.values()]
    spread = float((forecasts[0] - forecasts[1]).square().mean()) / 4
    assert fit.residual_variance == pytest.approx(np.mean(own) - spread, rel=1e-4)


def test_one_seed_is_the_fit_of_the_recipe() -> None:
    fit, alone = averaged("lstm", 1), single("lstm", SEEDS[0])
    assert predictions([fit]).tobytes() == predictions([alone]).tobytes()
    assert type(network_of(fit)) is type(network_of(alone))
    assert fit.residual_variance == alone.residual_variance
    assert (fit.learned, fit.histories) == (alone.learned, alone.histories)
    assert tuple(fit.by_seed) == SEEDS[:1]


def test_what_was_learned_is_a_mean_and_every_history_is_kept() -> None:
    fit, alone = averaged("hybrid"), [single("hybrid", seed) for seed in SEEDS]
    alphas = [one.learned["alpha"] for one in alone]
    assert alphas[0] != alphas[1]
    assert fit.learned["alpha"] == pytest.approx(sum(alphas) / 2)
    assert fit.histories == {
        f"training_{place}": one.histories["training"] for place, one in enumerate(alone, start=1)
    }


def test_the_same_seeds_give_the_same_bits() -> None:
    again = SeedMean(recipe_of("lstm"), 2).fit(make_training_set())
    assert predictions([again]).tobytes() == predictions([averaged("lstm")]).tobytes()
    assert again.residual_variance == averaged("lstm").residual_variance
    later = SeedMean(recipe_of("lstm"), 2).fit(replace(make_training_set(), seed=8))
    assert tuple(later.by_seed) == (8, 9)
    assert torch_of(later.by_seed[8]).lookback == torch_of(again).lookback
    assert np.array_equal(predictions([later.by_seed[8]]), predictions([again.by_seed[8]]))


def test_strategies_share_a_pre_training_a_seed() -> None:
    pretraining._pretrained.cache_clear()
    for model in ("transfer", "transfer_full", "transfer_gradual"):
        SeedMean(recipe_of(model), 2).fit(make_training_set(nobs=400))
    found = pretraining._pretrained.cache_info()
    assert (found.misses, found.hits) == (2, 4)


def test_it_is_told_of_as_the_network_is() -> None:
    recipe = recipe_of("transfer")
    mean = SeedMean(recipe, 2)
    for name in (
        *("name", "lookback", "columns", "refit_every", "sources"),
        *("compared_with", "hyperparameters"),
    ):
        assert getattr(mean, name) == getattr(recipe, name)
    assert mean.sources == ("SOURCE",)
    assert [source.asset for source in averaged("transfer").sources] == ["SOURCE"]
