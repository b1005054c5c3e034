"""Walk-forward forecasts, joined by the session they forecast.

Nothing here goes by position: two models meet on the target dates that both have.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from volatility.arrays import DateArray, FloatArray
from volatility.errors import (
    InvalidSeries,
    MisalignedForecasts,
    TooFewObservations,
    UnsupportedHorizon,
)

RV_TOLERANCE = 1e-9  # relative; two sources of one measure may round differently


@dataclass(frozen=True, slots=True)
class ForecastTrack:
    """One model's out-of-sample forecasts of successive sessions, or of spans that begin there.

    Attributes
    ----------
    model : its name.
    as_of : (n,) the last session whose data each forecast used.
    target_dates : (n,) the session that was forecast, the first of several if the horizon is
        longer; strictly increasing, each after its as_of.
    forecast : (n,) mean forecast of the variance per day.
    rv : (n,) realized variance per day: of the target session, or its mean over the horizon.
    horizon : sessions from target_dates on that are forecast together.
    by_seed : of a model that is the mean of fits with several seeds, (n,) forecasts of each.

    Raises
    ------
    InvalidSeries : unequal lengths, dates out of order, or a value that is not positive and finite.
    UnsupportedHorizon : a horizon below 1.
    MisalignedForecasts : a forecast whose as_of is not before its target.
    """

    model: str
    as_of: DateArray
    target_dates: DateArray
    forecast: FloatArray
    rv: FloatArray
    horizon: int = 1
    by_seed: Mapping[int, FloatArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what cannot be joined or scored."""
        if self.horizon < 1:
            raise UnsupportedHorizon(
                f"{self.model} forecasts {self.horizon} sessions; at least 1 is needed",
                field="horizon",
                found=self.horizon,
                needed="at least 1",
            )
        forecasts = (self.forecast, *self.by_seed.values())
        columns = (self.as_of, self.target_dates, self.rv, *forecasts)
        lengths = {len(column) for column in columns}
        if len(lengths) > 1:
            raise self._invalid("length_mismatch", f"columns of lengths {sorted(lengths)}")
        if not (np.diff(self.target_dates) > np.timedelta64(0)).all():
            raise self._invalid("unsorted_dates", "target dates that do not strictly increase")
        for name, values in (*(("forecast", values) for values in forecasts), ("rv", self.rv)):
            if not (np.isfinite(values) & (values > 0)).all():
                raise self._invalid("non_positive_rv", f"a {name} that is not positive and finite")
        late = self.as_of >= self.target_dates
        if late.any():
            raise MisalignedForecasts(
                f"{self.model} forecasts {self.target_dates[late][0]} as of "
                f"{self.as_of[late][0]}; a forecast is made before its target session",
                field=self.model,
                found=str(self.as_of[late][0]),
                needed=f"a date before {self.target_dates[late][0]}",
            )

    def __len__(self) -> int:
        return len(self.target_dates)

    def between(self, start: np.datetime64, end: np.datetime64) -> "ForecastTrack":
        """The forecasts of target dates from ``start`` to before ``end``."""
        inside = (self.target_dates >= start) & (self.target_dates < end)
        return replace(
            self,
            as_of=self.as_of[inside],
            target_dates=self.target_dates[inside],
            forecast=self.forecast[inside],
            rv=self.rv[inside],
            by_seed={seed: own[inside] for seed, own in self.by_seed.items()},
        )

    def _invalid(self, code: str, found: str) -> InvalidSeries:
        return InvalidSeries(
            f"the forecasts of {self.model} have {found}",
            code=code,
            field=self.model,
            found=found,
            needed="one positive, finite forecast and rv for each of strictly increasing dates",
        )


@dataclass(frozen=True, slots=True)
class Aligned:
    """Several models on the target dates that all of them forecast.

    Attributes
    ----------
    target_dates : (n,) dates.
    rv : (n,) realized variance of each; over the horizon, as in the tracks.
    forecasts : by model, (n,) forecasts of each.
    horizon : of all of them.
    by_seed : by model, those of its single seeds.
    """

    target_dates: DateArray
    rv: FloatArray
    forecasts: Mapping[str, FloatArray]
    horizon: int
    by_seed: Mapping[str, Mapping[int, FloatArray]]


def align(tracks: Sequence[ForecastTrack]) -> Aligned:
    """Join tracks on their target dates.

    Raises
    ------
    MisalignedForecasts : two tracks disagree on the rv or the as_of of one target date or on the
        horizon, or two have the same name.
    TooFewObservations : no track, or no date that all have.
    """
    names = [track.model for track in tracks]
    if len(set(names)) < len(names):
        raise MisalignedForecasts(
            f"two tracks have one name among {', '.join(names)}; a model is compared once",
            field="tracks",
            found=names,
            needed="distinct models",
        )
    _check_horizons(tracks)
    dates = _common_dates(tracks)
    picks = [np.searchsorted(track.target_dates, dates) for track in tracks]
    for (first, at_first), (other, at_other) in pairwise(zip(tracks, picks, strict=True)):
        _check_agreement(first, at_first, other, at_other)
    return Aligned(
        target_dates=dates,
        rv=tracks[0].rv[picks[0]],
        forecasts={
            track.model: track.forecast[at] for track, at in zip(tracks, picks, strict=True)
        },
        horizon=tracks[0].horizon,
        by_seed={
            track.model: {seed: forecast[at] for seed, forecast in track.by_seed.items()}
            for track, at in zip(tracks, picks, strict=True)
        },
    )


def _common_dates(tracks: Sequence[ForecastTrack]) -> DateArray:
    dates = tracks[0].target_dates if tracks else np.empty(0, dtype="datetime64[D]")
    for track in tracks[1:]:
        dates = dates[np.isin(dates, track.target_dates, assume_unique=True)]
    if len(dates) == 0:
        raise TooFewObservations(
            f"no target date is common to the {len(tracks)} tracks; at least one is needed",
            field="tracks",
            found=0,
            needed="a common target date",
        )
    return dates


def _check_horizons(tracks: Sequence[ForecastTrack]) -> None:
    horizons = sorted({track.horizon for track in tracks})
    if len(horizons) > 1:
        raise MisalignedForecasts(
            f"tracks of horizons {horizons} forecast different things; one horizon is compared",
            field="horizon",
            found=horizons,
            needed="one horizon",
        )


def _check_agreement(
    first: ForecastTrack,
    at_first: NDArray[np.intp],
    other: ForecastTrack,
    at_other: NDArray[np.intp],
) -> None:
    rv, other_rv = first.rv[at_first], other.rv[at_other]
    as_of, other_as_of = first.as_of[at_first], other.as_of[at_other]
    columns = (
        ("rv", rv, other_rv, ~np.isclose(rv, other_rv, rtol=RV_TOLERANCE, atol=0.0)),
        ("as_of", as_of, other_as_of, as_of != other_as_of),
    )
    for name, values, other_values, differs in columns:
        if differs.any():
            row = int(np.argmax(differs))
            date = first.target_dates[at_first[row]]
            raise MisalignedForecasts(
                f"{first.model} and {other.model} disagree on the {name} of {date}: "
                f"{values[row]} and {other_values[row]}; one of them is shifted, or they come "
                f"from different data",
                field=name,
                found=f"{values[row]} and {other_values[row]} on {date}",
                needed=f"one {name} a target date",
            )
