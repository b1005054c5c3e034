"""From windows of past values to the regressors of linear models, and to what such a model says.

Everything a model sees is a matrix of windows, (batch, lookback), for each column of the series,
and the last column of each matrix is ``as_of``. The same row gives the same regressors to the last
bit, alone or in a batch, from the shortest sufficient history or from a long one.

On the logs scale "rv" stands for its logarithm; other columns stay as they are. Names are read by
:mod:`volatility.regressor_names`.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from volatility.arrays import FloatArray, Prediction, Scale, Windows
from volatility.contributions import Part, linear_parts, usual_windows
from volatility.errors import HistoryTooShort, InvalidInput
from volatility.filters import decaying, rough_kernel, weighted_sum
from volatility.shared_windows import SharedWindows

# RiskMetrics Technical Document (1996): a window that leaves out 1 % of the weight;
# 75 days for a decay of 0.94.
WEIGHT_LEFT_OUT = 0.01
MAX_SESSIONS = 9_999  # that a regressor looks back

Parameters = Mapping[str, float]


class Regressor(ABC):
    """One number of each window.

    Attributes
    ----------
    sessions : what it looks back on, ``as_of`` included.
    shares : whether it takes of windows what others take too; see
        :class:`~volatility.shared_windows.SharedWindows`.
    """

    shares: ClassVar[bool] = False

    sessions: int

    @property
    @abstractmethod
    def name(self) -> str:
        """What it is called in manifests and coefficients."""

    @property
    def parameters(self) -> Parameters:
        """What the name does not tell."""
        return {}

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """What it is made of."""

    @abstractmethod
    def values(self, windows: Windows) -> FloatArray:
        """From (batch, sessions or more) of each column to (batch,).

        What it looks at it takes by :func:`volatility.filters.newest`: there need not be a
        matrix of every window.
        """


@dataclass(frozen=True)
class Mean(Regressor):
    """Mean of a column over the last sessions."""

    sessions: int
    column: str = "rv"

    @property
    def name(self) -> str:
        """``mean_5`` or ``mean_5:continuous``."""
        return f"mean_{self.sessions}" + ("" if self.column == "rv" else f":{self.column}")

    @property
    def columns(self) -> tuple[str, ...]:
        """The one it is the mean of."""
        return (self.column,)

    def values(self, windows: Windows) -> FloatArray:
        """Means, (batch,)."""
        # The bits of filters.newest(...).mean(axis=-1), in a third of its time for a single window.
        values = _newest(windows, self.column, self.sessions)
        return np.asarray(np.add.reduce(values, axis=-1) / self.sessions)


@dataclass(frozen=True)
class NegativeMean(Mean):
    """Mean of a column over the last sessions where it is below zero, else zero."""

    @property
    def name(self) -> str:
        """``negative_mean_5:return``."""
        return f"negative_mean_{self.sessions}:{self.column}"

    def values(self, windows: Windows) -> FloatArray:
        """Negative parts of means, (batch,)."""
        return np.minimum(super().values(windows), 0.0)


@dataclass(frozen=True)
class ExponentialMean(Regressor):
    """Exponentially weighted mean of rv over a window that holds 99 % of the weight.

    Raises
    ------
    InvalidInput : ``invalid_parameters``, a decay outside (0, 1), or one so near to 1 that the
        window has more than 9,999 sessions.

    References
    ----------
    J.P. Morgan/Reuters (1996), RiskMetrics Technical Document.
    """

    decay: float
    columns: ClassVar[tuple[str, ...]] = ("rv",)

    def __post_init__(self) -> None:
        if not 0 < self.decay < 1:  # also true for NaN
            raise invalid_parameters(self.name, {"decay": self.decay}, "0 < decay < 1")
        _check_sessions(self)

    @property
    def name(self) -> str:
        """``ewma_0.94``."""
        return f"ewma_{self.decay}"

    @cached_property
    def sessions(self) -> int:  # type: ignore[override]  # derived, where others are given
        """As many as leave out :data:`WEIGHT_LEFT_OUT`."""
        return math.ceil(math.log(WEIGHT_LEFT_OUT) / math.log(self.decay))

    def values(self, windows: Windows) -> FloatArray:
        """Weighted means, (batch,)."""
        return weighted_sum(_newest(windows, "rv", self.sessions), self._weights)

    @cached_property
    def _weights(self) -> FloatArray:
        weights = decaying(self.decay, self.sessions)
        weights /= weights.sum()
        return weights


@dataclass(frozen=True)
class Quarticity(Regressor):
    """Mean rv times the root of the mean realized quarticity."""

    sessions: int
    columns: ClassVar[tuple[str, ...]] = ("rv", "realized_quarticity")

    @property
    def name(self) -> str:
        """``quarticity_1``."""
        return f"quarticity_{self.sessions}"

    def values(self, windows: Windows) -> FloatArray:
        """Products, (batch,)."""
        rv, quarticity = (_newest(windows, name, self.sessions) for name in self.columns)
        return np.asarray(rv.mean(axis=-1) * np.sqrt(quarticity.mean(axis=-1)))


@dataclass(frozen=True)
class ReturnSquares(Regressor):
    """Decayed sum of squared returns, of all or of the negative ones alone.

    Raises
    ------
    InvalidInput : ``invalid_parameters``, a decay outside [0, 1), or sessions outside 1 to 9,999.
    """

    decay: float
    sessions: int
    negative: bool = False
    columns: ClassVar[tuple[str, ...]] = ("return",)

    def __post_init__(self) -> None:
        if not 0 <= self.decay < 1:  # also true for NaN
            raise invalid_parameters(self.name, {"decay": self.decay}, "a decay of 0 to below 1")
        _check_sessions(self)

    @property
    def name(self) -> str:
        """``return_squares`` or ``negative_return_squares``."""
        return "negative_return_squares" if self.negative else "return_squares"

    @property
    def parameters(self) -> Parameters:
        """Decay and sessions."""
        return {"decay": self.decay, "sessions": self.sessions}

    def values(self, windows: Windows) -> FloatArray:
        """Weighted sums, (batch,)."""
        returns = _newest(windows, "return", self.sessions)
        counted = np.minimum(returns, 0.0) if self.negative else returns
        return weighted_sum(np.square(counted), self._weights)

    @cached_property
    def _weights(self) -> FloatArray:
        return decaying(self.decay, self.sessions)


@dataclass(frozen=True)
class RoughForecast(Regressor):
    """Forecast of a fractional Brownian motion; see :func:`volatility.filters.rough_kernel`.

    Raises
    ------
    InvalidInput : ``invalid_parameters``, an exponent outside (0, 1/2), or sessions outside 1 to
        9,999.
    """

    hurst: float
    sessions: int
    ahead: int
    columns: ClassVar[tuple[str, ...]] = ("rv",)

    def __post_init__(self) -> None:
        if not 0 < self.hurst < 0.5:  # also true for NaN
            raise invalid_parameters(self.name, {"hurst": self.hurst}, "0 < hurst < 1/2")
        _check_sessions(self)

    @property
    def name(self) -> str:
        """``rough_5`` for one 5 sessions ahead."""
        return f"rough_{self.ahead}"

    @property
    def parameters(self) -> Parameters:
        """Hurst exponent and sessions."""
        return {"hurst": self.hurst, "sessions": self.sessions}

    def values(self, windows: Windows) -> FloatArray:
        """Weighted sums, (batch,)."""
        return weighted_sum(_newest(windows, "rv", self.sessions), self._weights)

    @cached_property
    def _weights(self) -> FloatArray:
        return rough_kernel(self.hurst, self.sessions, self.ahead)


@dataclass(frozen=True)
class Design:
    """Regressors in the order of a design matrix."""

    regressors: tuple[Regressor, ...]

    @cached_property
    def lookback(self) -> int:
        """Sessions that the regressors reach back, ``as_of`` included."""
        return max(regressor.sessions for regressor in self.regressors)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Columns that the regressors are made of besides rv, sorted."""
        return tuple(sorted(self._needed - {"rv"}))

    @cached_property
    def _needed(self) -> frozenset[str]:
        return frozenset(column for it in self.regressors for column in it.columns)

    def build(self, windows: Windows) -> FloatArray:
        """Design matrix without its constant, (batch, regressors).

        Parameters
        ----------
        windows : by column, (batch, lookback) of at least :attr:`lookback` sessions each; earlier
            ones are not looked at.

        Raises
        ------
        HistoryTooShort : the windows are shorter than the regressors need.
        InvalidInput : ``missing_columns``, the windows lack one that the regressors are made of.
        """
        return np.stack(self.build_each(windows), axis=-1)

    def build_each(self, windows: Windows) -> list[FloatArray]:
        """Columns of the design matrix, (batch,) each; see :meth:`build`."""
        for column in self._needed:
            if column not in windows:
                raise self._missing(column, windows)
            if windows[column].shape[1] < self.lookback:
                raise self._too_short(windows[column].shape[1])
        seen = SharedWindows(windows) if self._shares else windows
        return [regressor.values(seen) for regressor in self.regressors]

    @cached_property
    def _shares(self) -> bool:
        return any(regressor.shares for regressor in self.regressors)

    @property
    def _names(self) -> str:
        return ", ".join(regressor.name for regressor in self.regressors)

    def _missing(self, column: str, windows: Windows) -> InvalidInput:
        return InvalidInput(
            f"regressors {self._names} need the column {column}, which the windows lack",
            code="missing_columns",
            field="windows",
            found=f"windows of {', '.join(windows) or 'nothing'}",
            needed=column,
        )

    def _too_short(self, found: int) -> HistoryTooShort:
        return HistoryTooShort(
            f"regressors {self._names} needs {self.lookback} sessions; got {found}",
            field="history",
            found=found,
            needed=f"at least {self.lookback} sessions",
        )


