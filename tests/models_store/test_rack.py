"""The models of one asset in one state."""

from pathlib import Path

import pytest

from models_store import Refusal, Store
from models_store.names import CHAMPION
from models_store.rack import HeldBack, Rack
from models_store.shelf import Shelf
from tests.models_store.artifacts import flip_byte, make_files


def refusal(model: str, version: int | None = 1) -> Refusal:
    return Refusal("TEST", model, version, f"{model} is damaged", None)


def test_what_is_refused_stands_by_model_with_the_champion_last() -> None:
    told = {it: refusal(it) for it in (CHAMPION, "log_har", "har")}
    held_back = {"har": HeldBack(refusal("har", 2)), "zero": HeldBack(refusal("zero"))}
    rack = Rack(told=told, held_back=held_back)
    assert [(it.model, it.version) for it in rack.refusals] == [
        ("har", 2),  # in the place of what its place was refused for
        ("log_har", 1),
        ("zero", 1),
        (CHAMPION, 1),
    ]
    assert rack.refusal("har") == refusal("har", 2)
    assert rack.refusal("ewma") is None
    assert rack.refusals is rack.refusals


def test_two_racks_are_two_states_whatever_is_in_them() -> None:
    assert Rack() != Rack()


@pytest.fixture
def rack(tmp_path: Path) -> Rack:
    """One model serves, one is damaged, one lost, and one was never promoted."""
    store = Store(tmp_path)
    for model in ("har", "damaged", "lost"):
        store.publish(make_files(model=model), promote=True)
    store.publish(make_files(model="waiting"))
    path = tmp_path / "TEST" / "damaged" / "1" / "coefficients.json"
    path.write_bytes(flip_byte(path.read_bytes(), 5))
    (tmp_path / "TEST" / "lost" / "1").rename(tmp_path / "TEST" / "lost" / "2")
    shelf = Shelf(store)
    shelf.verify()
    return shelf.rack("TEST")


def test_it_tells_what_serves_what_may_and_what_cannot(rack: Rack) -> None:
    assert list(rack.places) == ["damaged", "har", "lost", "waiting"]
    assert rack.models() == ["har"]
    assert [name for name in rack.places if rack.find(name)] == ["har", "lost"]
    assert [name for name in rack.places if rack.is_lost(name)] == ["lost"]
    assert [rack.find("none"), rack.open("none"), rack.is_lost("none")] == [None, None, False]
    assert list(rack.cards()) == list(rack.evidence()) == ["har"]
    assert [rack.may_serve(), Rack().may_serve()] == [True, False]
    model = rack.open("har")
    assert model is not None
    assert (model.manifest.model, rack.open("damaged")) == ("har", None)
