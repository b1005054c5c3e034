r"""Regressors that look back a year: exponential means, returns in deviations, and their like.

All are made of the last :data:`volatility.trailing.SESSIONS` sessions, by the arithmetic of
:mod:`volatility.trailing`, for models on the logs scale: "rv" stands for its logarithm. What
several of them need (the slow mean, by what returns are measured) is computed once for a batch of
windows that comes as :class:`~volatility.shared_windows.SharedWindows`.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from volatility.arrays import FloatArray, Windows
from volatility.measures.columns import companion_of
from volatility.regressors import Regressor, invalid_parameters
from volatility.shared_windows import SharedWindows
from volatility.trailing import SESSIONS, SLOW, known, sum_of_newest

Part = Literal["negative", "absolute"]


@dataclass(frozen=True)
class SlowMean(Regressor):
    """Exponential mean of a column, by its centre of mass."""

    centre_of_mass: int
    column: str = "rv"
    sessions: int = field(default=SESSIONS, init=False)
    shares: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """``exponential_mean_25`` or ``exponential_mean_125:range_ratio``."""
        return f"exponential_mean_{self.centre_of_mass}{_suffix(self.column)}"

    @property
    def columns(self) -> tuple[str, ...]:
        """The one it is the mean of."""
        return (self.column,)

    def values(self, windows: Windows) -> FloatArray:
        """Means, (batch,)."""
        return SharedWindows.of(windows).exponential_mean(self.centre_of_mass, self.column)


@dataclass(frozen=True)
class Departure(Regressor):
    """Exponential mean of a column less its slow mean; of a centre of 0, the newest value less it.

    The slow mean has its centre of mass at :data:`volatility.trailing.SLOW` sessions.
    """

    centre_of_mass: int
    column: str = "rv"
    sessions: int = field(default=SESSIONS, init=False)
    shares: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """``departure_5`` or ``departure_0:range_ratio``."""
        return f"departure_{self.centre_of_mass}{_suffix(self.column)}"

    @property
    def columns(self) -> tuple[str, ...]:
        """The one it is made of."""
        return (self.column,)

    def values(self, windows: Windows) -> FloatArray:
        """Differences, (batch,)."""
        shared = SharedWindows.of(windows)
        slow = shared.exponential_mean(SLOW, self.column)
        if self.centre_of_mass == 0:
            return np.asarray(shared.newest(self.column, 1)[:, 0] - slow)
        return np.asarray(shared.exponential_mean(self.centre_of_mass, self.column) - slow)


@dataclass(frozen=True)
class LevelDeparture(Regressor):
    """Log of the exponential mean of rv, less the slow mean of log rv.

    Sudden rises count for more in it than in :class:`Departure`, whose mean is one of logs.
    """

    centre_of_mass: int
    sessions: int = field(default=SESSIONS, init=False)
    shares: ClassVar[bool] = True
    columns: ClassVar[tuple[str, ...]] = ("rv",)

    @property
    def name(self) -> str:
        """``level_departure_5``."""
        return f"level_departure_{self.centre_of_mass}"

    def values(self, windows: Windows) -> FloatArray:
        """Differences, (batch,)."""
        shared = SharedWindows.of(windows)
        slow = shared.exponential_mean(SLOW, "rv")
        return np.asarray(shared.log_of_mean_rv(self.centre_of_mass) - slow)


@dataclass(frozen=True)
class Shock(Regressor):
    r"""Sum of the last returns in deviations: its negative part, or its absolute value.

    Notes
    -----
    .. math:: z_t = \frac{1}{\sigma_t \sqrt k} \sum_{i=0}^{k-1} r_{t-i}

    with the trailing mean square :math:`\sigma_t^2` of :func:`volatility.trailing.mean_square`,
    which has the column ``return`` in it whatever the column r is; that of a companion is made of
    the companion's returns and rv.
    """

    newest: int
    column: str
    part: Part
    sessions: int = field(default=SESSIONS, init=False)
    shares: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check_newest(self.name, self.newest)

    @property
    def name(self) -> str:
        """``negative_shock_5:return`` or ``absolute_shock_1:overnight_return``."""
        return f"{self.part}_shock_{self.newest}:{self.column}"

    @property
    def columns(self) -> tuple[str, ...]:
        """The returns, and what deviations are made of."""
        companion = companion_of(self.column)
        if companion is not None:
            return (f"{companion}:log_rv", self.column)
        return tuple(dict.fromkeys(("rv", "return", self.column)))

    def values(self, windows: Windows) -> FloatArray:
        """Deviations, (batch,)."""
        shared = SharedWindows.of(windows)
        returns = shared.newest(self.column, self.newest)
        summed = sum_of_newest(np.where(known(returns), returns, 0.0), self.newest)
        shock = summed / (np.sqrt(self.newest) * shared.deviation_of(self.column))
        return np.asarray(np.abs(shock) if self.part == "absolute" else np.minimum(shock, 0.0))


@dataclass(frozen=True)
class Spread(Regressor):
    """Standard deviation of log rv over the last sessions: the volatility of volatility."""

    sessions: int
    columns: ClassVar[tuple[str, ...]] = ("rv",)

    @property
    def name(self) -> str:
        """``spread_22``."""
        return f"spread_{self.sessions}"

    def values(self, windows: Windows) -> FloatArray:
        """Deviations around the mean of the same sessions, (batch,)."""
        return np.asarray(SharedWindows.of(windows).newest("rv", self.sessions).std(axis=-1))


@dataclass(frozen=True)
class Excursion(Regressor):
    """How far log rv has been from its slow mean: root mean square over the last sessions."""

    newest: int
    sessions: int = field(default=SESSIONS, init=False)
    shares: ClassVar[bool] = True
    columns: ClassVar[tuple[str, ...]] = ("rv",)

    def __post_init__(self) -> None:
        _check_newest(self.name, self.newest)

    @property
    def name(self) -> str:
        """``excursion_5``."""
        return f"excursion_{self.newest}"

    def values(self, windows: Windows) -> FloatArray:
        """Root mean squares, (batch,)."""
        shared = SharedWindows.of(windows)
        slow = shared.exponential_mean(SLOW, "rv")
        squares = np.square(shared.newest("rv", self.newest) - slow[:, None])
        return np.sqrt(sum_of_newest(squares, self.newest) / self.newest)


def _suffix(column: str) -> str:
    return "" if column == "rv" else f":{column}"


def _check_newest(name: str, sessions: int) -> None:
    if sessions > SESSIONS:
        needed = f"a whole number of sessions from 1 to {SESSIONS}"
        raise invalid_parameters(name, {"sessions": sessions}, needed)
