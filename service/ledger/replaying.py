"""A recorded forecast made again, from bars as they were known and the version that answered."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic_core import from_json

from models_store import ArtifactRefused
from service.assets.holdings import Holdings
from service.assets.known import PastHoldings
from service.forecasts.encoding import encode
from service.forecasts.forecaster import IssuedForecast, forecast
from service.forecasts.query import ClockReading, Question, Questions
from service.forecasts.requests import ForecastRequest
from service.http.clock import moment_of
from service.http.errors import NotReplayable
from service.ledger.records import Record
from service.models.choice import Choice
from volatility.errors import NoHistory, UnknownAsset, UnknownModel, UnknownVersion

# What a replay must tell to the last bit. The rest of an answer is what was known of the model when
# it was given, and of the time since its history ended.
_MADE_AGAIN = (
    "forecast_id",
    "asset",
    "model",
    "model_sha256",
    "as_of",
    "target_date",
    "horizon",
    "measure",
    "point",
    "missing_sessions",
    "rv",
    "volatility",
    "volatility_annualized",
    "quantiles",
    "calibration",
    "diagnostics",
)


class Replayed(NamedTuple):
    """A forecast that was made again.

    Parameters
    ----------
    answer : the new one, as it was given then but for what has become known since.
    differences : names of fields that are not the same bit for bit.
    """

    answer: Mapping[str, Any]
    differences: tuple[str, ...]


def replay(record: Record, questions: Questions, holdings: Holdings) -> Replayed:
    """Make a recorded forecast again.

    Parameters
    ----------
    record : it.
    questions : of a service without a policy on histories: what was answered is answered again.
    holdings : the held history, behind which is what it replaced.

    Raises
    ------
    NotReplayable : the bars were deleted, or the version was.
    """
    past = PastHoldings(holdings, record.known_at)
    before = from_json(record.answer)
    try:
        reading = ClockReading(moment_of(record.issued_at), past)
        asked = questions.of(_request(record, before), reading, _choice(record, questions))
    except (NoHistory, UnknownAsset, UnknownModel, UnknownVersion, ArtifactRefused) as error:
        raise _gone(record, str(error)) from error
    assert isinstance(asked, Question)
    issued = forecast(asked)
    assert isinstance(issued, IssuedForecast)
    after = from_json(encode(issued))
    return Replayed(after, _differences(before, after))


def _choice(record: Record, questions: Questions) -> Choice:
    of_record = (record.asset, record.model, record.model_version)
    return questions.versions.choice(*of_record, record.model_sha256)


def _request(record: Record, answer: Mapping[str, Any]) -> ForecastRequest:
    asked = {
        "asset": record.asset,
        "model": record.model,
        "model_version": record.model_version,
        "horizon": record.horizon,
        "levels": tuple(it["level"] for it in answer["intervals"]),
        "quantiles": tuple(it["probability"] for it in answer.get("quantiles", ())),
    }
    if record.asked_as_of is not None:
        asked["as_of"] = str(record.asked_as_of)
    return ForecastRequest.model_validate(asked)


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    # Its numbers, of which records from before have fewer; the date that it is told by is none.
    numbers = [name for name in before["calibration"] if name != "through"]
    before, after = (
        {**it, "calibration": {name: it["calibration"].get(name) for name in numbers}}
        for it in (before, after)
    )
    found = [it for it in _MADE_AGAIN if before.get(it) != after.get(it)]
    bounds = [[(it["level"], it["rv"]) for it in told["intervals"]] for told in (before, after)]
    return (*found, *(() if bounds[0] == bounds[1] else ("intervals",)))


def _gone(record: Record, reason: str) -> NotReplayable:
    return NotReplayable(
        f"the forecast {record.forecast_id} cannot be made again: {reason}",
        field="forecast_id",
        found=record.forecast_id,
        needed="the bars and the version that it was made from",
    )
