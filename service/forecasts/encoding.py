"""From a forecast to the bytes of its answer, and the bytes that are kept."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import compress
from typing import NamedTuple

from pydantic_core import to_json

from models_store import Interval, Quantile
from service.forecasts.explanations import explanation_answer
from service.forecasts.forecaster import Issued, IssuedForecast, forecast, forecast_batch
from service.forecasts.query import Asked
from service.forecasts.schemas import (
    AtHorizon,
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
FLAGS = ("clipped", "degraded", "stale")
Counted = tuple[str, str, tuple[str, ...]]  # asset, model and flags, by which forecasts are counted


class Encoded(NamedTuple):
    """The JSON of one forecast, and whose model it is of.

    Parameters
    ----------
    asset, model : of the model that answered.
    body : the JSON.
    ids : of the forecast, or of each of a term structure, separated by commas.
    flags : those of :data:`FLAGS` that an operator counts it by.
    """

    asset: str
    model: str
    body: bytes
    ids: str
    flags: tuple[str, ...]


class EncodedForecasts:
    """Forecasts as JSON; those from held history are made once.

    What a forecast says of its model's skill is part of its question's key: it changes with what
    is refused of the asset.

    Parameters
    ----------
    made : told of each question that is answered anew from held history, and of its answer and its
        bytes; says whether it took them. What it did not is made anew when it is asked again.
    """

    def __init__(self, made: Callable[[Asked, Issued, bytes], bool] = lambda *_: True) -> None:
        self._made = made
        self._remembered: dict[tuple[object, ...], Encoded] = {}

    def answer(self, asked: Asked) -> Encoded:
        """Answer one question.

        Raises
        ------
        RoughcastError : it cannot be answered; the error says why.
        """
        key = asked.key
        known = self._remembered.get(key) if key else None
        return known or self._encode(asked, key, forecast(asked))

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
            it if isinstance(it, RoughcastError) else self._encode(question, key, it)
            for it, (question, key) in zip(issued, asked, strict=True)
        ]

    def _encode(self, asked: Asked, key: tuple[object, ...] | None, issued: Issued) -> Encoded:
        each: Sequence[IssuedForecast]
        if isinstance(issued, IssuedForecast):
            each, body = [issued], encode(issued)
        else:
            each, body = issued, encode_term_structure(issued)
        said, ids = each[0].forecast, ",".join([it.forecast_id for it in each])
        encoded = Encoded(said.asset, said.model, body, ids, flags_of(each))
        if key is None:
            return encoded
        if self._made(asked, issued, body) and said.explanation is None:  # which is long
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
    flagged : how many were clipped, degraded or stale, by asset and flag.
    """

    def __init__(self) -> None:
        self.numbers: dict[tuple[str, str], int] = defaultdict(int)
        self.since: dict[tuple[str, str], float] = {}
        self.flagged: dict[tuple[str, str], int] = defaultdict(int)

    def count(self, asset: str, model: str, number: int = 1, flags: tuple[str, ...] = ()) -> None:
        """Count forecasts of one model that have the same flags."""
        labels = (asset, model)
        if labels not in self.since:
            self.since[labels] = time.time()
        self.numbers[labels] += number
        for flag in flags:
            self.flagged[asset, flag] += number


def flags_of(issued: Sequence[IssuedForecast]) -> tuple[str, ...]:
    """Those of :data:`FLAGS` that a forecast has, or one of a term structure."""
    found = (
        any(it.forecast.clipped for it in issued),
        issued[0].degraded_reason is not None,
        bool(issued[0].stale_sessions),
    )
    return tuple(compress(FLAGS, found))


def encode(issued: IssuedForecast) -> bytes:
    """The JSON of one forecast; a float that is not finite is null, never a literal ``NaN``."""
    answer: ForecastAnswer = {**_shared(issued), **_at_horizon(issued)}
    return to_json(answer, inf_nan_mode="null")


def encode_term_structure(issued: Sequence[IssuedForecast]) -> bytes:
    """The JSON of forecasts that differ by their horizon: what they share, and each."""
    each = [_at_horizon(it) for it in issued]
    answer: TermStructureAnswer = {**_shared(issued[0]), "term_structure": each}
    return to_json(answer, inf_nan_mode="null")


# Literals, which take half the time of calling a TypedDict: ten thousand forecasts of a batch are
# made of 70,000 of these.
def _shared(issued: IssuedForecast) -> Shared:
    said = issued.forecast
    return {
        "asset": issued.asset,
        "model": said.model,
        "model_version": said.model_version,
        "model_sha256": said.model_sha256,
        "as_of": said.as_of,
        "target_date": said.target_date,
        "measure": said.measure,
        "point": said.point,
        "stale_sessions": issued.stale_sessions,
        "missing_sessions": None if said.as_of is None else said.missing_sessions,
        "degraded_reason": issued.degraded_reason,
    }


def _at_horizon(issued: IssuedForecast) -> AtHorizon:
    said, skill, calibration = issued.forecast, issued.skill, issued.forecast.calibration
    answer: AtHorizon = {
        "horizon": said.horizon,
        "forecast_id": issued.forecast_id,
        "rv": said.rv,
        "volatility": said.volatility,
        "volatility_annualized": said.volatility_annualized,
        "intervals": _intervals(issued),
        "calibration": {
            "nobs": calibration.nobs,
            "effective_nobs": calibration.effective_nobs,
            "from_history": calibration.from_history,
            "through": calibration.through,
        },
        "skill": None if isinstance(skill, str) else _skill(skill),
        "diagnostics": {name: list(values) for name, values in said.diagnostics.items()},
        "warnings": list(issued.warnings),
    }
    if said.quantiles:
        answer["quantiles"] = [_quantile(quantile) for quantile in said.quantiles]
    if said.explanation:
        answer["explanation"] = explanation_answer(said.explanation)
    return answer


def _intervals(issued: IssuedForecast) -> list[IntervalAnswer]:
    found = [_interval(interval) for interval in issued.forecast.intervals]
    for level, coverage, nobs in issued.coverage:
        for it in found:
            if it["level"] == level:
                it["coverage_observed"], it["nobs"], it["observed"] = coverage, nobs, "live"
    return found


def _interval(interval: Interval) -> IntervalAnswer:
    return {
        "level": interval.level,
        "rv": list(interval.rv),
        "volatility_annualized": list(interval.volatility_annualized),
        "coverage_observed": interval.coverage_observed,
        "nobs": interval.nobs,
        "observed": "test",
    }


def _quantile(quantile: Quantile) -> QuantileAnswer:
    return {
        "probability": quantile.probability,
        "rv": quantile.rv,
        "volatility_annualized": quantile.volatility_annualized,
    }


def _skill(skill: ModelSkill) -> Skill:
    return {
        "baseline": skill.baseline,
        "qlike_ratio": skill.qlike_ratio,
        "dm_pvalue": skill.dm_pvalue,
        "in_confidence_set": skill.in_confidence_set,
        "nobs": skill.nobs,
        "span": list(skill.span),
        "calendar_log_har": _margin(skill.calendar_log_har),
        "source": skill.source,
    }


def _margin(margin: tuple[float, float] | None) -> MarginAnswer | None:
    return {"qlike_ratio": margin[0], "dm_pvalue": margin[1]} if margin else None
