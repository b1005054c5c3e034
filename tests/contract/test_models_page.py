"""What docs/models.md says of the econometric models is what they are."""

import json
import re
from pathlib import Path

import pytest

from tests.training.simulated import small_config
from training.models.linear.least_squares import LeastSquares
from training.models.recipe import Recipe
from training.models.registry import LINEAR, make_recipe
from volatility.regressor_names import make_regressor

PAGE = (Path(__file__).parents[2] / "docs" / "models.md").read_text()
ROW = re.compile(r"^\| `(\w+)` \| [^|]+ \| (levels|logs) \|([^|]*)\| (\d+) \|$", re.M)
ROWS = ROW.findall(PAGE)
# Of the regressors that have some.
PARAMETERS = {
    "return_squares": {"decay": 0.9, "sessions": 200},
    "negative_return_squares": {"decay": 0.9, "sessions": 200},
    "rough_5": {"hurst": 0.12, "sessions": 100},
}


def econometric() -> dict[str, Recipe]:
    """Every model without a network."""
    return {name: make_recipe(name, small_config()) for name in LINEAR}


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
    assert len(names) == 17
    for name in names:
        regressor = make_regressor(name, PARAMETERS.get(name))
        assert regressor.name == name
        assert set(regressor.parameters) == set(PARAMETERS.get(name, ()))
        assert all(f"`{parameter}`" in section for parameter in regressor.parameters)
    assert json.dumps({"return_squares": {"decay": 0.822923, "sessions": 200}})[1:-1] in section
