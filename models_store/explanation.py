"""What moved a forecast: contributions that sum to it."""

from collections.abc import Sequence
from typing import NamedTuple

from volatility.arrays import Scale
from volatility.contributions import Part
from volatility.regressor_groups import GROUPS, Group

_NO_SUM = "a network's forecast is no sum of parts: it stands as one contribution, named network"


class Contribution(NamedTuple):
    """What one thing adds to a forecast."""

    name: str  # of a regressor, or what else it is
    group: Group
    value: float  # what it adds
    regressor: float | None  # its value, where the contribution is one's
    usual: float | None  # the value from which it counts
    member: str | None  # the model that says it, where several are one


class Explanation(NamedTuple):
    """A forecast as the sum of contributions: of log rv ("logs"), or of rv ("levels")."""

    scale: Scale
    contributions: tuple[Contribution, ...]

    @property
    def by_group(self) -> dict[Group, float]:
        """Sums of the groups that there are, in the order of :data:`GROUPS`."""
        values: dict[Group, list[float]] = {}
        for it in self.contributions:
            values.setdefault(it.group, []).append(it.value)
        return {group: sum(values[group]) for group in GROUPS if group in values}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is to be said of it."""
        if all(it.name != "network" for it in self.contributions):
            return ()
        return (_NO_SUM,)


def explanations(scale: Scale, parts: Sequence[Part]) -> list[Explanation]:
    """One for each row of parts; clipping is left out where it changes nothing."""
    return [_explanation(scale, parts, row) for row in range(len(parts[0].added))]


def _explanation(scale: Scale, parts: Sequence[Part], row: int) -> Explanation:
    found = [_contribution(part, row) for part in parts]
    return Explanation(scale, tuple([it for it in found if it.name != "clipping" or it.value]))


def _contribution(part: Part, row: int) -> Contribution:
    return Contribution(
        part.name,
        part.group,
        float(part.added[row]),
        None if part.regressor is None else float(part.regressor[row]),
        part.usual,
        part.member,
    )
