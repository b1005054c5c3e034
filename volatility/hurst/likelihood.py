"""Maximum of a spectral likelihood, from many starting points at once."""

from collections.abc import Callable

import numpy as np

from volatility.arrays import FloatArray
from volatility.hurst.bands import BandedSpectrum

ITERATIONS = 15
EASING, STIFFENING = 0.2, 8.0  # of the damping, after a step that was taken or refused
LONGEST_STEP = 2.0  # in any parameter; all but one are logs

# Spectral density and the slopes of its log: (rows, bands) and (rows, parameters, bands) from
# parameters (rows, parameters).
Density = Callable[[FloatArray], tuple[FloatArray, FloatArray]]


def maximise(
    spectrum: BandedSpectrum, density: Density, starts: FloatArray, limits: FloatArray
) -> tuple[FloatArray, float]:
    """Parameters of the highest likelihood that is reached from any start.

    Parameters
    ----------
    spectrum : what was observed.
    density : the model.
    starts : (rows, parameters)
    limits : (parameters, 2) least and largest value of each.

    Returns
    -------
    (parameters,) and the log likelihood there.

    Notes
    -----
    Fisher scoring with Levenberg's damping. A parameter at its limit that would leave it is held
    there, so that the step in the others is right.
    """
    parameters = np.clip(starts, limits[:, 0], limits[:, 1])
    damping = np.ones(len(parameters))
    fitted, slopes = density(parameters)
    value = spectrum.log_likelihood(fitted)
    for _ in range(ITERATIONS):
        step = _scoring_step(spectrum, fitted, slopes, damping, _leaving(parameters, limits))
        proposal = np.clip(parameters + step, limits[:, 0], limits[:, 1])
        proposed, proposed_slopes = density(proposal)
        proposed_value = spectrum.log_likelihood(proposed)
        better = proposed_value > value
        parameters = np.where(better[:, None], proposal, parameters)
        fitted = np.where(better[:, None], proposed, fitted)
        slopes = np.where(better[:, None, None], proposed_slopes, slopes)
        value = np.where(better, proposed_value, value)
        damping *= np.where(better, EASING, STIFFENING)
    best = int(value.argmax())
    return parameters[best], float(value[best])


def _leaving(parameters: FloatArray, limits: FloatArray) -> FloatArray:
    """Direction in which each parameter may not go: -1, 1, or 0 for none: (rows, parameters)."""
    return np.subtract(parameters >= limits[:, 1], parameters <= limits[:, 0], dtype=np.float64)


def _scoring_step(
    spectrum: BandedSpectrum,
    fitted: FloatArray,
    slopes: FloatArray,
    damping: FloatArray,
    leaving: FloatArray,
) -> FloatArray:
    """Step of each row, not yet kept within the limits: (rows, parameters)."""
    weighted = slopes * spectrum.weights
    score = (weighted @ (spectrum.power / fitted - 1)[..., None])[..., 0]
    free = (score * leaving <= 0).astype(np.float64)
    information = weighted @ slopes.transpose(0, 2, 1) * free[:, None] * free[..., None]
    damped = information + damping[:, None, None] * np.eye(slopes.shape[1])
    step = np.linalg.solve(damped, (score * free)[..., None])[..., 0]
    return np.clip(step, -LONGEST_STEP, LONGEST_STEP)
