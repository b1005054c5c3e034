"""The choices that are kept open, and those that a batch keeps to."""

from types import SimpleNamespace
from typing import Any

import pytest

from models_store.rack import Rack
from service.models.choice import Choice, OpenChoices, PinnedChoices

Asked = tuple[str, str]


def choice(name: str) -> Choice:
    model: Any = SimpleNamespace(name=name)
    return Choice(model, None, name, "A", SimpleNamespace())


class World:
    """Racks of two assets, and choices of which those named in ``old`` are not current."""

    def __init__(self, most: int = 3) -> None:
        self.racks = {"A": Rack(), "B": Rack()}
        self.old: set[str] = set()
        self.open = OpenChoices(most, self.racks, lambda it: it.skill not in self.old)

    def put(self, asset: str, model: str, name: str = "", rack: Rack | None = None) -> None:
        self.open.put(asset, model, rack or self.racks[asset], choice(name or model))

    def names(self) -> dict[Asked, Any]:
        return {asked: it.skill for asked, it in self.open.kept().items()}


@pytest.fixture
def world() -> World:
    return World()


def test_those_asked_for_last_are_kept(world: World) -> None:
    for model in ("x", "y", "z"):
        world.put("A", model)
    assert world.open.are_full
    assert world.open.get("A", "x") is not None
    world.put("B", "x")
    assert set(world.names()) == {("A", "z"), ("A", "x"), ("B", "x")}


def test_one_of_another_rack_is_neither_given_nor_kept(world: World) -> None:
    before = world.racks["A"]
    world.put("A", "x")
    world.racks["A"] = Rack()
    assert world.open.get("A", "x") is None
    world.put("A", "x", "new")
    world.put("A", "x", "old", before)
    found = world.open.get("A", "x")
    assert found is not None
    assert found.skill == "new"


def test_one_that_is_not_current_is_not_kept(world: World) -> None:
    world.old = {"old"}
    world.put("A", "x", "old")
    assert world.open.get("A", "x") is None


def test_a_turn_changes_what_serves_and_what_is_given_together(world: World) -> None:
    for asset, model in (("A", "x"), ("A", "y"), ("B", "x")):
        world.put(asset, model)
    rack = Rack()

    def swap() -> bool:
        world.racks["A"] = rack
        return True

    assert world.open.turn({("A", "x"): (rack, choice("new"))}, swap)
    assert world.names() == {("A", "x"): "new", ("B", "x"): "x"}  # of the other nobody has asked


def test_a_turn_keeps_the_order_and_the_number(world: World) -> None:
    for asset, model in (("A", "x"), ("B", "x"), ("B", "y")):
        world.put(asset, model)
    rack, new = world.racks["A"], choice("new")
    assert world.open.turn({("A", "x"): (rack, new), ("A", "auto"): (rack, new)}, lambda: True)
    assert list(world.names()) == [("B", "x"), ("B", "y"), ("A", "auto")]


def test_a_turn_that_does_not_happen_changes_nothing(world: World) -> None:
    world.put("A", "x")
    turned = world.open.turn({("A", "x"): (world.racks["A"], choice("new"))}, lambda: False)
    assert (turned, world.names()) == (False, {("A", "x"): "x"})


def test_pinned_choices_stay_and_are_shared(world: World) -> None:
    world.put("A", "x")
    pinned = PinnedChoices(world.open, {("A", "given"): choice("given")}, lambda _: True)
    first = pinned.get("A", "x")
    assert pinned.get("A", "y") is None
    pinned.put("A", "y", world.racks["A"], choice("y"))
    world.racks["A"] = Rack()
    world.put("A", "x", "new")
    assert pinned.get("A", "x") is first is not None
    found = [pinned.get("A", it) for it in ("y", "given")]
    assert [it.skill for it in found if it] == ["y", "given"]
    assert world.names() == {("A", "x"): "new", ("A", "y"): "y"}


def test_pinned_choices_are_of_what_they_are_pinned_to(world: World) -> None:
    world.put("A", "x")
    assert PinnedChoices(world.open, {}, lambda _: False).get("A", "x") is None
