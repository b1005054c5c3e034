import pytest

from tests.training.simulated import small_config
from training.models.recipe import stand_in_of
from training.models.registry import (
    MEMBERS,
    MEMBERS_COMPANIONS,
    MODELS,
    STAND_INS,
    make_recipe,
    recipes,
)
from volatility import extras
from volatility.errors import UnknownModel
from volatility.extras import ExtraMissing


@pytest.mark.parametrize("name", MODELS)
def test_every_line_makes_the_model_of_its_name(name: str) -> None:
    recipe = make_recipe(name, small_config())
    assert recipe.name == name
    assert recipe.compared_with is None or recipe.compared_with in MODELS
    assert (recipe.compared_with is not None) == bool(recipe.sources)
    assert stand_in_of(recipe) == STAND_INS.get(name)


def test_a_combination_with_companions_has_the_members_of_the_other() -> None:
    assert [STAND_INS.get(name, name) for name in MEMBERS_COMPANIONS] == list(MEMBERS)
    named = {it.name for it in recipes(["combination_companions"], small_config())}
    assert {*MEMBERS, *MEMBERS_COMPANIONS, "combination"} < named


def test_recipes_come_with_the_benchmarks_in_the_order_of_the_registry() -> None:
    names = [recipe.name for recipe in recipes(["lhar", "ewma"], small_config())]
    assert names == ["last_value", "ewma", "har", "log_har", "calendar_log_har", "lhar"]


def test_an_unknown_model_is_named() -> None:
    for make in (lambda: make_recipe("oracle", small_config()), lambda: recipes(["oracle"], None)):
        with pytest.raises(UnknownModel, match="there is no model 'oracle'"):
            make()


def test_a_package_that_is_not_installed_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "PACKAGES", {"networks": ("numpy", "no_such_package")})
    with pytest.raises(ExtraMissing, match="lstm needs the extra 'networks'") as refused:
        make_recipe("lstm", small_config())
    assert refused.value.found == "no no_such_package"
