"""Why a model does not forecast what it is asked: the errors, in words."""

from collections.abc import Sequence

from models_store.manifest import Manifest
from models_store.names import UNIVERSAL
from models_store.units import MEDIAN_SESSIONS
from volatility.companions import are_known, why_unknown
from volatility.errors import (
    HistoryTooShort,
    ImplausibleUnit,
    InvalidInput,
    InvalidSeries,
    UnsupportedHorizon,
    UnsupportedLevel,
    UnsupportedQuantile,
)
from volatility.measures.columns import companion_of
from volatility.series import RealizedSeries


def unsupported_horizon(manifest: Manifest, horizon: int) -> UnsupportedHorizon:
    """The artifact forecasts other horizons."""
    return UnsupportedHorizon(
        f"horizon {horizon} is not supported by {_name(manifest)}; "
        f"it forecasts {list(manifest.horizons)} sessions ahead",
        field="horizon",
        found=horizon,
        needed=f"one of {list(manifest.horizons)}",
    )


def unsupported_level(manifest: Manifest, level: float) -> UnsupportedLevel:
    """The artifact has intervals of other levels."""
    levels = sorted(interval.level for interval in manifest.intervals)
    return UnsupportedLevel(
        f"level {level} is not supported by {_name(manifest)}; it has intervals for {levels}",
        field="levels",
        found=level,
        needed=f"any of {levels}",
    )


def twice(levels: Sequence[float], quantiles: Sequence[float]) -> InvalidInput:
    """A level is asked for twice (``duplicate_level``), or else a quantile."""
    if len(set(levels)) < len(levels):
        return _twice(UnsupportedLevel, "level", levels)
    return _twice(UnsupportedQuantile, "quantile", quantiles)


def _twice(error: type[InvalidInput], name: str, given: Sequence[float]) -> InvalidInput:
    needed = f"each {name} once, as in {list(dict.fromkeys(given))}"
    return error(
        f"{name}s {list(given)} has one of them twice; needed: {needed}",
        code=f"duplicate_{name}",
        field=f"{name}s",
        found=list(given),
        needed=needed,
    )


def measure_mismatch(manifest: Manifest, measure: str) -> InvalidSeries:
    """The history is in another measure than the model was fitted on."""
    return InvalidSeries(
        f"the history's measure is {measure}, but {_name(manifest)} was fitted on "
        f"{manifest.measure}",
        code="measure_mismatch",
        field="history",
        found=measure,
        needed=manifest.measure,
    )


def too_short(manifest: Manifest, nobs: int) -> HistoryTooShort:
    """The history has fewer sessions than a forecast needs."""
    lags = manifest.hyperparameters.get("lags")
    needed = manifest.minimum_sessions or manifest.lookback
    described = f"{manifest.model} with lags {lags}" if lags else manifest.model
    return HistoryTooShort(
        f"{described} needs {needed} sessions; got {nobs}",
        field="history",
        found=nobs,
        needed=f"at least {needed} sessions",
    )


def check_columns(manifest: Manifest, history: RealizedSeries) -> None:
    """Refuse a history without all that a model sees beside rv.

    Raises
    ------
    InvalidSeries : ``missing_columns``, the history lacks one; ``missing_companions``, a companion
        was not known.
    """
    check_own_columns(manifest, history)
    obstacle = unknown_companion(manifest, history)
    if obstacle:
        raise _missing_companions(manifest, obstacle)


def check_own_columns(manifest: Manifest, history: RealizedSeries) -> None:
    """Refuse a history without the columns that the asset's own bars give.

    Raises
    ------
    InvalidSeries : ``missing_columns``, it lacks one.
    """
    missing = [name for name in manifest.own_columns if name not in history.columns]
    if missing:
        raise missing_columns(manifest, missing)


def unknown_companion(manifest: Manifest, history: RealizedSeries) -> str | None:
    """Why a model cannot look at one of its companions; None if it can look at all.

    Parameters
    ----------
    manifest : of the model.
    history : with the columns of its companions.
    """
    for column in manifest.columns:
        if column in manifest.own_columns:
            continue
        values = history.columns.get(column)
        if values is None:
            return f"the history lacks {column}"
        seen = values[-manifest.lookback :]
        if not are_known(seen[None, :])[0]:
            return why_unknown(companion_of(column) or column, seen)
    return None


def missing_columns(manifest: Manifest, missing: Sequence[str]) -> InvalidSeries:
    """The history lacks what the model sees besides rv."""
    needed = "bars, from which every column is measured"
    return InvalidSeries(
        f"{_name(manifest)} needs {', '.join(manifest.own_columns)} beside rv; the history "
        f"lacks {', '.join(missing)}; send {needed}",
        code="missing_columns",
        field="history",
        found=f"a history without {', '.join(missing)}",
        needed=needed,
    )


def _missing_companions(manifest: Manifest, obstacle: str) -> InvalidSeries:
    names = ", ".join(it.asset for it in manifest.companions)
    return InvalidSeries(
        f"{_name(manifest)} looks at companions, and {obstacle}",
        code="missing_companions",
        field="companions",
        found=obstacle,
        needed=f"{names}, known at the newest session and at half of the newest "
        f"{manifest.lookback}",
    )


def implausible(
    manifest: Manifest, found: float, nobs: int, low: float, high: float
) -> ImplausibleUnit:
    """The newest sessions, 22 or the fewer there are, have a median outside of a range."""
    medians = manifest.rv_medians if nobs >= MEDIAN_SESSIONS else None
    seen_low, seen_high = medians or manifest.clip
    what = f"medians of {MEDIAN_SESSIONS} sessions" if medians else "single sessions"
    training = manifest.training
    whose = training.source if _is_for_every_asset(manifest) else manifest.asset
    return ImplausibleUnit(
        f"the median rv of the newest {nobs} sessions is {found:.3g}, but {whose} had "
        f"{what} from {seen_low:.3g} to {seen_high:.3g} in training; rv is a variance per day in "
        "decimal² (0.0004 for a 2 % day), not percent, not annualized and not a volatility",
        field="history",
        found=found,
        needed=f"median rv between {low:.3g} and {high:.3g}",
    )


def _name(manifest: Manifest) -> str:
    return (
        manifest.model if _is_for_every_asset(manifest) else f"{manifest.model} of {manifest.asset}"
    )


def _is_for_every_asset(manifest: Manifest) -> bool:
    return manifest.asset == manifest.model == UNIVERSAL
