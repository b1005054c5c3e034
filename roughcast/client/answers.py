"""What a service answers besides forecasts, comparisons and reports of roughness."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd

from roughcast.client.problems import Problem
from roughcast.results.forecast import Forecast

Json = Any


@dataclass(frozen=True)
class Merged:
    """What became of bars that were put.

    Attributes
    ----------
    asset : whose they are.
    added, replaced, unchanged, dropped : how many, of those that were sent.
    bars : that are held now.
    last_session : the newest of them.
    warnings : what is worth knowing, and what was inferred of a new asset.
    """

    asset: str
    added: int
    replaced: int
    unchanged: int
    dropped: int
    bars: int
    last_session: date | None
    warnings: tuple[str, ...]

    @classmethod
    def of_answer(cls, answer: Json) -> "Merged":
        """From what the service answers."""
        last = answer["last_session"]
        return cls(
            asset=answer["asset"],
            added=answer["added"],
            replaced=answer["replaced"],
            unchanged=answer["unchanged"],
            dropped=answer["dropped"],
            bars=answer["bars"],
            last_session=None if last is None else date.fromisoformat(last),
            warnings=tuple(answer["warnings"]),
        )


@dataclass(frozen=True)
class Outcome:
    """What happened after a forecast.

    Attributes
    ----------
    rv : decimal² per day.
    qlike_loss : of the forecast.
    covered : by level, whether the interval held.
    """

    rv: float
    qlike_loss: float
    covered: Mapping[float, bool]


@dataclass(frozen=True)
class Recorded:
    """A forecast that was issued.

    Attributes
    ----------
    forecast : as it was answered.
    issued_at : when.
    live : whether it was issued before the session that it forecasts had closed, and is no replay.
    outcome : None while it is not known.
    """

    forecast: Forecast
    issued_at: datetime
    live: bool
    outcome: Outcome | None

    @classmethod
    def of_answer(cls, answer: Json) -> "Recorded":
        """From what the service answers."""
        told = answer["outcome"]
        outcome = None
        if told is not None:
            covered = {float(level): held for level, held in told["covered"].items()}
            outcome = Outcome(told["rv"], told["qlike_loss"], covered)
        return cls(
            forecast=Forecast.of_answer(answer["answer"]),
            issued_at=datetime.fromisoformat(answer["issued_at"]),
            live=answer["live"],
            outcome=outcome,
        )


@dataclass(frozen=True)
class Replayed:
    """A recorded forecast, made again.

    Attributes
    ----------
    forecast : as it comes out now.
    identical : whether every number is the same.
    differences : where not, in words.
    """

    forecast: Forecast
    identical: bool
    differences: tuple[str, ...]

    @classmethod
    def of_answer(cls, answer: Json) -> "Replayed":
        """From what the service answers."""
        said = tuple(map(str, answer["differences"]))
        return cls(Forecast.of_answer(answer["answer"]), answer["identical"], said)


@dataclass(frozen=True)
class Health:
    """How a service is.

    Attributes
    ----------
    status : ``ok`` or ``degraded``; where it cannot serve it answers a problem.
    models, assets : how many serve, and are held.
    stale_sessions : by asset, how many have closed since its newest bar, if any.
    warnings : why it is degraded.
    """

    status: str
    models: int
    assets: int
    stale_sessions: Mapping[str, int | None]
    warnings: tuple[str, ...]

    @classmethod
    def of_answer(cls, answer: Json) -> "Health":
        """From what the service answers."""
        return cls(
            status=answer["status"],
            models=answer["models"],
            assets=answer["assets"],
            stale_sessions=dict(answer["stale_sessions"]),
            warnings=tuple(map(str, answer["warnings"])),
        )


def batch(answer: Json) -> list[Forecast | Problem]:
    """Forecasts of a batch, and the problems of items that could not be forecast, in order."""
    return [
        Problem(it["status"], it) if "code" in it else Forecast.of_answer(it)
        for it in answer["items"]
    ]


def bars(answer: Json) -> pd.DataFrame:
    """Bars by date, or by time in UTC where they are shorter than a day."""
    found = pd.DataFrame(answer["bars"], columns=None if answer["bars"] else ["date"])
    name = "timestamp" if "timestamp" in found else "date"
    times = pd.to_datetime(found[name], utc=name == "timestamp")
    return found.drop(columns=name).set_index(pd.DatetimeIndex(times, name=name))


def in_order(pages: list[pd.DataFrame]) -> pd.DataFrame:
    """All pages of bars, the oldest first."""
    return pd.concat(pages).sort_index() if len(pages) > 1 else pages[0]


def models(answer: Json) -> pd.DataFrame:
    """One row a model in service, by asset and model, the model for every asset among them."""
    rows = [*answer["models"]]
    if answer["universal"] is not None:
        rows.append({"asset": None, "model": "universal", **answer["universal"]})
    return pd.DataFrame(rows)


def performance(answer: Json) -> pd.DataFrame:
    """One row a model, with what is worth knowing in ``attrs["warnings"]``."""
    found = pd.DataFrame(answer["models"])
    found.attrs = {"asset": answer["asset"], "warnings": tuple(answer["warnings"])}
    return found
