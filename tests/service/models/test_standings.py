"""How models compare belongs to the rack that they stand on."""

import threading
from dataclasses import replace
from typing import Any

import pytest

from models_store import Refusal, Shelf, Store
from models_store.rack import Rack
from models_store.stored_comparisons import record
from service.models.skill import ModelSkill
from service.models.standings import Standing, Standings
from service.settings import Settings
from tests.models_store.artifacts import make_files
from tests.service.worlds import ASSET, MODELS, damage, publish_shifted


@pytest.fixture
def shelf(settings: Settings) -> Shelf:
    return Shelf(Store(settings.store_folder))


def refuse(shelf: Shelf, reason: str) -> None:
    shelf.refuse(ASSET, "ewma", Refusal(ASSET, "ewma", None, reason, None))


def test_each_rack_has_a_standing_of_its_own(shelf: Shelf) -> None:
    standings = Standings(shelf)
    first = standings.of(ASSET)
    assert (first.rack, standings.of(ASSET)) == (shelf.rack(ASSET), first)
    assert not standings.is_known(ASSET, 1)
    assert standings.comparison(ASSET, 1) is first.comparison(1)
    assert standings.is_known(ASSET, 1)
    assert standings.is_known(ASSET, 5)  # which none forecasts
    refuse(shelf, "damaged")
    second = standings.of(ASSET)
    assert second is not first
    assert not standings.is_known(ASSET, 1)
    excluded = [standings.comparison(ASSET, 1), first.comparison(1)]
    assert [len(it.excluded) for it in excluded if it] == [1, 0]


def test_a_standing_that_comes_with_its_rack_is_kept(shelf: Shelf) -> None:
    standings = Standings(shelf)
    before = shelf.rack(ASSET)
    standing = standings.of_rack(ASSET, replace(before, champion="har"))
    standing.find_out((1,))
    assert standings.exchange(ASSET, before, standing)
    assert standings.of(ASSET) is standing
    assert not standings.exchange(ASSET, before, standings.of_rack(ASSET, Rack()))
    assert standings.of(ASSET) is standing


def test_what_changes_while_evidence_is_read_is_compared_anew(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence, reads = Rack.evidence, 0

    def reading(rack: Rack) -> Any:
        nonlocal reads
        reads += 1
        if reads == 1:
            refuse(shelf, "damaged")
        return evidence(rack)

    monkeypatch.setattr(Rack, "evidence", reading)
    standings = Standings(shelf)
    before = standings.of(ASSET)
    assert not before.find_out((1,), anyway=False)
    assert before.comparisons == {}
    found = standings.comparison(ASSET, 1)
    assert found is not None
    assert [it.reason for it in found.excluded] == ["refused: damaged"]
    assert before.find_out((1,))  # though it serves no longer
    assert before.comparisons[1].excluded == ()


def test_several_horizons_are_found_out_by_one_reading(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(settings.store_folder)
    for model, intercept in MODELS.items():
        store.publish(make_files(ASSET, model, intercept, further=(5, 22)), promote=True)
    evidence, reads = Rack.evidence, list[Rack]()

    def reading(rack: Rack) -> Any:
        reads.append(rack)
        return evidence(rack)

    monkeypatch.setattr(Rack, "evidence", reading)
    standing = Standings(Shelf(store)).of(ASSET)
    assert standing.find_out((1, 22))
    assert standing.horizons() == [1, 5, 22]
    assert (standing.is_known(22), standing.is_known(5), standing.is_known(7)) == (
        True,
        False,
        True,
    )
    assert (len(reads), standing.kind()) == (1, None)


def test_what_is_known_is_told_while_another_thread_finds_out_more(shelf: Shelf) -> None:
    standing = Standings(shelf).of(ASSET)
    standing.find_out((1,))
    model = shelf.open(ASSET, "har")
    assert model is not None
    found: list[Any] = []
    with standing._finding_out:
        asking = threading.Thread(target=lambda: found.append(standing.skill(model, 1)))
        asking.start()
        asking.join(10)
    assert isinstance(found[0], ModelSkill)


def test_a_model_of_another_version_has_no_skill_here(shelf: Shelf) -> None:
    standing = Standings(shelf).of(ASSET)
    model = shelf.open(ASSET, "har")
    assert model is not None
    assert isinstance(standing.skill(model, 1), ModelSkill)
    said = standing.skill(replace(model, version=2), 1)
    assert said == "har is not compared: its files are not those that it was opened from"


def test_why_models_are_not_compared_is_told(settings: Settings) -> None:
    publish_shifted(settings, "har")
    shelf = Shelf(Store(settings.store_folder))
    standings = Standings(shelf)
    assert standings.problems() == []
    standings.comparison(ASSET, 1)
    [problem] = standings.problems()
    assert problem.startswith(f"{ASSET}/har misaligned: ")
    model = shelf.open(ASSET, "har")
    assert model is not None
    said = standings.of(ASSET).skill(model, 1)
    assert isinstance(said, str)
    assert said.startswith("har is not compared: misaligned")


def test_of_no_models_nothing_is_known(shelf: Shelf) -> None:
    standing = Standing(shelf.store, ASSET, Rack(), Rack)
    assert (standing.comparison(1), standing.horizons(), standing.kind()) == (None, [], None)
    assert standing.is_known(1)
    assert standing.problems("A") == []


def test_what_was_compared_when_it_was_published_is_not_compared_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(settings.store_folder)
    expected = Standings(Shelf(store)).comparison(ASSET, 1)
    assert record(store, ASSET) == 1

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr("models_store.comparison.compare", refuse)
    monkeypatch.setattr(Rack, "evidence", refuse)
    shelf = Shelf(store)
    assert Standings(shelf).comparison(ASSET, 1) == expected
    shelf.verify()
    standing = Standings(shelf).of(ASSET)
    for model in MODELS:
        opened = shelf.open(ASSET, model)
        assert opened is not None
        assert isinstance(standing.skill(opened, 1), ModelSkill)
    assert (standing.horizons(), standing.kind()) == ([1], None)


def test_a_version_that_takes_over_is_compared_as_itself(settings: Settings) -> None:
    """Of what serves in place of a damaged one, nothing was stored."""
    store = Store(settings.store_folder)
    store.publish(make_files(ASSET, "har", 9e-5), promote=True)
    record(store, ASSET)
    damage(settings, "har", 2)
    standings = Standings(Shelf(store))
    standings.of(ASSET).rack.open("har")
    found = standings.comparison(ASSET, 1)
    assert found is not None
    assert found.versions["har"] == 1
    assert [it.version for it in found.excluded] == [2]
