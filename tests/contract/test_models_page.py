"""What docs/models.md says of the econometric models is what they are."""

import re
from pathlib import Path

import pytest

from tests.training.simulated import small_config
from training.models.linear.least_squares import LeastSquares
from training.models.recipe import Recipe
from training.models.registry import MODELS, make_recipe
from volatility import regressors

PAGE = (Path(__file__).parents[2] / "docs" / "models.md").read_text()
ROWS = re.findall(r"^\| `(\w+)` \| [^|]+ \| (levels|logs) \|([^|]*)\| (\d+) \|$", PAGE, re.M)


def econometric() -> dict[str, Recipe]:
    """Every model without a network."""
    made = {name: make_recipe(name, small_config()) for name in MODELS}
    return {
        name: recipe
        for name, recipe in made.items()
        if not any(key.startswith("network.") for key in recipe.hyperparameters)
    }


def test_the_table_has_every_econometric_model_once() -> None:
    assert sorted(name for name, *_ in ROWS) == sorted(econometric())
    assert len(ROWS) >= 14


@pytest.mark.parametrize(("name", "scale", "columns", "sessions"), ROWS)
def test_a_row_says_what_the_model_needs(
    name: str, scale: str, columns: str, sessions: str
) -> None:
    recipe = econometric()[name]
    assert recipe.lookback == int(sessions)
    assert recipe.columns == tuple(sorted(re.findall(r"`(\w+)`", columns)))
    if isinstance(recipe, LeastSquares):
        assert recipe.scale == scale


def test_the_names_of_regressors_are_names() -> None:
    section = PAGE.split("### Names of regressors")[1].split("###")[0]
    names = re.findall(r"^\| `([^`]+)` \|", section, re.M)
    assert len(names) == 8
    assert regressors.lookback_of(names) == 200
