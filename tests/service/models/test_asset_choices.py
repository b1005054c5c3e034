"""What answers for an asset, whichever of its models serve, are refused or lost."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from models_store import Card
from service.models.asset_choices import LADDER, AssetChoices
from service.models.choice import Choice

UNTRUE = "a file has another digest"


def loaded(name: str, version: int = 2) -> Any:
    manifest = SimpleNamespace(
        **dict.fromkeys(("asset", "model", "measure", "calendar"), name),
        bar_interval=86_400,
        predictor=SimpleNamespace(kind_of_asset=lambda: None),
        horizons=(1,),
        intervals=(),
        columns=(),
        companions=(),
        training=SimpleNamespace(end=None),
    )
    return SimpleNamespace(
        manifest=manifest, version=version, sha256="", required_sessions=1, name=name
    )


def card(name: str, kind: str | None = None, measure: str = "known") -> Card:
    fields = dict.fromkeys(Card._fields)
    return Card(**{**fields, "model": name, "kind": kind, "measure": measure, "calendar": "XNYS"})


@dataclass
class World:
    """Some models of an asset, and the model for every asset, of bars in one measure."""

    serving: tuple[str, ...] = ()
    champion: str | None = None
    refused: dict[str, int | None] = field(default_factory=dict)  # version, by model
    lost: tuple[str, ...] = ()
    known: tuple[Card, ...] = ()
    knows: str = ""

    def choices(self) -> AssetChoices:
        opened = {name: loaded(name) for name in self.serving}
        rack = SimpleNamespace(
            champion=self.champion,
            open=opened.get,
            models=lambda: sorted(opened),
            is_lost=lambda name: name in self.lost,
            cards=lambda: {it.model: it for it in self.known},
            refusal=lambda name: (
                SimpleNamespace(version=self.refused[name], reason=UNTRUE)
                if name in self.refused
                else None
            ),
        )
        standing: Any = SimpleNamespace(
            rack=rack,
            skill=lambda model, horizon: f"{model.name} at {horizon}",
            kind=lambda: "etf",
        )
        universal: Any = SimpleNamespace(
            knows=lambda _interval, measure: measure == self.knows,
            choice=lambda *said: said,
        )
        return AssetChoices("A", standing, universal)

    def of(self, model: str = "auto") -> Any:
        """The name and the reason of a model of the asset's own, or what the other is asked."""
        found: Any = self.choices().of(model)
        if not isinstance(found, Choice):
            return found
        assert (found.skill, found.asset) == (f"{found.model.manifest.model} at 1", "A")
        return found.model.manifest.model, found.degraded_reason


def test_a_model_that_serves_answers_and_says_if_a_newer_version_is_refused() -> None:
    assert World(("har",)).of("har") == ("har", None)
    assert World(("har",)).of("hexp") is None
    newer, unread = World(("har",), refused={"har": 3}), World(("har",), refused={"har": None})
    assert newer.of("har") == (
        "har",
        f"version 3 of har is refused: {UNTRUE}; version 2 answers instead",
    )
    assert unread.of("har") == (
        "har",
        f"the pointer of har is refused: {UNTRUE}; version 2 answers instead",
    )


def test_auto_is_the_champion() -> None:
    assert World(("har", "hexp"), "hexp").of() == ("hexp", None)
    assert World(("hexp",), "hexp", {"hexp": 3}).of() == (
        "hexp",
        f"version 3 of hexp is refused: {UNTRUE}; version 2 answers instead",
    )


@pytest.mark.parametrize(
    ("world", "why"),
    [
        (World(("har",)), "A has no champion"),
        (World(("har",), refused={"champion": None}), f"the champion is refused: {UNTRUE}"),
        (World(("har",), "hexp"), "the champion hexp is not in service"),
        (World(("har",), "hexp", {"hexp": 3}), f"the champion hexp is refused: {UNTRUE}"),
    ],
)
def test_why_the_champion_does_not_answer_is_told(world: World, why: str) -> None:
    assert world.of() == ("har", f"{why}; har answers instead")


@pytest.mark.parametrize(
    ("serving", "answers"),
    [
        (("har", "last_value", "log_har", "calendar_log_har", "a"), "calendar_log_har"),
        (("har", "last_value", "log_har", "a"), "log_har"),
        (("har", "last_value", "a"), "har"),
        (("last_value", "a"), "last_value"),
        (("b", "a"), "a"),
    ],
)
def test_the_hardest_benchmark_stands_in(serving: tuple[str, ...], answers: str) -> None:
    assert World(serving, "hexp").of()[0] == answers
    assert LADDER == ("universal", "calendar_log_har", "log_har", "har", "last_value")


def test_the_model_for_every_asset_stands_in_for_a_champion_if_it_knows_the_measure() -> None:
    why = "the champion hexp is not in service; universal answers instead"
    # An own version of it comes first; else it is bound to what a benchmark says of the asset.
    assert World(("universal", "har"), "hexp", knows="har").of() == ("universal", why)
    assert World(("har",), "hexp", knows="har").of() == ("A", "etf", "har", "har", why)
    assert World(("har",), "hexp", knows="other").of()[0] == "har"
    # Where nobody is champion, one of the asset's own answers.
    assert World(("universal", "har"), knows="har").of()[0] == "har"


def test_where_all_are_lost_what_was_known_of_them_tells_the_bars() -> None:
    known = (card("a", measure="other"), card("hexp", "fx"), card("har", "index"))
    why = "the champion hexp is not in service; universal answers instead"
    lost = World((), "hexp", known=known, knows="known")
    assert lost.of() == ("A", "fx", "XNYS", "known", why)
    nobody = World((), None, known=known, knows="other")
    assert nobody.of()[1:] == (
        "fx",
        "XNYS",
        "other",
        "A has no champion; universal answers instead",
    )
    # None says what the asset is taken for: then it is what is usual on its calendar.
    usual = World((), "hexp", known=(card("hexp"),), knows="known").of()
    assert usual[1] == "stock"
    assert World((), "hexp", known=known, knows="nothing").of() is None
    assert World((), "hexp").of() is None
    assert World().of() is None


def test_what_is_lost_is_tried_by_each_request() -> None:
    choices = World((), "hexp", lost=("hexp",)).choices()
    assert [choices.are_lost(it) for it in ("auto", "hexp", "har")] == [True, True, False]
    assert not World((), None, lost=("hexp",)).choices().are_lost("auto")


def test_the_kind_is_that_of_models_that_serve_or_did() -> None:
    assert World(("har",), known=(card("har", "fx"),)).choices().kind() == "etf"
    assert World(known=(card("a"), card("b", "fx"), card("c", "etf"))).choices().kind() == "fx"
    assert World().choices().kind() is None
