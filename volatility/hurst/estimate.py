"""What an estimator of the Hurst exponent takes and gives."""

from dataclasses import dataclass

import numpy as np

from volatility.arrays import FloatArray
from volatility.errors import HistoryTooShort, InvalidInput

# Below this the coarsest scales hold one or two windows and no interval is narrower than the
# range of values that are seen in practice.
MINIMUM_NOBS = 125


class ConstantSeries(InvalidInput):
    """A path without fluctuations: it has no Hurst exponent."""

    code = "constant_series"


@dataclass(frozen=True, slots=True)
class ScalingPoint:
    """One point of the log-log line that an exponent is read from.

    Attributes
    ----------
    scale : sessions.
    value : the statistic at that scale, as measured.
    corrected : the statistic with its known departure from the scaling law taken out; the line is
        fitted through these. Equal to `value` where the law is exact.
    """

    scale: float
    value: float
    corrected: float


@dataclass(frozen=True, slots=True)
class ScalingFit:
    """An exponent before it is given a standard error.

    Attributes
    ----------
    hurst : the exponent that the line implies; not confined to [0, 1].
    slope, intercept, r_squared : the line through the logs of the corrected points.
    points : from the finest scale to the coarsest.
    """

    hurst: float
    slope: float
    intercept: float
    r_squared: float
    points: tuple[ScalingPoint, ...]


@dataclass(frozen=True, slots=True)
class HurstEstimate:
    """One estimator's answer.

    Attributes
    ----------
    estimator : its name.
    hurst : the estimate, confined to [0, 1]; None where there is none, `reason` says why.
    standard_error : deviation of the estimator on simulated fractional Brownian motion of this
        exponent and length.
    interval : every exponent that the estimate does not reject at `level`; bias is taken out.
    level : nominal coverage of the interval.
    bias_at_estimate : mean error of the estimator on simulated paths like this one; already
        accounted for in the interval, not in `hurst`.
    fit_slope, fit_intercept, fit_r_squared : the line through the corrected points, in logs.
    points : the points behind the line, from the finest scale to the coarsest.
    reason : why there is no estimate, or None.
    """

    estimator: str
    hurst: float | None
    standard_error: float | None
    interval: tuple[float, float] | None
    level: float
    bias_at_estimate: float | None
    fit_slope: float | None
    fit_intercept: float | None
    fit_r_squared: float | None
    points: tuple[ScalingPoint, ...]
    reason: str | None = None

    def fitted(self, scale: float) -> float | None:
        """The line through the corrected points at a scale; None where there is none."""
        if self.fit_slope is None or self.fit_intercept is None:
            return None
        return float(np.exp(self.fit_intercept) * scale**self.fit_slope)

    @property
    def scales(self) -> tuple[float, ...]:
        """Scales of the points, in sessions."""
        return tuple(point.scale for point in self.points)


def without_estimate(estimator: str, level: float, reason: str | None) -> HurstEstimate:
    """An answer that holds no number, and says why."""
    return HurstEstimate(
        estimator=estimator,
        hurst=None,
        standard_error=None,
        interval=None,
        level=level,
        bias_at_estimate=None,
        fit_slope=None,
        fit_intercept=None,
        fit_r_squared=None,
        points=(),
        reason=reason,
    )


def check_path(log_volatility: FloatArray) -> FloatArray:
    """One finite path, long enough, that moves.

    Parameters
    ----------
    log_volatility : (nobs,) the path, in levels.

    Returns
    -------
    (nobs,) the same values as float64.

    Raises
    ------
    InvalidInput : not one-dimensional, or a value that is not finite.
    HistoryTooShort : fewer than `MINIMUM_NOBS` values.
    ConstantSeries : all increments are equal.
    """
    path = np.asarray(log_volatility, dtype=np.float64)
    if path.ndim != 1:
        raise InvalidInput(
            f"log_volatility has shape {path.shape}; one path is needed",
            field="log_volatility",
            found=path.shape,
            needed="a one-dimensional array",
        )
    finite = np.isfinite(path)
    if not finite.all():
        first = int(np.argmin(finite))
        raise InvalidInput(
            f"log_volatility holds {np.count_nonzero(~finite)} values that are not finite, the "
            f"first at position {first}; leave those sessions out",
            field="log_volatility",
            found=float(path[first]),
            needed="finite numbers",
        )
    if len(path) < MINIMUM_NOBS:
        raise HistoryTooShort(
            f"a Hurst exponent needs {MINIMUM_NOBS} sessions; got {len(path)}",
            field="log_volatility",
            found=len(path),
            needed=f"at least {MINIMUM_NOBS} sessions",
        )
    if np.ptp(np.diff(path)) <= 1e-12 * max(1.0, float(np.abs(path).max())):
        raise ConstantSeries(
            "log_volatility is constant, or a straight line: it has no fluctuations to scale",
            field="log_volatility",
            found=float(path[0]),
            needed="a series that varies",
        )
    return path


def about_rv(error: InvalidInput, rv: FloatArray) -> InvalidInput:
    """An error about a path, as whoever gave its realized variance knows it.

    Parameters
    ----------
    error : of :func:`check_path` or of an estimator.
    rv : (nobs,) whose log the path is, twice.
    """
    if error.field != "log_volatility":
        return error
    is_first = isinstance(error, ConstantSeries) and error.found is not None
    return type(error)(
        str(error).replace("log_volatility", "the log of rv"),
        code=error.code,
        field="rv",
        found=float(rv[0]) if is_first else error.found,
        needed=error.needed,
    )
