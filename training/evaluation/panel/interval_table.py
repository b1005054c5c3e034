"""How the intervals of each model held on a panel, each made of the errors known at the time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from training.evaluation.headings import percent
from training.evaluation.panel.walk_forward import TrackKey
from training.reports.markdown import markdown_table
from volatility.evaluation.interval_scores import IntervalScores, interval_scores
from volatility.evaluation.intervals import rolling_offsets
from volatility.evaluation.losses import coverage_score
from volatility.evaluation.tracks import ForecastTrack

_NOMINAL = 0.8  # of what is told by thirds, years and after breaks
_YEAR = 100  # sessions that a year must have to be told


@dataclass(frozen=True)
class PanelIntervals:
    """The intervals of one model at one horizon, means over the assets of a panel.

    Attributes
    ----------
    model, horizon : whose.
    assets : how many have at least one interval.
    coverage_80, coverage_95 : shares of outcomes inside.
    low_80, high_80 : the same for the lowest and the highest third of the forecasts of each asset.
    years_80 : the lowest and the highest of each asset's years with 100 intervals; None where no
        asset has such a year.
    breaks_80 : the same for the 60 sessions from each of an asset's five largest breaks on; None
        where none has a break.
    loss_80, loss_95 : interval scores of log rv.
    crps : of log rv.
    """

    model: str
    horizon: int
    assets: int
    coverage_80: float
    coverage_95: float
    low_80: float
    high_80: float
    years_80: tuple[float, float] | None
    breaks_80: float | None
    loss_80: float
    loss_95: float
    crps: float


def panel_intervals(tracks: Mapping[TrackKey, ForecastTrack]) -> list[PanelIntervals]:
    """Every model at every horizon, in order; without one that has no interval on any asset.

    An asset's first 100 errors calibrate only.
    """
    groups: dict[tuple[int, str], list[ForecastTrack]] = {}
    for key, track in sorted(tracks.items()):
        groups.setdefault((key.horizon, key.model), []).append(track)
    found = [_means(model, horizon, own) for (horizon, model), own in sorted(groups.items())]
    return [it for it in found if it is not None]


def interval_table(rows: Sequence[PanelIntervals]) -> list[str]:
    """A row a model, in Markdown; the lowest CRPS first."""
    columns: dict[str, Callable[[PanelIntervals], str]] = {
        "model": lambda row: f"`{row.model}`",
        "assets": lambda row: str(row.assets),
        "80 %": lambda row: percent(row.coverage_80),
        "lowest third": lambda row: percent(row.low_80),
        "highest third": lambda row: percent(row.high_80),
        "worst years": lambda row: " to ".join(map(percent, row.years_80 or (None,))),
        "after breaks": lambda row: percent(row.breaks_80),
        "95 %": lambda row: percent(row.coverage_95),
        "score of 80 %": lambda row: f"{row.loss_80:.3f}",
        "score of 95 %": lambda row: f"{row.loss_95:.3f}",
        "CRPS": lambda row: f"{row.crps:.4f}",
    }
    return markdown_table(sorted(rows, key=lambda row: row.crps), columns)


def _means(model: str, horizon: int, tracks: Sequence[ForecastTrack]) -> PanelIntervals | None:
    scored = [(track, _scores(track)) for track in tracks]
    told = [(track, scores) for track, scores in scored if scores.nobs]
    if not told:
        return None
    every = [scores for _, scores in told]
    thirds = [scores.coverage_by_tercile[_NOMINAL] for scores in every]
    years = [it for it in (_years(track) for track, _ in told) if it]
    broken = [it.coverage_after_breaks[_NOMINAL] for it in every if it.coverage_after_breaks]
    return PanelIntervals(
        model=model,
        horizon=horizon,
        assets=len(told),
        coverage_80=fmean(it.coverage[0.8] for it in every),
        coverage_95=fmean(it.coverage[0.95] for it in every),
        low_80=fmean(low for low, _, _ in thirds),
        high_80=fmean(high for _, _, high in thirds),
        years_80=(fmean(it[0] for it in years), fmean(it[1] for it in years)) if years else None,
        breaks_80=fmean(broken) if broken else None,
        loss_80=fmean(it.loss_log[0.8] for it in every),
        loss_95=fmean(it.loss_log[0.95] for it in every),
        crps=fmean(it.crps_log for it in every if it.crps_log is not None),
    )


def _scores(track: ForecastTrack) -> IntervalScores:
    everything = np.ones(len(track), dtype=bool)
    return interval_scores(track.rv, track.forecast, everything, track.horizon)


def _years(track: ForecastTrack) -> tuple[float, float] | None:
    """Lowest and highest coverage of a calendar year."""
    residuals = np.log(track.rv / track.forecast)
    bounds = rolling_offsets(residuals, [_NOMINAL], track.horizon)[:, 0]
    there = ~np.isnan(bounds[:, 0])
    year = track.target_dates[there].astype("datetime64[Y]")
    residuals, bounds = residuals[there], bounds[there]
    shares = [
        coverage_score(residuals[year == it], bounds[year == it])
        for it in np.unique(year)
        if (year == it).sum() >= _YEAR
    ]
    return (min(shares), max(shares)) if shares else None