@dataclass(frozen=True)
class LinearPredictor:
    """Intercept plus a weighted sum of regressors of ``rv`` (levels) or ``log_rv`` (logs).

    Regressors of other columns see those as they are, on either scale.
    """

    scale: Scale
    coefficients: Mapping[Regressor, float]  # in the order of the design matrix
    intercept: float = 0.0
    kind: ClassVar[str] = "linear"  # in models_store.predictors
    vectorized: ClassVar[bool] = True
    dated: ClassVar[bool] = False

    @cached_property
    def design(self) -> Design:
        """The regressors."""
        return Design(tuple(self.coefficients))

    @property
    def lookback(self) -> int:
        """Sessions that the longest regressor reaches back."""
        return self.design.lookback

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the regressors are made of besides rv, sorted."""
        return self.design.columns

    def predict(self, windows: Windows) -> Prediction:
        """Predict the next session from (batch, lookback) windows; (batch,) on ``scale``."""
        columns = self.design.build_each(on_scale(windows, self.scale))
        # Term by term rather than by a matrix product: BLAS adds in another order for one row
        # than for many, and a forecast must not depend on the batch it came in.
        prediction = np.full(len(columns[0]), self.intercept)
        for column, coefficient in zip(columns, self.coefficients.values(), strict=True):
            prediction += coefficient * column
        return Prediction(prediction, {})

    def explain(self, windows: Windows, usual_rv: float) -> list[Part]:
        """The parts of :meth:`predict`, relative to a history whose rv was always ``usual_rv``."""
        usual = usual_windows(self.columns, self.lookback, usual_rv)
        build = self.design.build_each
        return linear_parts(
            {regressor.name: value for regressor, value in self.coefficients.items()},
            self.intercept,
            build(on_scale(windows, self.scale)),
            [float(it[0]) for it in build(on_scale(usual, self.scale))],
        )


def on_scale(windows: Windows, scale: Scale) -> Windows:
    """Windows as a model on ``scale`` sees them: on the logs scale rv is logged, and rv alone."""
    return {**windows, "rv": np.log(windows["rv"])} if scale == "logs" else windows


def _newest(windows: Windows, column: str, sessions: int) -> FloatArray:
    """A column's newest values, (batch, sessions), of windows shared or not; contiguous."""
    if isinstance(windows, SharedWindows):
        return windows.newest(column, sessions)
    return np.ascontiguousarray(windows[column][:, -sessions:])


def _check_sessions(regressor: Regressor) -> None:
    sessions = regressor.sessions
    if type(sessions) is not int or not 1 <= sessions <= MAX_SESSIONS:  # as JSON may have it
        needed = f"a whole number of sessions from 1 to {MAX_SESSIONS}"
        raise invalid_parameters(regressor.name, {"sessions": sessions}, needed)


def invalid_parameters(name: str, found: Mapping[str, Any], needed: str) -> InvalidInput:
    """What to raise where a regressor cannot have such parameters."""
    return InvalidInput(
        f"regressor {name} has the parameters {dict(found)}; needed: {needed}",
        code="invalid_parameters",
        field="parameters",
        found=dict(found),
        needed=needed,
    )
