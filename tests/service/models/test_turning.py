"""What serves is changed between two requests, and whoever asks finds all prepared."""

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from models_store import Refusal, Store
from models_store.rack import Rack
from models_store.succession import NewChampion, Swap
from models_store.universal.store import UniversalStore
from service.models.catalogue import AUTO, Catalogue
from service.models.choice import Choice
from service.models.skill import ModelSkill
from service.models.turning import Turned, Turner
from service.models.universal import Universal
from service.settings import Settings
from tests.models_store.artifacts import make_files
from tests.models_store.universal.small import small_files
from tests.service.worlds import ASSET, MODELS, damage

FURTHER = (5,)


@pytest.fixture
def store(settings: Settings) -> Store:
    """Two versions of each model at two horizons, of which the first serves."""
    store = Store(settings.store_folder)
    for model, intercept in MODELS.items():
        for factor in (1, 30):
            store.publish(make_files(ASSET, model, factor * intercept, further=FURTHER))
        store.promote(ASSET, model, 2)
    return store


@pytest.fixture
def catalogue(store: Store) -> Catalogue:
    return Catalogue(store)


def qlike(skill: ModelSkill | str) -> float:
    assert isinstance(skill, ModelSkill)
    return skill.qlike_ratio


def kept(catalogue: Catalogue, model: str, asset: str = ASSET) -> Choice:
    """What is given at once."""
    choice = catalogue.choices.get(asset, model)
    assert choice is not None
    return choice


def test_what_was_open_is_open_with_the_new_version(store: Store, catalogue: Catalogue) -> None:
    before = {model: catalogue.resolve(ASSET, model) for model in ("har", "last_value")}
    catalogue.comparison(ASSET, 5)
    store.promote(ASSET, "har", 3)
    assert Turner(catalogue).turn(ASSET, ["har"]) == Turned((Swap(ASSET, "har", 2, 3),))
    har, last_value, auto = (kept(catalogue, it) for it in ("har", "last_value", AUTO))
    assert (har.model.version, last_value.model.version) == (3, 2)
    assert last_value.model is before["last_value"].model  # as it was, but for how it compares
    assert auto.model.manifest.model == "log_har"
    assert catalogue.choices.get(ASSET, "log_har") is None  # which nobody had asked for
    assert catalogue.is_compared(ASSET, 1)
    assert catalogue.is_compared(ASSET, 5)
    assert catalogue.comparison(ASSET, 5).versions == {"har": 3, "last_value": 2, "log_har": 2}
    assert qlike(last_value.skill) != qlike(before["last_value"].skill)


def test_a_choice_goes_on_to_be_of_the_state_that_it_was_made_from(
    store: Store, catalogue: Catalogue
) -> None:
    before = catalogue.resolve(ASSET, "last_value")
    at_once = catalogue.at(before, 5)
    store.promote(ASSET, "har", 3)
    Turner(catalogue).turn(ASSET, ["har"])
    assert catalogue.at(before, 5) == at_once
    later = catalogue.at(kept(catalogue, "last_value"), 5)
    assert later.model is at_once.model
    assert qlike(later.skill) != qlike(at_once.skill)


def test_what_was_never_compared_is_compared_of_the_state_that_was(
    store: Store, catalogue: Catalogue
) -> None:
    before = catalogue.resolve(ASSET, "har")
    store.promote(ASSET, "har", 3)
    Turner(catalogue).turn(ASSET, ["har"])
    qlikes = [qlike(catalogue.at(it, 5).skill) for it in (before, kept(catalogue, "har"))]
    assert qlikes == [1.0, 1.0]  # each is the baseline of its own state
    found = catalogue.at(before, 5).model.version, catalogue.at(kept(catalogue, "har"), 5)
    assert (found[0], found[1].model.version) == (2, 3)


