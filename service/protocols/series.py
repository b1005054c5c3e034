"""Series of KServe's time-series protocol: daily rv, forecast one session ahead or several."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np

from service.assets.holdings import Holdings, find_asset
from service.forecasts import batch
from service.forecasts.encoding import Counted, flags_of
from service.forecasts.forecaster import IssuedForecast
from service.forecasts.issuing import IssuedForecasts
from service.forecasts.query import Asked, Question, Questions
from service.forecasts.requests import ForecastRequest, HistoryInput
from service.http.error_forms import time_series_fault
from service.http.errors import Fault, InvalidRequest, status_of
from service.protocols.names import Named
from service.protocols.series_schemas import (
    SeriesForecast,
    SeriesInput,
    SeriesOutput,
    SeriesRequest,
)
from volatility.calendars import Calendar, get_calendar
from volatility.errors import InvalidSeries, RoughcastError, UnsupportedHorizon

# What `POST /forecast` calls it, and this protocol.
_PLACES = {
    "asset": "model",
    "horizon": "options.horizon",
    "horizons": "options.horizon",
    "quantiles": "options.quantiles",
}


class Outcome(NamedTuple):
    """What became of the series of a request.

    Attributes
    ----------
    outputs : of each, in order, or why there is none.
    forecasts : how many of each asset, model and flags.
    """

    outputs: list[SeriesOutput | RoughcastError]
    forecasts: Counter[Counted]


def forecast_series(
    body: SeriesRequest, questions: Questions, issued: IssuedForecasts, holdings: Holdings
) -> Outcome:
    """Forecast each series, or say why not.

    Parameters
    ----------
    body : what is asked.
    questions, issued : by which forecasts are made.
    holdings : the held history, which knows the calendars of assets.

    Raises
    ------
    UnknownModel, ArtifactRefused : there is no such model.
    InvalidRequest : what is asked is not as the protocol has it, or not known.
    """
    asked, outcome = _Series(body, questions, holdings), Outcome([], Counter())
    found = (it for some in batch.answered(asked.requests(), questions, issued) for it in some)
    for index, (given, it) in enumerate(zip(body.inputs, found, strict=True)):
        if isinstance(it, RoughcastError):
            outcome.outputs.append(_placed(it, f"inputs[{index}]"))
            continue
        each = (it,) if isinstance(it, IssuedForecast) else it
        outcome.outputs.append(_output(given, each))
        said = each[0].forecast
        outcome.forecasts[said.asset, said.model, flags_of(each)] += 1
    return outcome


def failed(error: RoughcastError, failed_id: str) -> SeriesOutput:
    """An output that says why there is no forecast.

    Parameters
    ----------
    error : why.
    failed_id : what to call it.
    """
    return SeriesOutput(
        type="time_series_forecast",
        id=failed_id,
        status="error",
        content=[],
        error=time_series_fault(error, status_of(type(error))),
    )


class _Series:
    """What is asked of each series, in the words of ``POST /forecast``."""

    def __init__(self, body: SeriesRequest, questions: Questions, holdings: Holdings) -> None:
        self._body, self._questions = body, questions
        self._named = Named.of(body.model)
        asset = self._named.asset
        known = find_asset(asset, holdings, questions.catalogue) if asset else None
        self._calendar = get_calendar(known.calendar) if known else None
        if not body.inputs:
            raise _refused("missing_field", "inputs", "none", "at least one series")
        if body.options.quantiles and body.options.horizon != 1:
            needed = "horizon 1, since quantiles of single sessions further ahead are not known"
            raise _refused("invalid_value", "options.horizon", body.options.horizon, needed)

    def requests(self) -> Iterator[ForecastRequest | RoughcastError]:
        for it in self._body.inputs:
            try:
                yield self._request(it)
            except RoughcastError as error:
                yield error

    def _request(self, given: SeriesInput) -> ForecastRequest:
        dates = _sessions(given, self._calendar) if self._calendar else None
        history = HistoryInput.model_construct(rv=given.series, dates=dates)
        asked: dict[str, Any] = {
            "asset": self._named.asset,
            "model": self._named.model,
            "levels": (),
            "quantiles": self._body.options.quantiles or (),
            "history": history,
        }
        horizon = self._body.options.horizon
        if horizon == 1:
            return ForecastRequest(**asked)
        question = self._questions.of(ForecastRequest(**asked, horizon=horizon))
        return ForecastRequest(**asked, horizons=_horizons(question, horizon))


def _horizons(asked: Asked, furthest: int) -> tuple[int, ...]:
    """Those that the model which answers forecasts, up to one of them."""
    assert isinstance(asked, Question)
    return tuple(it for it in asked.choice.model.manifest.horizons if it <= furthest)


def _sessions(given: SeriesInput, calendar: Calendar) -> list[date]:
    """The session of each value.

    Raises
    ------
    InvalidSeries : the first is none, or there are no values.
    OutsideCalendar : the calendar does not know the first, or as many after it.
    """
    start = np.array([given.start_timestamp], "datetime64[D]")
    if not calendar.is_session(start)[0]:
        raise InvalidSeries(
            f"{start[0]} is not a session of the calendar {calendar.name}",
            code="not_a_session",
            field="start_timestamp",
            found=str(start[0]),
            needed=f"a session of the calendar {calendar.name}",
        )
    further = calendar.sessions_after(start, max(0, len(given.series) - 1))
    days: list[date] = [*start.tolist(), *further[0].tolist()]
    return days[: len(given.series)]


def _placed(error: RoughcastError, place: str) -> RoughcastError:
    """The same error, of what this protocol calls it."""
    field = error.field or ""
    if field in ("date", "start_timestamp"):
        return error.with_field(f"{place}.start_timestamp")
    if field.startswith("history"):
        return error.with_field(f"{place}.series")
    return error.with_field(_PLACES.get(field, error.field))


def _output(given: SeriesInput, each: Sequence[IssuedForecast]) -> SeriesOutput | RoughcastError:
    try:
        content = _forecast(given, each)
    except UnsupportedHorizon as error:
        return error
    last = each[-1]
    said = last.forecast
    return SeriesOutput(
        type="time_series_forecast",
        id=last.forecast_id,
        status="completed",
        content=[content],
        error=None,
        model=str(Named(last.asset, said.model)),
        model_version=said.model_version,
        measure=said.measure,
        as_of=said.as_of,
        degraded_reason=last.degraded_reason,
        warnings=list(dict.fromkeys(warning for it in each for warning in it.warnings)),
    )


def _forecast(given: SeriesInput, each: Sequence[IssuedForecast]) -> SeriesForecast:
    first = each[0].forecast
    found = SeriesForecast(
        type=given.type,
        name=given.name,
        mean_forecast=_curve(each),
        frequency=given.frequency,
        start_timestamp=f"{first.target_date}T00:00:00Z",
    )
    if first.quantiles:
        found["quantiles"] = {str(it.probability): [it.rv] for it in first.quantiles}
    return found


def _curve(each: Sequence[IssuedForecast]) -> list[float]:
    """The variance of each session ahead, of forecasts of means of the next so many of them.

    Raises
    ------
    UnsupportedHorizon : nothing is left for the sessions between two horizons.
    """
    values: list[float] = []
    total = 0.0
    for it in each:
        horizon, before = it.forecast.horizon, len(values)
        upto = horizon * it.forecast.rv
        value = (upto - total) / (horizon - before)
        if value <= 0:
            raise UnsupportedHorizon(
                f"the forecasts of the means of {before} and of {horizon} sessions leave "
                f"{value:.3g} for each of those between; ask for horizon {before}, or POST "
                "/forecast for the means",
                field="options.horizon",
                found=horizon,
                needed=f"at most {before}",
            )
        values += [value] * (horizon - before)
        total = upto
    return values


def _refused(code: str, place: str, found: object, needed: str) -> InvalidRequest:
    detail = f"{place}: found {found}; needed: {needed}"
    return InvalidRequest([Fault(code, detail, place, found, needed)])
