"""The model that answers a request, and what is said beside its answer."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, Protocol

from models_store import LoadedModel
from models_store.rack import Rack
from service.models.skill import ModelSkill


class Source(Protocol):
    """What a choice was made from, and is asked again for more of the same state."""

    def skill(self, model: LoadedModel, horizon: int) -> ModelSkill | str:
        """How a model of this state did, or why that is not known."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The model that answers a request.

    Parameters
    ----------
    model : the model.
    degraded_reason : why it is not the one that was meant, if so.
    skill : how it did against the baseline, or why that is not known.
    asset : that it is asked about; None where the request names none.
    source : what it was made from: all that is said of the model is of that, whatever serves by
        then.
    fitted_on : first and last session of an asset of this name that the model for every asset was
        fitted on, if it is that which answers.
    """

    model: LoadedModel
    degraded_reason: str | None
    skill: ModelSkill | str
    asset: str | None
    source: Source = field(compare=False, repr=False)
    fitted_on: tuple[date, date] | None = None


class _Kept(NamedTuple):
    rack: Rack  # that the asset had, when the choice was made
    choice: Choice


class Choices(Protocol):
    """Choices that are given at once."""

    def get(self, asset: str, model: str) -> Choice | None:
        """The choice for what is asked, if it is kept."""

    def put(self, asset: str, model: str, rack: Rack, choice: Choice) -> None:
        """Keep a choice that was made while an asset had this rack."""


class OpenChoices:
    """The choices that were made last, each with its model open.

    One that was made from another rack than the asset's is not given any more.

    Parameters
    ----------
    most : how many are kept.
    racks : of each asset, as they are now.
    is_current : whether what a choice was made from still serves, as far as that is no rack.
    """

    def __init__(
        self, most: int, racks: Mapping[str, Rack], is_current: Callable[[Choice], bool]
    ) -> None:
        self._most, self._racks, self._is_current = most, racks, is_current
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._turning = threading.Lock()

    @property
    def are_full(self) -> bool:
        """Whether one more would push another out."""
        return len(self._kept) >= self._most

    def get(self, asset: str, model: str) -> Choice | None:
        """The choice for what is asked, if it is kept."""
        with self._turning:
            kept = self._kept.get((asset, model))
            if kept is None or kept.rack is not self._racks.get(asset):
                return None
            self._kept.move_to_end((asset, model))
            return kept.choice

    def put(self, asset: str, model: str, rack: Rack, choice: Choice) -> None:
        """Keep a choice, in place of the one that was not asked for the longest.

        One that would not be given is not kept: in its place may be one that was prepared.

        Parameters
        ----------
        asset, model : what was asked.
        rack : that the asset had, when the choice was made.
        choice : it.
        """
        asked, kept = (asset, model), _Kept(rack, choice)
        with self._turning:
            if self._is_given(asked, kept):
                self._kept[asked] = kept
                self._kept.move_to_end(asked)
                self._let_go()

    def kept(self) -> dict[tuple[str, str], Choice]:
        """All of them, by asset and model, also those that are not given any more."""
        with self._turning:
            return {asked: it.choice for asked, it in self._kept.items()}

    def turn(
        self, prepared: Mapping[tuple[str, str], tuple[Rack, Choice]], swap: Callable[[], bool]
    ) -> bool:
        """Change what serves, and with it the choices: nobody gets one without the other.

        Parameters
        ----------
        prepared : choices with the racks that they were made from, by asset and model.
        swap : changes what serves, if it can.

        Returns
        -------
        Whether it did; nothing is changed where it did not.
        """
        with self._turning:
            if not swap():
                return False
            self._kept.update({asked: _Kept(*it) for asked, it in prepared.items()})
            for asked in [it for it, kept in self._kept.items() if not self._is_given(it, kept)]:
                del self._kept[asked]
            self._let_go()
            return True

    def _is_given(self, asked: tuple[str, str], kept: _Kept) -> bool:
        return kept.rack is self._racks.get(asked[0]) and self._is_current(kept.choice)

    def _let_go(self) -> None:
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)


class PinnedChoices:
    """Choices of which each that is given once stays.

    Parameters
    ----------
    kept : where they come from.
    choices : to begin with, by asset and model.
    is_current : whether a choice that is kept may be given.
    """

    def __init__(
        self,
        kept: OpenChoices,
        choices: Mapping[tuple[str, str], Choice],
        is_current: Callable[[Choice], bool],
    ) -> None:
        self._kept, self._is_current = kept, is_current
        self._pinned = dict(choices)

    def get(self, asset: str, model: str) -> Choice | None:
        """The choice for what is asked, if there is one."""
        known = self._pinned.get((asset, model))
        if known is None:
            known = self._kept.get(asset, model)
            if known is None or not self._is_current(known):
                return None
            self._pinned[asset, model] = known
        return known

    def put(self, asset: str, model: str, rack: Rack, choice: Choice) -> None:
        """Keep a choice here and where the others come from."""
        self._pinned[asset, model] = choice
        self._kept.put(asset, model, rack, choice)
