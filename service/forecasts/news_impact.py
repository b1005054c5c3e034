"""The news impact curve of whichever model answers: forecasts of sessions that did not happen."""

from datetime import date
from typing import NamedTuple

import numpy as np

from models_store import Forecast, ForecastInput, LoadedModel
from service.assets.held import Held
from service.forecasts.query import Question, Questions
from service.forecasts.requests import ForecastRequest
from service.http.errors import Fault, InvalidRequest
from volatility.bars import DAILY, Bars, from_records
from volatility.errors import HistoryTooShort
from volatility.news_impact import session_of, shocks
from volatility.rows import joined
from volatility.series import RealizedSeries, daily_series


class ImpactPoint(NamedTuple):
    """What a return of the last session would have made of the forecast.

    Parameters
    ----------
    log_return : of the last session, decimal.
    rv, volatility_annualized : forecast of the session after it.
    """

    log_return: float
    rv: float
    volatility_annualized: float


class NewsImpact(NamedTuple):
    """A news impact curve.

    Parameters
    ----------
    asset : as asked.
    model : that forecasts.
    session : the last one, whose return is varied.
    target_date : the session that is forecast.
    expected : forecast of ``session``, made the session before it.
    log_return : that really was.
    points : of the curve, by return.
    degraded_reason : why another model than the one asked for forecasts.
    """

    asset: str | None
    model: LoadedModel
    session: date
    target_date: date | None
    expected: Forecast
    log_return: float
    points: tuple[ImpactPoint, ...]
    degraded_reason: str | None


def news_impact(request: ForecastRequest, questions: Questions) -> NewsImpact:
    """Forecast one session ahead, for each of many returns that the last session might have had.

    Parameters
    ----------
    request : of an asset with daily bars, held or sent.
    questions : by which the model is chosen.

    Raises
    ------
    InvalidRequest : the model forecasts from shorter bars, or the request brings no bars.
    HistoryTooShort : without its last session the history is too short for the model.
    RoughcastError : whatever a forecast may end in.
    """
    question = questions.of(request)
    assert isinstance(question, Question)  # of one horizon
    choice = question.choice
    model = choice.model
    bars = _bars(request, question, model)
    if len(bars) < 2:
        raise HistoryTooShort(
            f"a news impact curve needs two sessions; got {len(bars)}",
            field="history",
            found=len(bars),
            needed="at least two sessions",
        )
    before, last = bars.where(slice(-1)), bars.where(slice(-1, None))
    known = _seen(question, model, before)
    calibration = model.calibrate(known)
    [expected] = model.forecast_batch([ForecastInput(known, (), 1, calibration)])
    session, close = last.timestamps[0].astype("datetime64[D]"), float(before.close[-1])
    returns = shocks(expected.volatility).tolist()
    imagined = [session_of(session, close, it, expected.volatility) for it in returns]
    histories = [_seen(question, model, joined(before, it)) for it in imagined]
    asked = [ForecastInput(it, (), 1, calibration) for it in histories]
    forecasts = model.forecast_batch(asked)
    return NewsImpact(
        asset=choice.asset,
        model=model,
        session=session.item(),
        target_date=forecasts[0].target_date,
        expected=expected,
        log_return=float(np.log(last.close[0] / close)),
        points=tuple(
            ImpactPoint(at, it.rv, it.volatility_annualized)
            for at, it in zip(returns, forecasts, strict=True)
        ),
        degraded_reason=choice.degraded_reason,
    )


def _bars(request: ForecastRequest, question: Question, model: LoadedModel) -> Bars:
    """Daily bars of the history that is asked about."""
    interval, given = model.manifest.bar_interval, request.history
    if interval != DAILY:
        raise _needs("daily bars", f"{model.manifest.model}, of bars of {interval} seconds")
    if isinstance(question.history, Held):
        return question.history.bars
    if given is None or given.bars is None:
        raise _needs("daily bars", "rv alone")
    return from_records(given.bars, DAILY)


def _seen(question: Question, model: LoadedModel, bars: Bars) -> RealizedSeries:
    """What the model sees of bars, with the companions that it looks at."""
    manifest = model.manifest
    series, _ = daily_series(bars, manifest.measure, model.calendar, manifest.own_columns)
    if not manifest.companions:
        return series
    return question.beside.join(series, model).joined or series


def _needs(needed: str, found: str) -> InvalidRequest:
    detail = f"a session of another return is made of daily bars; found {found}; needed: {needed}"
    return InvalidRequest([Fault("invalid_value", detail, "history", found, needed)])
