"""Windows, with what several regressors take of them computed once."""

from functools import cached_property

import numpy as np

from volatility.arrays import FloatArray, Windows
from volatility.filters import newest as newest_columns
from volatility.measures.columns import companion_of
from volatility.trailing import SESSIONS, exponential_mean, known, mean_square

# Every place of a window holds a session; one row stands for all.
_WHOLE = np.ones((1, SESSIONS), dtype=np.bool_)


class SharedWindows(dict[str, FloatArray]):
    """Windows of log rv and other columns, with what several regressors take of them."""

    @classmethod
    def of(cls, windows: Windows) -> "SharedWindows":
        """The same windows, where they are not shared yet."""
        return windows if isinstance(windows, cls) else cls(windows)

    def newest(self, column: str, sessions: int) -> FloatArray:
        """A column's newest values; (batch, sessions), contiguous: see volatility.filters."""
        return newest_columns(self[column], sessions)

    def exponential_mean(self, centre_of_mass: float, column: str) -> FloatArray:
        """Of a column's last 250 sessions; (batch,)."""
        key = (centre_of_mass, column)
        if key not in self._means:
            self._means[key] = self._mean(centre_of_mass, column)
        return self._means[key]

    @cached_property
    def deviation(self) -> FloatArray:
        """Root of the trailing mean square return, above 0; (batch,) decimal per session."""
        return np.sqrt(mean_square(self["return"][:, -SESSIONS:], self._levels, _WHOLE))

    def filled(self, column: str) -> FloatArray:
        """A column with zeros where a companion was not known."""
        values = self[column]
        return values if companion_of(column) is None else np.where(known(values), values, 0.0)

    def deviation_of(self, returns: str) -> FloatArray:
        """That by which returns are measured: the series' own, or a companion's of its own."""
        companion = companion_of(returns)
        if companion is None:
            return self.deviation
        if companion not in self._deviations:
            seen = np.ascontiguousarray(self[f"{companion}:log_rv"][:, -SESSIONS:])
            sessions = known(seen)
            levels = np.where(sessions, np.exp(seen), 0.0)
            squares = mean_square(self.filled(returns)[:, -SESSIONS:], levels, sessions)
            self._deviations[companion] = np.sqrt(squares)
        return self._deviations[companion]

    def log_of_mean_rv(self, centre_of_mass: float) -> FloatArray:
        """Log of the exponential mean of rv itself; (batch,)."""
        return np.log(exponential_mean(self._levels, centre_of_mass, _WHOLE))

    def _mean(self, centre_of_mass: float, column: str) -> FloatArray:
        whole = _WHOLE if companion_of(column) is None else None
        return exponential_mean(self[column][:, -SESSIONS:], centre_of_mass, whole)

    @cached_property
    def _levels(self) -> FloatArray:
        return np.exp(np.ascontiguousarray(self["rv"][:, -SESSIONS:]))

    @cached_property
    def _deviations(self) -> dict[str, FloatArray]:
        return {}

    @cached_property
    def _means(self) -> dict[tuple[float, str], FloatArray]:
        return {}
