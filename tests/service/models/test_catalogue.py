"""What the catalogue says of a model that does not serve, and of one that serves instead."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from models_store import ArtifactRefused, Store
from models_store.universal.store import UniversalStore
from service.models.catalogue import Catalogue
from service.models.commands import _check_known
from service.models.follower import SwapTally
from service.settings import Settings
from tests.errors import details
from tests.models_store.artifacts import make_files
from tests.models_store.universal.small import small_files
from tests.service.worlds import ASSET, MODELS, damage
from volatility.errors import RoughcastError, UnknownAsset

ABSENT = "; the model for every asset is not in service: the store holds none"
DAILY_HELD = (86_400, "garman_klass")


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings.store_folder)


def refused(call: Callable[[], object]) -> RoughcastError:
    with pytest.raises(RoughcastError) as error:
        call()
    return error.value


def test_names_that_nobody_has_are_told_with_those_that_there_are(store: Store) -> None:
    catalogue = Catalogue(store)
    for asset, named in (("B", "there is no asset 'B' with models"), (None, "no asset is named")):
        error = catalogue.why_none(asset, "har")
        assert str(error) == f"{named}; there are {ASSET}{ABSENT}"
        assert (error.code, *details(error)) == ("unknown_asset", "asset", asset, f"one of {ASSET}")
    models = "auto, har, last_value, log_har"
    error = refused(lambda: catalogue.resolve(ASSET, "lstm"))
    assert str(error) == f"{ASSET} has no model 'lstm'; it has {models}"
    assert (error.code, *details(error)) == ("unknown_model", "model", "lstm", f"one of {models}")
    error = refused(lambda: catalogue.comparison(ASSET, 5))
    assert str(error) == f"no model of {ASSET} forecasts 5 sessions ahead; there are [1]"
    assert details(error) == ("horizon", 5, "one of [1]")
    assert refused(lambda: catalogue.comparison("B")).code == "unknown_asset"


def test_of_an_asset_that_is_held_the_model_for_every_asset_answers(store: Store) -> None:
    UniversalStore(store.root).publish(small_files())
    held = {"B": DAILY_HELD, "C": (3_600, "realized_variance")}
    catalogue = Catalogue(store, held_as=held.get)
    said = [str(catalogue.why_none(asset, "har")) for asset in "BCD"]
    assert said[0].startswith("there is no asset 'B' with models of its own: it is held")
    any_other = ". Of any other, send daily bars, and leave model out or ask for universal"
    assert said[1:] == [
        f"there is no asset '{asset}' with models; there are {ASSET}{any_other}" for asset in "CD"
    ]


def test_a_version_that_is_refused_says_so_where_another_answers(
    settings: Settings, store: Store
) -> None:
    store.publish(make_files(ASSET, "har", 9e-5), promote=True)
    damage(settings, "har", 2)
    damage(settings, "last_value")
    catalogue = Catalogue(store)
    choice = catalogue.resolve(ASSET, "har")
    assert choice.degraded_reason is not None
    assert choice.degraded_reason.startswith("version 2 of har is refused: coefficients.json")
    assert choice.degraded_reason.endswith("; version 1 answers instead")
    error = refused(lambda: catalogue.resolve(ASSET, "last_value"))
    assert isinstance(error, ArtifactRefused)
    assert f"{ASSET}/last_value/1 is refused" in str(error)


def test_why_auto_is_not_the_champion_is_told(settings: Settings, store: Store) -> None:
    damage(settings, "log_har")
    reason = Catalogue(store).resolve(ASSET, "auto").degraded_reason
    assert reason is not None
    assert reason.startswith("the champion log_har is refused: coefficients.json")
    assert reason.endswith("; har answers instead")
    (store.root / ASSET / "champion").unlink()
    without = Catalogue(store).resolve(ASSET, "auto")
    assert without.degraded_reason == f"{ASSET} has no champion; har answers instead"


def test_an_asset_whose_models_are_all_refused_is_no_unknown_one(
    settings: Settings, store: Store
) -> None:
    for model in MODELS:
        damage(settings, model)
    catalogue = Catalogue(store)
    for model in MODELS:
        assert catalogue.choice(ASSET, model) is None
    with pytest.raises(ArtifactRefused):
        catalogue.why_none(ASSET, "har")
    assert isinstance(catalogue.why_none("B", "har"), UnknownAsset)


def test_what_answers_at_once_is_open(store: Store) -> None:
    catalogue = Catalogue(store, most_open=1)
    assert [catalogue.is_open(*of) for of in ((ASSET, "har"), (None, "har"), ("B", "har"))] == [
        *(False, True, True),
    ]
    catalogue.choice(ASSET, "auto")
    assert catalogue.is_open(ASSET, "auto")
    assert catalogue.is_open(ASSET, "lstm")  # there is none: auto tells which there are
    assert not catalogue.is_open(ASSET, "har")
    catalogue.choice(ASSET, "har")
    assert (catalogue.is_open(ASSET, "har"), catalogue.is_open(ASSET, "auto")) == (True, False)


def test_a_further_horizon_has_a_skill_of_its_own(store: Store) -> None:
    for model, intercept in MODELS.items():
        store.publish(make_files(ASSET, model, intercept, further=(5,)), promote=True)
    catalogue = Catalogue(store)
    choice = catalogue.resolve(ASSET, "log_har")
    further = catalogue.at(choice, 5)
    assert further == replace(choice, skill=catalogue.standings.of(ASSET).skill(choice.model, 5))
    assert further.skill != choice.skill
    assert refused(lambda: catalogue.at(choice, 7)).code == "unsupported_horizon"


def test_commands_tell_which_names_there_are(store: Store) -> None:
    error = refused(lambda: _check_known(store, "TESR"))
    assert str(error) == "no models are published for asset 'TESR'; did you mean 'TEST'?"
    assert details(error) == ("asset", "TESR", f"one of {ASSET}")
    error = refused(lambda: _check_known(store, ASSET, "hra"))
    assert str(error) == f"asset {ASSET} has no model 'hra'; did you mean 'har'?"
    assert details(error) == ("model", "hra", f"one of {', '.join(sorted(MODELS))}")


def test_nothing_is_counted_before_it_happens() -> None:
    tally = SwapTally()
    assert (tally.swaps, tally.refused) == (0, 0)
