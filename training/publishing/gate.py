"""The promotion gate: what a new version must show before it is published, and before it serves."""

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models_store.artifact import EVALUATION, MANIFEST, REFERENCE
from models_store.manifest import Manifest
from models_store.runtime import LoadedModel
from models_store.store import Store
from volatility.arrays import FloatArray
from volatility.evaluation.diebold_mariano import diebold_mariano
from volatility.evaluation.losses import qlike_losses
from volatility.evaluation.tracks import ForecastTrack

HELD_BACK_BELOW = 0.05  # p-value of the one-sided test
# Relative QLIKE. Forecasts that differ in their fifth digit, and always to one side, are told apart
# with certainty, however little that is.
NEGLIGIBLE = 1e-3
MINIMUM_SHARED = 50  # target dates; with fewer, no difference could be significant
# Relative. Other processors add in another order, which moves forecasts by 1e-15; other data or
# other estimates move them by far more.
SAME = 1e-9

# What the manifest says of forecasts, their intervals, how good they were and what is refused.
SERVED = frozenset(
    {
        "measure",
        "calendar",
        "periods_per_year",
        "horizons",
        "by_horizon",
        "scale",
        "lookback",
        "minimum_sessions",
        "columns",
        "companions",
        "stand_in",
        "calendar_effects",
        "residual_variance",
        "clip",
        "mean_rv",
        "rv_medians",
        "intervals",
        "evaluation",
    }
)


@dataclass(frozen=True)
class Judgement:
    """Whether a version may serve, and why."""

    promote: bool
    reason: str


def judge(new: ForecastTrack, current: ForecastTrack) -> Judgement:
    """Compare a new version with the one that serves, on the target dates they share.

    A new version is held back only if its QLIKE is significantly higher (Diebold-Mariano,
    one-sided, 5 %), by more than a thousandth. Both are scored against the new version's rv, so
    that a correction of the data counts for both alike.

    Parameters
    ----------
    new : walk-forward forecasts of the selection part: a version that were kept because it did
        well on the test part would be praised there for that.
    current : walk-forward forecasts.
    """
    dates, at_new, at_current = np.intersect1d(
        new.target_dates, current.target_dates, return_indices=True
    )
    nobs = len(dates)
    if nobs < MINIMUM_SHARED:
        return Judgement(True, f"only {nobs} dates are shared with the version in service")
    rv = new.rv[at_new]
    new_losses = qlike_losses(rv, new.forecast[at_new])
    current_losses = qlike_losses(rv, current.forecast[at_current])
    if _same(new_losses, current_losses):
        return Judgement(True, "the same forecasts as the version in service")
    test = diebold_mariano(new_losses, current_losses, new.horizon)
    change = new_losses.mean() / current_losses.mean() - 1
    evidence = (
        f"QLIKE {change:+.1%} against the version in service, one-sided p {test.pvalue_worse:.3f}"
    )
    significant = test.pvalue_worse < HELD_BACK_BELOW
    if significant and change <= NEGLIGIBLE:
        return Judgement(True, f"{evidence}, n = {nobs}: less than {NEGLIGIBLE:.1%} is negligible")
    return Judgement(not significant, f"{evidence}, n = {nobs}")


def forecasts_the_same(files: Mapping[str, bytes], current: LoadedModel, store: Store) -> bool:
    """Whether a new version forecasts what the one in service does, to nine digits.

    That is: the same walk-forward forecasts, the same forecasts of the same reference windows, and
    the same :data:`SERVED` fields of the manifest. Digests would differ with the version of the
    code and with the processor.

    Parameters
    ----------
    files : of the new version, see :func:`models_store.artifact.encode`.
    current : the version in service, from ``store``.
    """
    before = current.manifest
    folder = store.root / before.asset / before.model / str(current.version)
    new = Manifest.model_validate_json(files[MANIFEST])
    return _agree(_served(new), _served(before)) and all(
        _same_arrays(files[name], (folder / name).read_bytes()) for name in (EVALUATION, REFERENCE)
    )


def _served(manifest: Manifest) -> dict[str, object]:
    """What counts, apart from distances to benchmarks, which depend on what else was evaluated."""
    return manifest.model_dump(include=set(SERVED), exclude={"evaluation": {"margins"}})


def _agree(one: object, other: object) -> bool:
    """Whether two values of a manifest are the same, floats to nine digits."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=SAME)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_agree(one[key], other[key]) for key in one)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_agree, one, other))
    return one == other


def _same_arrays(one: bytes, other: bytes) -> bool:
    with np.load(io.BytesIO(one)) as left, np.load(io.BytesIO(other)) as right:
        return set(left.files) == set(right.files) and all(
            left[name].shape == right[name].shape and _same(left[name], right[name])
            for name in left.files
        )


def _same(one: FloatArray, other: FloatArray) -> bool:
    return np.allclose(one, other, rtol=SAME, atol=0)
