"""The variogram of log volatility with measurement noise taken out."""

from dataclasses import replace

from volatility.arrays import FloatArray
from volatility.hurst.calibration import calibrated
from volatility.hurst.estimate import HurstEstimate, ScalingFit, check_path, without_estimate
from volatility.hurst.noise import log_volatility_noise
from volatility.hurst.variogram import fit_power_law, mean_squared_differences

MAX_NOISE_SHARE = 0.8  # of the one-session variogram; beyond it the remainder is mostly error


def variogram_corrected(
    log_volatility: FloatArray,
    measure: str,
    intraday_nobs: int | None = None,
    level: float = 0.95,
) -> HurstEstimate:
    r"""Hurst exponent by the variogram less what the measure's noise adds to it.

    Parameters
    ----------
    log_volatility : (nobs,) path of log volatility, in levels: half of log rv.
    measure : name of the realized measure that made it.
    intraday_nobs : returns in a day, where the measure is made of them; trades, or steps of the
        price, where it is made of a day's range.
    level : nominal coverage of the interval, in (0, 1).

    Returns
    -------
    Estimate whose points are :math:`\gamma(\tau) - 2 \sigma^2` at lags of 1 … 20 sessions; without
    a number, and with the reason, where the noise is not known or leaves nothing.

    Raises
    ------
    InvalidInput, HistoryTooShort, ConstantSeries : see :func:`check_path`.
    UnknownMeasure : no realized measure has this name.

    Notes
    -----
    An estimate of volatility is volatility times an error that is independent from day to day, so
    its log has :math:`\gamma(\tau) = \nu^2 \tau^{2H} + 2 \sigma^2`. The noise :math:`\sigma^2` of
    :func:`log_volatility_noise` is that of prices that are Brownian within the day: a floor, since
    jumps and volatility that moves within the day add to it. Where the number of steps behind a
    range is not known, the interval reaches over all that may be. The exponent is that of
    volatility averaged over the day, which is smoother than volatility at an instant; that is not
    corrected.

    References
    ----------
    Bolko, Christensen, Pakkanen & Veliyev (2023), Journal of Econometrics 235(2); Fukasawa,
    Takabatake & Westphal (2022), Mathematical Finance 32(4).
    """
    path = check_path(log_volatility)
    noise = log_volatility_noise(measure, intraday_nobs)
    if noise.variance is None:
        return without_estimate("variogram_corrected", level, noise.reason)
    values = mean_squared_differences(path)
    share = noise_share(values, noise.variance)
    if share > MAX_NOISE_SHARE or values.min() <= 2 * noise.variance:
        return without_estimate(
            "variogram_corrected",
            level,
            f"the noise of {measure} accounts for {share:.0%} of the variance of one-session "
            f"changes; at most {MAX_NOISE_SHARE:.0%} can be taken out",
        )
    fit = variogram_corrected_fit(values, noise.variance)
    found = calibrated("variogram_corrected", fit, len(path), level, share)
    return _widened(found, values, noise.with_fewest_steps or noise.variance, len(path))


def _widened(found: HurstEstimate, values: FloatArray, noise: float, nobs: int) -> HurstEstimate:
    """The estimate with an interval that reaches to where it would with more noise taken out."""
    lower, upper = found.interval or (0.0, 1.0)
    share = noise_share(values, noise)
    if share > MAX_NOISE_SHARE or values.min() <= 2 * noise:
        return replace(found, interval=(lower, 1.0))
    fit = variogram_corrected_fit(values, noise)
    other = calibrated("variogram_corrected", fit, nobs, found.level, share)
    return replace(found, interval=(lower, max(upper, *(other.interval or (0.0, 1.0)))))


def noise_share(values: FloatArray, noise_variance: float) -> float:
    """Share of the one-session variogram that is noise; 1 or more where noise explains it all."""
    return float(2 * noise_variance / values[0])


def variogram_corrected_fit(values: FloatArray, noise_variance: float) -> ScalingFit:
    """Line behind :func:`variogram_corrected`.

    Parameters
    ----------
    values : (lags,) mean squared differences, each more than twice the noise variance.
    noise_variance : of one value of log volatility.
    """
    return fit_power_law(values, noise=2 * noise_variance)
