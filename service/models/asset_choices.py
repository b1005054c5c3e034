"""What answers for an asset that has models, by one state of them."""

from models_store import Card, LoadedModel
from models_store.comparison import JUDGED
from models_store.names import UNIVERSAL
from service.models.choice import Choice
from service.models.standings import Standing
from service.models.universal import Universal
from volatility.scale_free import usual_kind

AUTO = "auto"  # the name under which an asset's champion is asked
# What `auto` is without a champion: fixed, since a comparison ranks by the test part.
REGRESSIONS = ("calendar_log_har", "log_har", "har")
_FALLBACKS = (*REGRESSIONS, "last_value")
LADDER = (UNIVERSAL, *_FALLBACKS)  # what it is, in this order, where the champion cannot answer


class AssetChoices:
    """Chooses among the models of one rack, and the model for every asset.

    Parameters
    ----------
    asset : whose.
    standing : the rack, and how its models compare.
    universal : the model for every asset.
    """

    def __init__(self, asset: str, standing: Standing, universal: Universal) -> None:
        self._asset, self._standing, self._universal = asset, standing, universal
        self._rack = standing.rack

    def of(self, model: str) -> Choice | None:
        """The model that answers, verified and opened if it is not open; None where none serves."""
        if model == AUTO:
            return self._auto()
        found = self._rack.open(model)
        return self._choice(found) if found else None

    def are_lost(self, model: str) -> bool:
        """Whether what was asked for is to be tried again by each request."""
        name = self._rack.champion if model == AUTO else model
        return name is not None and self._rack.is_lost(name)

    def kind(self) -> str | None:
        """What the models take the asset for, where one of them depends on that."""
        if self._rack.models():
            return self._standing.kind()
        return next((it.kind for it in self._rack.cards().values() if it.kind), None)

    def _auto(self) -> Choice | None:
        """The champion, or what answers in its place."""
        rack = self._rack
        model = rack.open(rack.champion) if rack.champion else None
        if model is not None:
            return self._choice(model)
        fallback = self._fallback()
        why = self._why_no_champion()
        own = rack.open(UNIVERSAL) if rack.champion is not None else None
        if own is None and (rack.champion is not None or fallback is None):
            card = Card.of(fallback) if fallback else self._lost_card()
            if card is not None and self._universal.knows(card.bar_interval, card.measure):
                kind = self.kind() or usual_kind(card.calendar)
                why = f"{why}; {UNIVERSAL} answers instead"
                return self._universal.choice(self._asset, kind, card.calendar, card.measure, why)
        found = own or fallback
        if found is None:
            return None
        return self._because(found, f"{why}; {found.manifest.model} answers instead")

    def _lost_card(self) -> Card | None:
        """What is known of the bars where the models are lost: by the champion, or by any."""
        cards = self._rack.cards()
        return cards.get(self._rack.champion or "") or next(iter(cards.values()), None)

    def _why_no_champion(self) -> str:
        champion = self._rack.champion
        refusal = self._rack.refusal(champion or "champion")
        if refusal:
            return f"the champion {champion or ''} is refused: {refusal.reason}".replace("  ", " ")
        if champion is None:
            return f"{self._asset} has no champion"
        return f"the champion {champion} is not in service"

    def _fallback(self) -> LoadedModel | None:
        """The hardest benchmark that serves, or whatever does."""
        found = (self._rack.open(it) for it in (*_FALLBACKS, *self._rack.models()))
        return next((it for it in found if it), None)

    def _choice(self, model: LoadedModel) -> Choice:
        name = model.manifest.model
        refusal = self._rack.refusal(name)
        if refusal is None:
            return self._because(model, None)
        version = "the pointer" if refusal.version is None else f"version {refusal.version}"
        said = f"{version} of {name} is refused: {refusal.reason}"
        return self._because(model, f"{said}; version {model.version} answers instead")

    def _because(self, model: LoadedModel, reason: str | None) -> Choice:
        skill = self._standing.skill(model, JUDGED)
        return Choice(model, reason, skill, self._asset, self._standing)
