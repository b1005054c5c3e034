"""How far forecasts were from what happened.

A name in ``_loss`` or ``_losses`` is better when lower, one in ``_score`` when higher; the plural
returns one value a date, for comparisons that need them. ``actual`` and ``forecast`` are (n,)
arrays in the order of their target dates.
"""

from collections.abc import Mapping

import numpy as np

from volatility.arrays import FloatArray
from volatility.errors import InvalidSeries, TooFewObservations

MINIMUM_FORECASTS = 10  # that two models are compared on


def qlike_losses(actual: FloatArray, forecast: FloatArray) -> FloatArray:
    r"""QLIKE of each forecast of a variance.

    Parameters
    ----------
    actual, forecast : (n,) variances, in any one unit: only their ratio counts.

    Returns
    -------
    (n,) losses, at least 0, and 0 exactly where forecast and outcome are equal.

    Raises
    ------
    InvalidSeries : empty, of unequal length, or with a value that is not positive and finite.

    Notes
    -----
    .. math:: L = \frac{rv}{f} - \log \frac{rv}{f} - 1

    Robust to noise in the proxy ``rv``: the forecast that minimizes its mean is the conditional
    mean of the true variance.

    References
    ----------
    Patton (2011), Journal of Econometrics 160(1).
    """
    _check(actual, forecast, positive=True)
    ratio = actual / forecast
    # A ratio next to 1 may round to a loss just below 0.
    return np.maximum(ratio - np.log(ratio) - 1.0, 0.0)


def qlike_loss(actual: FloatArray, forecast: FloatArray) -> float:
    """Mean QLIKE; see `qlike_losses`."""
    return float(qlike_losses(actual, forecast).mean())


def rmse_loss(actual: FloatArray, forecast: FloatArray) -> float:
    """Root mean squared error, in the unit of the values.

    Raises
    ------
    InvalidSeries : empty, of unequal length, or with a value that is not finite.
    """
    _check(actual, forecast)
    return float(np.sqrt(np.mean((actual - forecast) ** 2)))


def mae_loss(actual: FloatArray, forecast: FloatArray) -> float:
    """Mean absolute error, in the unit of the values.

    Raises
    ------
    InvalidSeries : empty, of unequal length, or with a value that is not finite.
    """
    _check(actual, forecast)
    return float(np.mean(np.abs(actual - forecast)))


def r_squared_score(actual: FloatArray, forecast: FloatArray) -> float:
    """Share of the outcomes' variance that the forecasts explain.

    Returns
    -------
    At most 1; 0 for a forecast no better than the outcomes' own mean, negative for a worse one;
    NaN when the outcomes do not vary.

    Raises
    ------
    InvalidSeries : empty, of unequal length, or with a value that is not finite.
    """
    _check(actual, forecast)
    total = float(np.sum((actual - actual.mean()) ** 2))
    return 1.0 - float(np.sum((actual - forecast) ** 2)) / total if total > 0 else float("nan")


def correlation_score(actual: FloatArray, forecast: FloatArray) -> float:
    """Pearson correlation of forecasts and outcomes; NaN when either does not vary.

    Raises
    ------
    InvalidSeries : empty, of unequal length, or with a value that is not finite.
    """
    _check(actual, forecast)
    centred_actual, centred_forecast = actual - actual.mean(), forecast - forecast.mean()
    scale = float(np.linalg.norm(centred_actual) * np.linalg.norm(centred_forecast))
    return float(centred_actual @ centred_forecast) / scale if scale > 0 else float("nan")


def interval_loss(actual: FloatArray, bounds: FloatArray, level: float) -> float:
    r"""Mean interval score of central prediction intervals.

    Parameters
    ----------
    actual : (n,) outcomes.
    bounds : (n, 2) lower and upper bounds, in the unit of the outcomes.
    level : nominal coverage, between 0 and 1.

    Returns
    -------
    The mean width plus the penalty for outcomes outside, in the unit of the outcomes.

    Raises
    ------
    InvalidSeries : empty, of unequal length, or with a value that is not finite.

    Notes
    -----
    .. math:: (u - l) + \frac{2}{\alpha} (l - y)^+ + \frac{2}{\alpha} (y - u)^+,
              \quad \alpha = 1 - level

    Known as the interval score; the lower, the better, hence a loss here.

    References
    ----------
    Gneiting & Raftery (2007), Journal of the American Statistical Association 102(477), eq. 43.
    """
    lower, upper = bounds[:, 0], bounds[:, 1]
    _check(actual, lower)
    _check(actual, upper)
    missed = np.maximum(lower - actual, 0.0) + np.maximum(actual - upper, 0.0)
    return float(np.mean(upper - lower + 2.0 / (1.0 - level) * missed))