def test_a_version_that_fails_leaves_the_choice_open_and_says_why(
    settings: Settings, store: Store, catalogue: Catalogue
) -> None:
    before = catalogue.resolve(ASSET, "har")
    store.promote(ASSET, "har", 3)
    damage(settings, "har", 3)
    with capture_logs() as lines:
        turned = Turner(catalogue).turn(ASSET, ["har"])
    assert (turned.swaps, [it.version for it in turned.refused]) == ((), [3])
    choice = kept(catalogue, "har")
    assert choice.model is before.model
    assert choice.degraded_reason is not None
    assert choice.degraded_reason.startswith("version 3 of har is refused: coefficients.json has")
    assert choice.degraded_reason.endswith("; version 2 answers instead")
    assert catalogue.is_compared(ASSET, 1)
    [line] = [it for it in lines if it["event"] == "artifact refused"]
    assert (line["version"], line["served_version"]) == (3, 2)


def test_another_champion_answers_auto(store: Store, catalogue: Catalogue) -> None:
    assert catalogue.resolve(ASSET, AUTO).model.manifest.model == "log_har"
    store.set_champion(ASSET, "har")
    turned = Turner(catalogue).turn(ASSET, ["champion"])
    assert turned.champions == (NewChampion(ASSET, "log_har", "har"),)
    assert kept(catalogue, AUTO).model.manifest.model == "har"
    assert catalogue.champion(ASSET) == "har"


def test_auto_of_a_new_asset_is_open_while_there_is_room(store: Store) -> None:
    store.publish(make_files("NEW", "har"), promote=True)
    store.set_champion("NEW", "har")
    for most, is_open in ((2, True), (1, False)):
        (store.root / "NEW").rename(store.root.with_name("away"))
        catalogue = Catalogue(store, most)
        catalogue.resolve(ASSET, "har")
        store.root.with_name("away").rename(store.root / "NEW")
        Turner(catalogue).turn("NEW", ["har", "champion"])
        assert (catalogue.choices.get("NEW", AUTO) is not None) == is_open
        assert catalogue.choices.get(ASSET, "har") is not None
        assert catalogue.is_compared("NEW", 1)
        assert catalogue.shelf.unverified == len(MODELS) - 1


def test_the_old_model_is_closed_once_nobody_holds_it(store: Store, catalogue: Catalogue) -> None:
    model = weakref.ref(catalogue.resolve(ASSET, "har").model)
    store.promote(ASSET, "har", 3)
    Turner(catalogue).turn(ASSET, ["har"])
    gc.collect()
    assert model() is None


def refuse(catalogue: Catalogue, reason: str) -> None:
    catalogue.shelf.refuse(ASSET, "none", Refusal(ASSET, "none", None, reason, None))


