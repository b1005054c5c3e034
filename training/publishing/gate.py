"""The promotion gate: what a new version must show before it serves."""

from dataclasses import dataclass

import numpy as np

from volatility.evaluation.diebold_mariano import diebold_mariano
from volatility.evaluation.losses import qlike_losses
from volatility.evaluation.tracks import ForecastTrack

SIGNIFICANCE = 0.05  # one-sided
MINIMUM_SHARED = 50  # target dates; with fewer, no difference could be significant


@dataclass(frozen=True)
class Verdict:
    """Whether a version may serve, and why."""

    promote: bool
    reason: str


def judge(new: ForecastTrack, current: ForecastTrack, test_start: np.datetime64) -> Verdict:
    """Compare a new version with the one that serves, on the target dates they share.

    A new version is held back only if its QLIKE is significantly higher (Diebold-Mariano,
    one-sided, 5 %). Both are scored against the new version's rv, so that a correction of the data
    counts for both alike.

    Parameters
    ----------
    new, current : walk-forward forecasts.
    test_start : the new version's test part begins here; earlier dates are not used.
    """
    dates, at_new, at_current = np.intersect1d(
        new.target_dates, current.target_dates, return_indices=True
    )
    tested = dates >= test_start
    nobs = int(tested.sum())
    if nobs < MINIMUM_SHARED:
        return Verdict(True, f"only {nobs} test dates are shared with the version in service")
    rv = new.rv[at_new][tested]
    new_losses = qlike_losses(rv, new.forecast[at_new][tested])
    current_losses = qlike_losses(rv, current.forecast[at_current][tested])
    if np.allclose(new_losses, current_losses, rtol=1e-9, atol=0):
        return Verdict(True, "the same forecasts as the version in service")
    test = diebold_mariano(new_losses, current_losses)
    change = new_losses.mean() / current_losses.mean() - 1
    evidence = (
        f"QLIKE {change:+.1%} against the version in service, one-sided p {test.pvalue_worse:.3f}"
    )
    return Verdict(test.pvalue_worse >= SIGNIFICANCE, f"{evidence}, n = {nobs}")