def crps_loss(actual: FloatArray, quantiles: FloatArray) -> float:
    r"""Mean continuous ranked probability score of forecasts given by their quantiles.

    Parameters
    ----------
    actual : (n,) outcomes.
    quantiles : (n, k) quantiles at :math:`(i - 1/2) / k`, in the unit of the outcomes.

    Returns
    -------
    The score, in the unit of the outcomes; with one quantile the mean absolute error.

    Raises
    ------
    InvalidSeries : empty, of unequal length, or with a value that is not finite.

    Notes
    -----
    .. math:: CRPS = \int (F(x) - 1\{y \le x\})^2 dx
                   \approx \frac{2}{k} \sum_i (p_i - 1\{y < q_i\}) (y - q_i)

    References
    ----------
    Gneiting & Raftery (2007), Journal of the American Statistical Association 102(477), eq. 20.
    Laio & Tamea (2007), Hydrology and Earth System Sciences 11(4) (as an integral of the quantile
    loss).
    """
    for quantile in quantiles.T:
        _check(actual, quantile)
    count = quantiles.shape[1]
    probabilities = (np.arange(count) + 0.5) / count
    distance = actual[:, None] - quantiles
    return float(2 * np.mean((probabilities - (distance < 0)) * distance))


def coverage_score(actual: FloatArray, bounds: FloatArray) -> float:
    """Share of outcomes inside their interval, bounds included.

    Parameters
    ----------
    actual : (n,) outcomes.
    bounds : (n, 2) lower and upper bounds.

    Raises
    ------
    InvalidSeries : empty, of unequal length, or with a value that is not finite.
    """
    lower, upper = bounds[:, 0], bounds[:, 1]
    _check(actual, lower)
    _check(actual, upper)
    return float(np.mean((lower <= actual) & (actual <= upper)))


def _check(actual: FloatArray, forecast: FloatArray, *, positive: bool = False) -> None:
    if actual.shape != forecast.shape or actual.ndim != 1:
        raise InvalidSeries(
            f"outcomes of shape {actual.shape} do not pair with forecasts of shape "
            f"{forecast.shape}; one forecast an outcome is needed",
            code="length_mismatch",
            field="forecast",
            found=forecast.shape,
            needed=f"shape {actual.shape}",
        )
    if actual.size == 0:
        raise InvalidSeries(
            "there is no forecast to score; at least one is needed",
            code="empty_history",
            field="forecast",
            found=0,
            needed="at least 1",
        )
    for field, values in (("actual", actual), ("forecast", forecast)):
        _check_values(field, values, positive=positive)


def _check_values(field: str, values: FloatArray, *, positive: bool) -> None:
    usable = np.isfinite(values) & (values > 0) if positive else np.isfinite(values)
    if usable.all():
        return
    first = int(np.argmin(usable))
    finite = bool(np.isfinite(values[first]))
    needed = "a positive, finite number" if positive else "a finite number"
    raise InvalidSeries(
        f"{field}[{first}] is {values[first]}; {needed} is needed",
        code="non_positive_rv" if finite else "non_finite_rv",
        field=field,
        found=float(values[first]),
        needed=needed,
    )


def check_paired(losses: Mapping[str, FloatArray]) -> None:
    """Refuse losses that no test can compare.

    Parameters
    ----------
    losses : (n,) losses of the same dates, by model.

    Raises
    ------
    InvalidSeries : no model, unequal lengths, or a value that is not finite.
    TooFewObservations : fewer than :data:`MINIMUM_FORECASTS` dates.
    """
    if not losses:
        raise InvalidSeries(
            "there is no model to compare; at least one is needed",
            code="empty_history",
            field="losses",
            found=0,
            needed="at least 1 model",
        )
    shapes = {values.shape for values in losses.values()}
    if len(shapes) > 1 or any(len(shape) != 1 for shape in shapes):
        raise InvalidSeries(
            f"losses of shapes {sorted(shapes)} cannot be paired; one loss a date is needed",
            code="length_mismatch",
            field="losses",
            found=sorted(shapes),
            needed="equal lengths",
        )
    for name, values in losses.items():
        if not np.isfinite(values).all():
            raise InvalidSeries(
                f"the losses of {name} are not all finite",
                code="non_finite_loss",
                field=name,
                found=float(values[~np.isfinite(values)][0]),
                needed="finite numbers",
            )
    nobs = shapes.pop()[0]
    if nobs < MINIMUM_FORECASTS:
        raise TooFewObservations(
            f"a comparison needs {MINIMUM_FORECASTS} forecasts; got {nobs}",
            field="losses",
            found=nobs,
            needed=f"at least {MINIMUM_FORECASTS}",
        )
