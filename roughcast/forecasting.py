"""Forecasts of any asset, from daily bars alone."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from numbers import Integral

import pandas as pd

from models_store import ForecastInput, LoadedModel
from models_store.forecast import Forecast as Said
from models_store.issuing import forecast_id, in_sample_warnings
from models_store.shipped import shipped_artifacts
from models_store.universal.bindings import Bindings
from models_store.universal.store import UniversalStore
from roughcast.frames import (
    Described,
    GivenBars,
    moment,
    several,
    to_series,
    wrong_type,
    wrong_value,
)
from roughcast.results.forecast import Forecast, HorizonForecast, Interval, Quantile
from volatility.errors import InvalidInput, UnknownModel
from volatility.measuring import measured
from volatility.scale_free import USUAL_MEASURE
from volatility.series import DatedSeries
from volatility.staleness import age_warnings, sessions_since

HORIZONS = (1, 5, 10, 22)
LEVELS = (0.8, 0.95)
PLOTTED = 66  # newest sessions beside a forecast, a quarter of a year


def forecast(
    bars: pd.DataFrame,
    horizons: Sequence[int] = HORIZONS,
    *,
    calendar: str | None = None,
    kind: str | None = None,
    levels: Sequence[float] = LEVELS,
    quantiles: Sequence[float] = (),
    asset: str | None = None,
    now: datetime | None = None,
) -> Forecast:
    """Forecast an asset that no model was fitted on; the same as ``POST /forecast`` answers.

    Parameters
    ----------
    bars : daily, 22 sessions or more, as for :func:`roughcast.measure`.
    horizons : sessions ahead, of 1, 5, 10 and 22; at each the mean daily rv is forecast.
    calendar : ``24/7``, or a code of ``exchange_calendars``; left out, what the dates suggest.
    kind : stock, etf, index, fx or crypto; left out, that of most assets on the calendar.
    levels : nominal coverages of the intervals, such as 0.5, 0.8 and 0.95.
    quantiles : probabilities of quantiles that are wanted besides.
    asset : its name. Where the model was fitted on one of that name, a warning says so.
    now : after which no bar may close; the present if left out.

    Raises
    ------
    InvalidInput : bars that cannot be used, too few of them (``history_too_short``), an unknown
        calendar or kind, an unsupported horizon, level or quantile.

    Examples
    --------
    >>> import roughcast
    >>> bars = roughcast.dataset("BTC-USD")
    >>> found = roughcast.forecast(bars.tail(22), horizons=[1, 22], asset="MINE")
    >>> found.to_frame()["volatility_annualized"].round(2).tolist()
    [0.71, 0.74]
    """
    horizons, levels, quantiles = checked(horizons), shares(levels), shares(quantiles, "quantiles")
    when = moment(now)
    if not isinstance(asset, str | None):
        raise wrong_type(asset, "asset", "a name, or None")
    given = GivenBars.of(bars, Described(calendar, kind))
    if not given.bars.is_daily:
        raise _shorter_than_a_day(given.bars.interval)
    bindings = _shipped()
    model: LoadedModel = bindings.of(given.kind, given.calendar, USUAL_MEASURE)
    columns = model.manifest.own_columns
    series, findings = measured(given.bars, USUAL_MEASURE, model.calendar, when, columns)
    model = bindings.of(given.kind, given.calendar, USUAL_MEASURE, len(series))
    closed = model.calendar.last_closed_session(when)
    stale = sessions_since(series, closed, model.calendar)
    span = bindings.span_of(asset) if asset else None
    before = (
        *age_warnings(series, stale, closed),
        *in_sample_warnings(model, asset, span, series.dates[-1].item()),
        *([given.inferred] if given.inferred else []),
        *findings,
    )
    asked = [ForecastInput(series, levels, it, None, quantiles) for it in horizons]
    said = model.forecast_batch(asked)
    standings = [bindings.standing(model, it) for it in horizons]
    each = [
        issued(model, asset, question, it, before, (standing,))
        for question, it, standing in zip(asked, said, standings, strict=True)
    ]
    return joined(model, asset, series, said[0], each, stale)


def issued(
    model: LoadedModel,
    asset: str | None,
    asked: ForecastInput,
    said: Said,
    before: Sequence[str] = (),
    after: Sequence[str] = (),
) -> HorizonForecast:
    """What a model says of one horizon, with its id and what is worth knowing.

    Parameters
    ----------
    model, asset, asked : who was asked what.
    said : the answer.
    before, after : warnings around the forecast's own.
    """
    return HorizonForecast(
        horizon=said.horizon,
        forecast_id=forecast_id(model, asset, asked, said),
        rv=said.rv,
        volatility=said.volatility,
        volatility_annualized=said.volatility_annualized,
        intervals=tuple(Interval(*it) for it in said.intervals),
        effective_nobs=said.calibration.effective_nobs,
        quantiles=tuple(Quantile(*it) for it in said.quantiles),
        warnings=(*before, *said.warnings, *after),
    )


def joined(
    model: LoadedModel,
    asset: str | None,
    series: DatedSeries,
    said: Said,
    horizons: Sequence[HorizonForecast],
    stale: int | None,
) -> Forecast:
    """Forecasts of one model and history at several horizons, as one."""
    return Forecast(
        asset=asset,
        model=said.model,
        model_version=said.model_version,
        model_sha256=said.model_sha256,
        as_of=said.as_of,
        target_date=said.target_date,
        measure=said.measure,
        horizons=tuple(horizons),
        stale_sessions=stale,
        missing_sessions=said.missing_sessions,
        history=to_series(series.tail(PLOTTED)),
        periods_per_year=model.manifest.periods_per_year,
    )


@cache
def _shipped() -> Bindings:
    """The model for every asset that comes with the package, opened once."""
    model, refused = UniversalStore(shipped_artifacts()).newest()
    if model is None:
        raise UnknownModel(
            f"the model for every asset cannot serve: {refused[0].reason if refused else 'none'}",
            field="model",
            needed="an installation of this package that is whole",
        )
    return Bindings(model)


def checked(horizons: Sequence[int]) -> tuple[int, ...]:
    """The horizons that are asked, if there are any, and each once.

    Raises
    ------
    InvalidInput : ``wrong_type``, ``empty_value``, ``duplicate_horizon``, or ``invalid_value`` of
        one that is no whole number above 0.
    """
    asked = several(horizons, "horizons", "a list of sessions ahead, such as [1, 5, 22]")
    wrong = [it for it in asked if not isinstance(it, Integral) or it < 1]
    if wrong:
        raise wrong_value(wrong[0], "horizons", "whole numbers of sessions, above 0")
    if not asked or len(set(asked)) < len(asked):
        raise InvalidInput(
            f"horizons {list(asked)} are none, or have one twice; needed: each once",
            code="duplicate_horizon" if asked else "empty_value",
            field="horizons",
            found=list(asked),
            needed="sessions ahead, each once",
        )
    return tuple(map(int, asked))


def shares(given: Sequence[float], field: str = "levels") -> tuple[float, ...]:
    """Levels or quantiles that are asked.

    Raises
    ------
    InvalidInput : ``wrong_type``.
    """
    return several(given, field, f"a list of {field}, such as [0.8, 0.95]")


def _shorter_than_a_day(interval: int) -> InvalidInput:
    needed = "daily bars, or fit() of rv that measure() makes of these"
    return InvalidInput(
        f"bars of {interval} seconds are no history of an asset that no model was fitted on; "
        f"needed: {needed}",
        code="wrong_interval",
        field="bars",
        found=interval,
        needed=needed,
    )
