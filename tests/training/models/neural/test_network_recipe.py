import pytest

from tests.training.simulated import make_training_set, small_config
from training.models.neural.network_recipe import NetworkRecipe
from training.models.registry import MODELS, make_recipe

RECIPES = {name: make_recipe(name, small_config()) for name in MODELS}
NETWORKS = [name for name, recipe in RECIPES.items() if isinstance(recipe, NetworkRecipe)]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_trained_the_same_twice_and_keeps_its_losses(name: str) -> None:
    data, recipe = make_training_set(), RECIPES[name]
    windows = {"rv": data.pairs(recipe.lookback).windows["rv"][-3:]}
    first, again = recipe.fit(data), recipe.fit(data)
    assert (
        first.predictor.predict(windows).values.tobytes()
        == again.predictor.predict(windows).values.tobytes()
    )
    assert first.learned == again.learned
    assert first.histories == again.histories
    phases = ["pretraining", "fine_tuning"] if recipe.sources else ["training"]
    assert list(first.histories) == phases
    last = first.histories[phases[-1]]
    assert first.residual_variance == min(last.validation_losses)
    assert [source.asset for source in first.sources] == list(recipe.sources)


@pytest.mark.parametrize("name", NETWORKS)
def test_hyperparameters_say_how_it_was_made(name: str) -> None:
    chosen = RECIPES[name].hyperparameters
    assert chosen["network.hidden_size"] == 8
    learning_rates = [value for key, value in chosen.items() if key.endswith(".learning_rate")]
    assert 1e-2 in learning_rates
    assert (1e-3 in learning_rates) == bool(RECIPES[name].sources)  # fine-tuning
