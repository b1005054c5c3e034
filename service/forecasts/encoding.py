"""From a forecast to the bytes of its answer."""

import hashlib

from models_store import Forecast, Interval, LoadedModel
from service.forecasts.query import Question
from service.forecasts.schemas import ForecastAnswer, IntervalAnswer, Skill
from service.http.json import to_bytes
from volatility.series import DatedSeries


def encode(question: Question, forecast: Forecast, skill: Skill | str) -> bytes:
    """The JSON of one answer.

    Parameters
    ----------
    question : what was asked.
    forecast : what the model says.
    skill : how the model did against the baseline, or why that is not known.
    """
    dated = forecast.as_of is not None
    unknown_skill = (skill,) if isinstance(skill, str) else ()
    answer = ForecastAnswer(
        forecast_id=_forecast_id(question),
        asset=forecast.asset,
        model=forecast.model,
        model_version=forecast.model_version,
        model_sha256=forecast.model_sha256,
        as_of=forecast.as_of,
        target_date=forecast.target_date,
        horizon=forecast.horizon,
        measure=forecast.measure,
        rv=forecast.rv,
        volatility=forecast.volatility,
        volatility_annualized=forecast.volatility_annualized,
        point=forecast.point,
        intervals=[_interval(interval) for interval in forecast.intervals],
        skill=None if isinstance(skill, str) else skill,
        stale_sessions=question.stale_sessions,
        missing_sessions=forecast.missing_sessions if dated else None,
        degraded_reason=question.choice.degraded_reason,
        diagnostics={name: list(values) for name, values in forecast.diagnostics.items()},
        warnings=[*question.warnings, *forecast.warnings, *unknown_skill],
    )
    return to_bytes(answer)


def _interval(interval: Interval) -> IntervalAnswer:
    return IntervalAnswer(
        level=interval.level,
        rv=list(interval.rv),
        volatility_annualized=list(interval.volatility_annualized),
        coverage_observed=interval.coverage_observed,
        nobs=interval.nobs,
    )


def _forecast_id(question: Question) -> str:
    """Digest of all that the numbers depend on: artifact, window, its dates, horizon, levels."""
    model, window = question.choice.model, _window(question.choice.model, question)
    digest = hashlib.sha256(f"{model.sha256} {question.horizon} {question.levels}".encode())
    digest.update(window)
    return digest.hexdigest()[:32]


def _window(model: LoadedModel, question: Question) -> bytes:
    history, count = question.history, model.required_sessions
    window = history.rv[-count:].tobytes()
    for name in model.manifest.columns:
        window += history.columns[name][-count:].tobytes()
    return window + history.dates[-count:].tobytes() if isinstance(history, DatedSeries) else window
