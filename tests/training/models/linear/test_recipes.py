"""What each model without a network looks at, and what its manifest says was chosen of it."""

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import training
from tests.training.simulated import small_config
from training.models.recipe import Recipe, members_of, stand_in_of
from training.models.registry import (
    COMBINATION,
    COMBINATION_COMPANIONS,
    LINEAR,
    MEMBERS,
    MEMBERS_COMPANIONS,
    MODELS,
    NEURAL,
    make_recipe,
)

DAY, WEEK, MONTH = MEANS = ("mean_1", "mean_5", "mean_22")
LAGS: dict[str, Any] = {"lags": (1, 5, 22)}
CALENDAR: dict[str, Any] = {"calendar_shrinkage": 10.0}
SHOCKS = tuple(f"negative_shock_{lag}:return" for lag in (1, 5, 22))
NIGHT = ("absolute_shock_1:overnight_return", "negative_shock_1:overnight_return")
HEXP = (
    *(f"exponential_mean_{centre}" for centre in (1, 5, 25, 125)),
    *SHOCKS,
    "absolute_shock_1:return",
    *NIGHT,
)
RIDGE = (
    *("departure_1", "departure_5", "departure_25", "exponential_mean_125", "mean_22"),
    *("level_departure_5", "level_departure_25"),
    *SHOCKS,
    *(f"absolute_shock_{lag}:return" for lag in (1, 5, 22)),
    *NIGHT,
    *("departure_0:range_ratio", "departure_5:range_ratio", "exponential_mean_125:range_ratio"),
    *("spread_22", "excursion_5"),
)
NIGHTS = frozenset({"overnight_return"})


@dataclass(frozen=True)
class Expected:
    """Of a regression."""

    scale: str
    regressors: tuple[str, ...]
    lookback: int
    chosen: dict[str, Any]
    columns: tuple[str, ...] = ()
    optional: frozenset[str] = frozenset()
    penalty: float = 0.0
    relative: bool = False


def of_hexp(**chosen: Any) -> Expected:
    told = {"centres_of_mass": (1, 5, 25, 125), **LAGS, **CALENDAR, **chosen}
    return Expected("logs", HEXP, 250, told, ("overnight_return", "return"), NIGHTS)


OF_RIDGE = Expected(
    "logs",
    RIDGE,
    250,
    {"penalty": 0.01, **CALENDAR},
    ("overnight_return", "range_ratio", "return"),
    NIGHTS | {"range_ratio"},
    penalty=0.01,
)
REGRESSIONS = {
    "har": Expected("levels", MEANS, 22, LAGS),
    "har_wls": Expected("levels", MEANS, 22, LAGS | {"weights": "1 / fit²"}, relative=True),
    "log_har": Expected("logs", MEANS, 22, LAGS),
    "calendar_log_har": Expected("logs", MEANS, 22, LAGS | CALENDAR),
    "harj": Expected("levels", (*MEANS, "mean_1:jump"), 22, LAGS, ("jump",)),
    "harcj": Expected(
        "levels",
        (
            *(f"{mean}:continuous" for mean in MEANS),
            *(f"{mean}:significant_jump" for mean in MEANS),
        ),
        22,
        LAGS,
        ("continuous", "significant_jump"),
    ),
    "shar": Expected(
        "levels",
        ("mean_1:negative_semivariance", "mean_1:positive_semivariance", WEEK, MONTH),
        22,
        LAGS,
        ("negative_semivariance", "positive_semivariance"),
    ),
    "harq": Expected("levels", (*MEANS, "quarticity_1"), 22, LAGS, ("realized_quarticity",)),
    "lhar": Expected(
        "logs",
        (*MEANS, *(f"negative_mean_{lag}:return" for lag in (1, 5, 22))),
        22,
        LAGS,
        ("return",),
    ),
    "hexp": of_hexp(),
    "ridge": OF_RIDGE,
    "hexp_companions": of_hexp(),
    "ridge_companions": OF_RIDGE,
    "mem": of_hexp(loss="qlike", target_cap=6.0),
}  # fmt: skip
# Lookback, columns and what was chosen.
OTHERS: dict[str, tuple[int, tuple[str, ...], dict[str, Any]]] = {
    "last_value": (1, (), {"regressor": "mean_1"}),
    "moving_average": (22, (), {"regressor": "mean_22"}),
    "ewma": (75, (), {"regressor": "ewma_0.94"}),
    "garch": (200, ("return",), {"window": 200, "scale_sessions": 1_000}),
    "gjr": (200, ("return",), {"window": 200, "scale_sessions": 1_000}),
    "rfsv": (100, (), {"window": 100}),
}
STAND_INS = {"hexp_companions": "hexp", "ridge_companions": "ridge"}


def made(name: str) -> Any:
    return make_recipe(name, small_config())


def test_every_model_is_in_a_table() -> None:
    assert {*REGRESSIONS, *OTHERS} == LINEAR.keys()


@pytest.mark.parametrize("name", REGRESSIONS)
def test_a_regression(name: str) -> None:
    recipe, expected = made(name), REGRESSIONS[name]
    inner = getattr(recipe, "inner", recipe)
    assert (inner.scale, inner.regressors) == (expected.scale, expected.regressors)
    assert (recipe.lookback, recipe.columns) == (expected.lookback, expected.columns)
    assert dict(recipe.hyperparameters) == expected.chosen
    assert inner.optional == expected.optional
    told = getattr(inner, "penalty", 0.0), getattr(inner, "relative", False)
    assert told == (expected.penalty, expected.relative)


@pytest.mark.parametrize("name", OTHERS)
def test_another_model(name: str) -> None:
    recipe = made(name)
    assert (recipe.lookback, recipe.columns, dict(recipe.hyperparameters)) == OTHERS[name]


@pytest.mark.parametrize("name", LINEAR)
def test_it_learns_from_its_asset_alone_and_as_often_as_is_configured(name: str) -> None:
    recipe: Recipe = made(name)
    assert (recipe.name, recipe.refit_every) == (name, 22)
    assert (recipe.sources, recipe.compared_with, members_of(recipe)) == ((), None, ())
    assert stand_in_of(recipe) == STAND_INS.get(name)


def test_losses_count_apart_in_one_of_two() -> None:
    assert (made("garch").asymmetric, made("gjr").asymmetric) == (False, True)


def test_combinations_are_of_regressions_and_the_model_for_every_asset() -> None:
    assert MEMBERS == ("hexp", "ridge", "universal")
    assert MEMBERS_COMPANIONS == ("hexp_companions", "ridge_companions", "universal")
    for name, members in ((COMBINATION, MEMBERS), (COMBINATION_COMPANIONS, MEMBERS_COMPANIONS)):
        assert members_of(made(name)) == members
        assert made(name).lookback == 250
    assert stand_in_of(made(COMBINATION_COMPANIONS)) == COMBINATION
    assert stand_in_of(made(COMBINATION)) is None


def test_what_a_model_is_made_by_is_there() -> None:
    """Without importing it: those of networks load torch."""
    root = Path(training.__file__).parents[1]
    for name, place in MODELS.items():
        module, function = place.split(":")
        tree = ast.parse((root / f"{module.replace('.', '/')}.py").read_text())
        defined = {it.name for it in tree.body if isinstance(it, ast.FunctionDef)}
        assert function in defined, name
    assert len(NEURAL) == 12
