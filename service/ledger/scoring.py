"""Live forecasts joined with what happened."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

import numpy as np
from pydantic_core import from_json

from service.assets.held import Held
from service.ledger.records import Record
from volatility.arrays import DateArray, FloatArray
from volatility.errors import InvalidInput
from volatility.evaluation.losses import qlike_losses
from volatility.pairs import outcomes
from volatility.series import DatedSeries

_NOT_ASKED = [np.nan, np.nan]
Version = tuple[str, int, str]  # a model's name, which of its versions, and its digest


class Track(NamedTuple):
    """What one version of a model said live, one forecast a target date, (n,) in their order."""

    model: str
    version: int
    sha256: str
    measure: str
    target_dates: DateArray
    forecast: FloatArray
    bounds: Mapping[float, FloatArray]  # (n, 2) by level; NaN where that was not asked for


class Scored(NamedTuple):
    """A track with the outcomes that are known.

    Parameters
    ----------
    track : of forecasts that have one.
    rv : (n,) outcomes.
    losses : (n,) QLIKE.
    pending : how many forecasts wait for theirs.
    missing : how many will have none, since a session of theirs is missing from what is held.
    """

    track: Track
    rv: FloatArray
    losses: FloatArray
    pending: int
    missing: int


def tracks_of(records: Iterable[Record]) -> list[Track]:
    """One track a version, by model and version.

    Where a target was forecast several times before it closed, as after a correction, the last
    forecast counts, and for each level the last interval.

    Parameters
    ----------
    records : live ones of one asset and horizon, in the order of their issue.
    """
    by_version: dict[Version, dict[date, _Said]] = defaultdict(dict)
    for record in records:
        version = record.model, record.model_version, record.model_sha256
        answer, before = from_json(record.answer), by_version[version].get(record.target_date)
        bounds = {it["level"]: it["rv"] for it in answer["intervals"]}
        known = before.bounds if before else {}
        said = _Said(answer["rv"], answer["measure"], {**known, **bounds})
        by_version[version][record.target_date] = said
    return [_track(version, said) for version, said in sorted(by_version.items())]


class _Said(NamedTuple):
    """What was said of one target date."""

    rv: float
    measure: str
    bounds: Mapping[float, list[float]]


def _track(version: Version, said: Mapping[date, _Said]) -> Track:
    dates = sorted(said)
    each = [said[it] for it in dates]
    levels = sorted({level for it in each for level in it.bounds})
    return Track(
        *version,
        each[-1].measure,
        np.array(dates, "datetime64[D]"),
        np.array([it.rv for it in each]),
        {it: np.array([one.bounds.get(it, _NOT_ASKED) for one in each]) for it in levels},
    )


def score(track: Track, held: Held, horizon: int) -> Scored:
    """Join a track with the outcomes that are held, as they are known now."""
    try:
        series = held.series(track.measure)
    except InvalidInput:  # bars that make up no session
        series = DatedSeries(np.empty(0), track.measure, np.empty(0, "datetime64[D]"))
    rv = outcomes(series, held.calendar, track.target_dates, horizon)
    known = np.isfinite(rv)
    scored = Track(
        *track[:4],
        track.target_dates[known],
        track.forecast[known],
        {level: bounds[known] for level, bounds in track.bounds.items()},
    )
    missing = int(np.sum(~known & _are_over(track.target_dates, series, held, horizon)))
    return Scored(
        scored,
        rv[known],
        qlike_losses(rv[known], scored.forecast) if known.any() else np.empty(0),
        int(np.sum(~known)) - missing,
        missing,
    )


def _are_over(targets: DateArray, series: DatedSeries, held: Held, horizon: int) -> np.ndarray:
    """Whether the last session of each target is held, or a later one."""
    if not len(series):
        return np.zeros(len(targets), bool)
    last = held.calendar.positions(series.dates[-1:])[0]
    over: np.ndarray = held.calendar.positions(targets) + horizon - 1 <= last
    return over
