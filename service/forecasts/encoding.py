"""From a forecast to the bytes of its answer, and the bytes that are kept."""

import time
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from pydantic_core import to_json

from models_store import Interval, Quantile
from service.forecasts.explanations import explanation_answer
from service.forecasts.forecaster import Issued, IssuedForecast, forecast, forecast_batch
from service.forecasts.query import Asked
from service.forecasts.schemas import (
    AtHorizon,
    CalibrationAnswer,
    ForecastAnswer,
    IntervalAnswer,
    MarginAnswer,
    QuantileAnswer,
    Shared,
    Skill,
    TermStructureAnswer,
)
from service.models.skill import ModelSkill
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
    answer: ForecastAnswer = {**_shared(issued), **_at_horizon(issued)}
    return to_json(answer, inf_nan_mode="null")


def encode_term_structure(issued: Sequence[IssuedForecast]) -> bytes:
    """The JSON of forecasts that differ by their horizon: what they share, and each."""
    each = [_at_horizon(it) for it in issued]
    answer: TermStructureAnswer = {**_shared(issued[0]), "term_structure": each}
    return to_json(answer, inf_nan_mode="null")


def _shared(issued: IssuedForecast) -> Shared:
    said = issued.forecast
    return Shared(
        asset=issued.asset,
        model=said.model,
        model_version=said.model_version,
        model_sha256=said.model_sha256,
        as_of=said.as_of,
        target_date=said.target_date,
        measure=said.measure,
        point=said.point,
        stale_sessions=issued.stale_sessions,
        missing_sessions=None if said.as_of is None else said.missing_sessions,
        degraded_reason=issued.degraded_reason,
    )


def _at_horizon(issued: IssuedForecast) -> AtHorizon:
    said, skill = issued.forecast, issued.skill
    answer = AtHorizon(
        horizon=said.horizon,
        forecast_id=issued.forecast_id,
        rv=said.rv,
        volatility=said.volatility,
        volatility_annualized=said.volatility_annualized,
        intervals=[_interval(interval) for interval in said.intervals],
        calibration=CalibrationAnswer(
            nobs=said.calibration.nobs,
            from_history=said.calibration.from_history,
            through=said.calibration.through,
        ),
        skill=None if isinstance(skill, str) else _skill(skill),
        diagnostics={name: list(values) for name, values in said.diagnostics.items()},
        warnings=list(issued.warnings),
    )
    if said.quantiles:
        answer["quantiles"] = [_quantile(quantile) for quantile in said.quantiles]
    if said.explanation:
        answer["explanation"] = explanation_answer(said.explanation)
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
