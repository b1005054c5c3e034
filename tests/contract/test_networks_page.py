"""What docs/models.md says of the networks is what they are."""

import re
from pathlib import Path

import pytest

from training.config import FittingConfig, read_config
from training.models.neural.network_recipe import NetworkRecipe
from training.models.neural.transfer import Transfer
from training.models.registry import MODELS, make_recipe
from training.networks.strategies import STRATEGIES, stages_of
from training.networks.volatility_network import VolatilityNetwork

PAGE = (Path(__file__).parents[2] / "docs" / "models.md").read_text().split("## Networks")[1]
CONFIG = read_config()
RECIPES = {name: make_recipe(name, CONFIG) for name in MODELS}
NETWORKS = {name: made for name, made in RECIPES.items() if isinstance(made, NetworkRecipe)}
TRANSFERS = {name: made for name, made in NETWORKS.items() if isinstance(made, Transfer)}


def table(header: str) -> dict[str, list[str]]:
    """The cells of the table under ``header``, by the name in the first of each row."""
    lines = PAGE.split(header)[1].split("\n\n")[0].splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {re.findall(r"`(\w+)`", first)[0]: rest for first, *rest in rows}


SUMMARY = table("| model | in one line | learns from | sessions | shows |")
RATES = table("| model | strategy | head | encoder | stages |")


def test_every_network_has_its_row() -> None:
    assert SUMMARY.keys() == NETWORKS.keys() - TRANSFERS.keys() | {"transfer"}
    assert RATES.keys() == TRANSFERS.keys()


@pytest.mark.parametrize("name", SUMMARY)
def test_a_row_says_what_the_network_needs(name: str) -> None:
    _, learns_from, sessions, _ = SUMMARY[name]
    recipe = NETWORKS[name]
    assert recipe.lookback == int(sessions)
    assert learns_from == ("source, target" if recipe.sources else "target")


@pytest.mark.parametrize("name", RATES)
def test_the_table_of_strategies_is_that_of_the_code(name: str) -> None:
    recipe = TRANSFERS[name]
    strategy = STRATEGIES[recipe.strategy]
    stages = stages_of(VolatilityNetwork(recipe.network), strategy, recipe.fitting)
    rates = [f"{strategy.head_rate:g}", f"{strategy.encoder_rate:g}"]
    assert RATES[name] == [f"`{recipe.strategy}`", *rates, {1: "one", 5: "five"}[len(stages)]]


@pytest.mark.parametrize(
    ("phase", "words"),
    [
        (CONFIG.pretraining, "learning rate 1e-3, batches of 32, at most 50 epochs"),
        (CONFIG.fine_tuning, "in fine-tuning 1e-4, 16 and 30"),
    ],
)
def test_the_numbers_of_training_are_those_of_the_configuration(
    phase: FittingConfig, words: str
) -> None:
    assert words in " ".join(PAGE.split())
    numbers = [float(number) for number in re.findall(r"\d[\de-]*", words)]
    assert numbers == [phase.learning_rate, phase.batch_size, phase.epochs]


def test_how_often_networks_are_fitted_again() -> None:
    assert f"every {CONFIG.walk_forward.network_refit_every} sessions" in " ".join(PAGE.split())
