"""From a forecast to the bytes of its answer, and the bytes that are kept."""

import time
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from pydantic_core import to_json

from models_store import Interval, Quantile
from service.forecasts.forecaster import Issued, IssuedForecast, forecast, forecast_batch
from service.forecasts.query import Asked
from service.forecasts.schemas import (
    AtHorizon,
    CalibrationAnswer,
    ForecastAnswer,
    IntervalAnswer,
    MarginAnswer,
    QuantileAnswer,
    Skill,
    TermStructureAnswer,
)
from service.models.catalogue import ModelSkill
from volatility.errors import RoughcastError

# Answers from held history, of about a kilobyte each: they stay the same until a bar comes in or a
# session closes.
_MAX_REMEMBERED = 20_000


class Encoded(NamedTuple):
    """The JSON of one forecast, and whose model it is of."""

    asset: str
    model: str
    body: bytes


class EncodedForecasts:
    """Forecasts as JSON; those from held history are made once.

    What a forecast says of its model's skill is that of one catalogue, and so is what is kept here.
    """

    def __init__(self) -> None:
        self._remembered: dict[tuple[object, ...], Encoded] = {}

    def answer(self, asked: Asked) -> Encoded:
        """Answer one question.

        Raises
        ------
        RoughcastError : it cannot be answered; the error says why.
        """
        key = asked.key
        known = self._remembered.get(key) if key else None
        return known or self._encode(key, forecast(asked))

    def answer_batch(
        self, questions: Sequence[Asked | RoughcastError]
    ) -> list[Encoded | RoughcastError]:
        """Answer every question as :meth:`answer` would, or say why not, in order.

        Errors among ``questions`` stay in their places.
        """
        answers: list[Encoded | RoughcastError | None] = []
        unknown: list[tuple[Asked, tuple[object, ...] | None]] = []
        for it in questions:
            if isinstance(it, RoughcastError):
                answers.append(it)
                continue
            key = it.key
            known = self._remembered.get(key) if key else None
            answers.append(known)
            if known is None:
                unknown.append((it, key))
        made = iter(self._make(unknown))
        return [next(made) if it is None else it for it in answers]

    def _make(
        self, asked: Sequence[tuple[Asked, tuple[object, ...] | None]]
    ) -> list[Encoded | RoughcastError]:
        issued = forecast_batch([question for question, _ in asked])
        return [
            it if isinstance(it, RoughcastError) else self._encode(key, it)
            for it, (_, key) in zip(issued, asked, strict=True)
        ]

    def _encode(self, key: tuple[object, ...] | None, issued: Issued) -> Encoded:
        if isinstance(issued, IssuedForecast):
            said, body = issued.forecast, encode(issued)
        else:
            said, body = issued[0].forecast, encode_term_structure(issued)
        encoded = Encoded(said.asset, said.model, body)
        if key is not None:
            if len(self._remembered) >= _MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[key] = encoded
        return encoded


class ForecastTally:
    """Forecasts answered, by asset and model; counted on the event loop's one thread.

    Attributes
    ----------
    numbers : how many.
    since : when the first of them was, seconds since 1970.
    """

    def __init__(self) -> None:
        self.numbers: dict[tuple[str, str], int] = defaultdict(int)
        self.since: dict[tuple[str, str], float] = {}

    def count(self, asset: str, model: str, number: int = 1) -> None:
        """Count forecasts of one model."""
        labels = (asset, model)
        if labels not in self.since:
            self.since[labels] = time.time()
        self.numbers[labels] += number


def encode(issued: IssuedForecast) -> bytes:
    """The JSON of one forecast; a float that is not finite is null, never a literal ``NaN``."""
    return to_json(_answer(issued), inf_nan_mode="null")


def encode_term_structure(issued: Sequence[IssuedForecast]) -> bytes:
    """The JSON of forecasts that differ by their horizon: what they share, and each."""
    answers = [_answer(it) for it in issued]
    shared = answers[0]
    answer = TermStructureAnswer(
        asset=shared["asset"],
        model=shared["model"],
        model_version=shared["model_version"],
        model_sha256=shared["model_sha256"],
        as_of=shared["as_of"],
        target_date=shared["target_date"],
        measure=shared["measure"],
        point=shared["point"],
        term_structure=[_at_horizon(it) for it in answers],
        stale_sessions=shared["stale_sessions"],
        missing_sessions=shared["missing_sessions"],
        degraded_reason=shared["degraded_reason"],
    )
    return to_json(answer, inf_nan_mode="null")


def _at_horizon(answer: ForecastAnswer) -> AtHorizon:
    at_horizon = AtHorizon(
        horizon=answer["horizon"],
        forecast_id=answer["forecast_id"],
        rv=answer["rv"],
        volatility=answer["volatility"],
        volatility_annualized=answer["volatility_annualized"],
        intervals=answer["intervals"],
        calibration=answer["calibration"],
        skill=answer["skill"],
        diagnostics=answer["diagnostics"],
        warnings=answer["warnings"],
    )
    if "quantiles" in answer:
        at_horizon["quantiles"] = answer["quantiles"]
    return at_horizon


def _answer(issued: IssuedForecast) -> ForecastAnswer:
    said, skill = issued.forecast, issued.skill
    answer = ForecastAnswer(
        forecast_id=issued.forecast_id,
        asset=issued.asset,
        model=said.model,
        model_version=said.model_version,
        model_sha256=said.model_sha256,
        as_of=said.as_of,
        target_date=said.target_date,
        horizon=said.horizon,
        measure=said.measure,
        rv=said.rv,
        volatility=said.volatility,
        volatility_annualized=said.volatility_annualized,
        point=said.point,
        intervals=[_interval(interval) for interval in said.intervals],
        calibration=CalibrationAnswer(
            nobs=said.calibration.nobs,
            from_history=said.calibration.from_history,
            through=said.calibration.through,
        ),
        skill=None if isinstance(skill, str) else _skill(skill),
        stale_sessions=issued.stale_sessions,
        missing_sessions=None if said.as_of is None else said.missing_sessions,
        degraded_reason=issued.degraded_reason,
        diagnostics={name: list(values) for name, values in said.diagnostics.items()},
        warnings=list(issued.warnings),
    )
    if said.quantiles:
        answer["quantiles"] = [_quantile(quantile) for quantile in said.quantiles]
    return answer


def _interval(interval: Interval) -> IntervalAnswer:
    return IntervalAnswer(
        level=interval.level,
        rv=list(interval.rv),
        volatility_annualized=list(interval.volatility_annualized),
        coverage_observed=interval.coverage_observed,
        nobs=interval.nobs,
    )


def _quantile(quantile: Quantile) -> QuantileAnswer:
    return QuantileAnswer(
        probability=quantile.probability,
        rv=quantile.rv,
        volatility_annualized=quantile.volatility_annualized,
    )


def _skill(skill: ModelSkill) -> Skill:
    return Skill(
        baseline=skill.baseline,
        qlike_ratio=skill.qlike_ratio,
        dm_pvalue=skill.dm_pvalue,
        in_confidence_set=skill.in_confidence_set,
        nobs=skill.nobs,
        span=list(skill.span),
        calendar_log_har=_margin(skill.calendar_log_har),
    )


def _margin(margin: tuple[float, float] | None) -> MarginAnswer | None:
    return MarginAnswer(qlike_ratio=margin[0], dm_pvalue=margin[1]) if margin else None