def test_what_changes_while_a_swap_is_prepared_is_not_lost(
    store: Store, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue.resolve(ASSET, "har")
    store.promote(ASSET, "har", 3)
    evidence, times = Rack.evidence, 0

    def reading(rack: Rack) -> Any:
        nonlocal times
        times += 1
        if times <= 2:
            refuse(catalogue, f"reason {times}")
        return evidence(rack)

    monkeypatch.setattr(Rack, "evidence", reading)
    assert Turner(catalogue).turn(ASSET, ["har"]).swaps == (Swap(ASSET, "har", 2, 3),)
    assert kept(catalogue, "har").model.version == 3
    assert [it.reason for it in catalogue.shelf.refused] == ["reason 2"]


def test_what_changes_all_the_time_is_left_to_the_next_look(
    store: Store, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.promote(ASSET, "har", 3)
    evidence, numbers = Rack.evidence, iter(range(100))

    def reading(rack: Rack) -> Any:
        refuse(catalogue, f"reason {next(numbers)}")
        return evidence(rack)

    monkeypatch.setattr(Rack, "evidence", reading)
    assert Turner(catalogue).turn(ASSET, ["har"]) == Turned(left={ASSET: frozenset({"har"})})
    assert catalogue.shelf.rack(ASSET).places["har"].promoted[0] == 2


class Asked:
    """A rehearsal that notes what it is asked."""

    def __init__(self, fails: bool = False) -> None:
        self.found: list[Any] = []
        self._fails = fails

    def ask(self, models: Catalogue, asset: str, model: str, before: Any) -> None:
        choice = models.choices.get(asset, model)
        assert choice is not None
        version = before.version if before else None
        self.found.append((asset, model, version, choice.model.version))
        if self._fails:
            raise KeyError("x")

    def ask_universal(self, models: Catalogue, before: Universal) -> None:
        self.found.append((before.version, models.universal.version))
        if self._fails:
            raise KeyError("x")


@pytest.mark.parametrize("fails", [False, True])
def test_what_is_to_serve_is_asked_before_it_does(
    store: Store, catalogue: Catalogue, fails: bool
) -> None:
    catalogue.resolve(ASSET, "har")
    store.promote(ASSET, "har", 3)
    rehearsal = Asked(fails)
    with capture_logs() as lines:
        Turner(catalogue, rehearsal).turn(ASSET, ["har"])
    assert rehearsal.found == [(ASSET, AUTO, None, 2), (ASSET, "har", 2, 3)]
    assert kept(catalogue, "har").model.version == 3
    told = [(it["event"], it["asset"], it["model"]) for it in lines if it["log_level"] == "error"]
    unasked = "model not asked before it serves"
    assert told == ([(unasked, ASSET, AUTO), (unasked, ASSET, "har")] if fails else [])


def test_nobody_gets_a_choice_of_one_state_and_a_rack_of_another(
    store: Store, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While racks are exchanged, whoever asks for a choice waits; that takes microseconds."""
    catalogue.resolve(ASSET, "har")
    store.promote(ASSET, "har", 3)
    exchange = catalogue.standings.exchange
    found: list[bool] = []

    def exchanging(*given: Any) -> bool:
        found.append(catalogue.open_choices._turning.locked())
        return exchange(*given)

    monkeypatch.setattr(catalogue.standings, "exchange", exchanging)
    Turner(catalogue).turn(ASSET, ["har"])
    assert found == [True]


def test_a_choice_that_was_made_before_a_swap_takes_the_place_of_none(
    store: Store, catalogue: Catalogue
) -> None:
    """As by a request that began before it."""
    before, rack = catalogue.resolve(ASSET, "har"), catalogue.shelf.rack(ASSET)
    store.promote(ASSET, "har", 3)
    Turner(catalogue).turn(ASSET, ["har"])
    catalogue.choices.put(ASSET, "har", rack, before)
    assert kept(catalogue, "har").model.version == 3


def test_pinned_models_stay_whatever_serves(store: Store, catalogue: Catalogue) -> None:
    catalogue.resolve(ASSET, "har")
    pinned = catalogue.pinned()
    assert pinned.resolve(ASSET, "har").model.version == 2
    store.promote(ASSET, "har", 3)
    Turner(catalogue).turn(ASSET, ["har"])
    assert pinned.resolve(ASSET, "har").model.version == 2
    assert pinned.resolve(ASSET, "log_har").model.version == 2  # which was not chosen before
    assert catalogue.pinned().resolve(ASSET, "har").model.version == 3


@pytest.fixture
def universal(settings: Settings, store: Store) -> Catalogue:
    """Asset OTHER is answered by the model for every asset, since its own champion is damaged."""
    UniversalStore(store.root).publish(small_files())
    store.publish(make_files("OTHER", "combination"), promote=True)
    store.set_champion("OTHER", "combination")
    path = store.root / "OTHER" / "combination" / "1" / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"calendar": "24/7"', b'"calendar": "24/5"'))
    store.publish(make_files("OTHER", "har"), promote=True)
    catalogue = Catalogue(store)
    catalogue.resolve("OTHER", AUTO)
    catalogue.resolve(ASSET, "har")
    return catalogue


def test_the_model_for_every_asset_is_followed(store: Store, universal: Catalogue) -> None:
    before, own = kept(universal, AUTO, "OTHER"), kept(universal, "har")
    assert (before.model.manifest.model, before.model.version) == ("universal", 1)
    assert Turner(universal).turn_universal() == Turned()
    UniversalStore(store.root).publish(small_files(0.5))
    rehearsal = Asked()
    turned = Turner(universal, rehearsal).turn_universal()
    assert turned == Turned((Swap("universal", "universal", 1, 2),))
    assert rehearsal.found == [(1, 2)]
    after = kept(universal, AUTO, "OTHER")
    assert (after.model.version, universal.universal.version) == (2, 2)
    assert after.degraded_reason == before.degraded_reason
    assert kept(universal, "har") is own
    assert before.source is not after.source is universal.universal
    assert universal.universal.is_bound("24/7")


def test_the_first_model_for_every_asset_takes_its_place(store: Store) -> None:
    store.publish(make_files("OTHER", "combination"))
    store.publish(make_files("OTHER", "har"), promote=True)
    (store.root / "OTHER" / "champion").write_text('{"model": "combination"}')
    catalogue = Catalogue(store)
    assert catalogue.resolve("OTHER", AUTO).model.manifest.model == "har"
    UniversalStore(store.root).publish(small_files())
    assert Turner(catalogue).turn_universal().swaps == (Swap("universal", "universal", None, 1),)
    assert kept(catalogue, AUTO, "OTHER").model.manifest.model == "universal"
    assert Catalogue(store).resolve("OTHER", AUTO).model.manifest.model == "universal"


def test_what_requests_open_meanwhile_is_prepared_too(
    store: Store, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.promote(ASSET, "har", 3)

    class Asking(Asked):
        def ask(self, models: Catalogue, asset: str, model: str, before: Any) -> None:
            super().ask(models, asset, model, before)
            catalogue.resolve(ASSET, "har")

    rehearsal = Asking()
    Turner(catalogue, rehearsal).turn(ASSET, ["har"])
    assert rehearsal.found == [(ASSET, AUTO, None, 2), (ASSET, "har", 2, 3)]
    assert kept(catalogue, "har").model.version == 3


def test_a_choice_of_the_model_for_every_asset_is_of_one_version(
    store: Store, universal: Catalogue
) -> None:
    before, pinned = kept(universal, AUTO, "OTHER"), universal.pinned()
    UniversalStore(store.root).publish(small_files(0.5))
    Turner(universal).turn_universal()
    further = universal.at(before, 22)
    assert isinstance(before.source, Universal)
    short = before.source.with_history(before, 30)
    assert [it.model.version for it in (further, short)] == [1, 1]
    assert short.model.sha256 == before.model.sha256
    assert pinned.universal.version == 1
    assert pinned.resolve("OTHER", AUTO).model.version == 1


def test_a_choice_of_the_version_before_is_not_kept(store: Store, universal: Catalogue) -> None:
    before, rack = kept(universal, AUTO, "OTHER"), universal.shelf.rack("OTHER")
    UniversalStore(store.root).publish(small_files(0.5))
    Turner(universal).turn_universal()
    universal.choices.put("OTHER", AUTO, rack, before)
    assert kept(universal, AUTO, "OTHER").model.version == 2


def spoil(path: Any) -> None:
    path.write_bytes(b"no network")


def test_a_version_of_it_that_fails_is_told_of(store: Store, universal: Catalogue) -> None:
    folder = UniversalStore(store.root).folder
    UniversalStore(store.root).publish(small_files(0.5))
    spoil(folder / "2" / "model.onnx")
    turner = Turner(universal)
    with capture_logs() as lines:
        for _ in range(2):
            turned = turner.turn_universal()
    assert turned == Turned()  # it is known
    assert [it["version"] for it in lines if it["event"] == "artifact refused"] == [2]
    choice = kept(universal, AUTO, "OTHER")
    assert choice.model.version == 1
    assert universal.universal.degraded_reason is not None
    assert universal.universal.degraded_reason.startswith("version 2 of universal is refused: mod")
    assert [it.version for it in universal.shelf.refused if it.model == "universal"] == [2]


@pytest.mark.parametrize("prepare", [lambda _: None, lambda it: it.resolve(ASSET, "har")])
def test_what_nobody_has_open_is_verified(
    store: Store, catalogue: Catalogue, prepare: Callable[[Catalogue], Any]
) -> None:
    prepare(catalogue)
    store.promote(ASSET, "har", 3)
    Turner(catalogue).turn(ASSET, ["har"])
    card = catalogue.shelf.rack(ASSET).cards()["har"]
    assert card.version == 3
