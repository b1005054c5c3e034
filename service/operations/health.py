"""``GET /health/live`` and ``GET /health/ready``: their routes and schemas."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field
from typing_extensions import TypedDict

from service.assets.holdings import Holdings, HoldingsDep
from service.forecasts.policy import HistoryPolicy
from service.forecasts.readiness import models_ready
from service.http.bodies import StrictRoute
from service.http.clock import ClockDep
from service.http.draining import DrainingDep
from service.http.errors import NotReady, Overloaded
from service.http.lanes import LanesDep
from service.http.problems import problems
from service.http.state import from_state
from service.ledger.live import LiveScorer, LiveScores
from service.models.catalogue import Catalogue, CatalogueDep
from service.models.follower import Follower
from service.models.schemas import RefusedAnswer, refused_answer
from service.operations.store_folder import StoreFolder
from service.operations.trials import HISTORY, Trials

router = APIRouter(prefix="/health", tags=["health"], route_class=StrictRoute)


class LiveAnswer(TypedDict):
    """The process answers."""

    status: Literal["ok"]


class ReadyAnswer(TypedDict):
    """The service can forecast."""

    status: Annotated[
        Literal["ok", "degraded"],
        Field(
            description="`degraded` if anything was refused or is to be warned of: the rest serves."
        ),
    ]
    models: Annotated[int, Field(description="Models in service.")]
    unverified: Annotated[
        int,
        Field(
            description="Those of them that have not been verified yet. Each is before it answers; "
            "after a start it takes some seconds until it is known of all whether one is refused."
        ),
    ]
    assets: Annotated[int, Field(description="Assets with held history.")]
    refused: list[RefusedAnswer]
    not_as_promoted: Annotated[
        int,
        Field(
            description="Models of which another version serves than the store says, or none; "
            "`refused` says why."
        ),
    ]
    store_age_seconds: Annotated[
        float, Field(description="Since the store was last compared with what serves.")
    ]
    stale_sessions: Annotated[
        dict[str, int],
        Field(
            description="Sessions that have closed since the last one held, by asset; none of "
            "one that is up to date."
        ),
    ]
    not_writable: Annotated[
        dict[str, str],
        Field(
            description="Why the `history` or the `store` could not be written when that was last "
            "tried. Without the history bars are refused and forecasts wait to be recorded; a "
            "store may be meant to be read only.",
            examples=[{"history": "the history database is read-only"}],
        ),
    ]
    warnings: list[str]


@router.get("/live", operation_id="health_live")
async def live() -> LiveAnswer:
    """Say that the process answers."""
    return LiveAnswer(status="ok")


@router.get("/ready", operation_id="health_ready", responses=problems(NotReady, Overloaded))
async def ready(
    catalogue: CatalogueDep,
    holdings: HoldingsDep,
    lanes: LanesDep,
    draining: DrainingDep,
    clock: ClockDep,
    policy: Annotated[HistoryPolicy | None, from_state("policy")],
    store_folder: Annotated[StoreFolder, from_state("store_folder")],
    live: Annotated[LiveScorer, from_state("live")],
    follower: Annotated[Follower, from_state("follower")],
    trials: Annotated[Trials, from_state("trials")],
) -> ReadyAnswer:
    """Say whether the service can forecast: a model is verified and the held history answers."""
    number = await models_ready(catalogue, holdings, lanes, draining)
    refusals = catalogue.shelf.refused
    stale = _stale_sessions(holdings, clock())
    faults = {name: fault for name, trial in trials.items() if (fault := trial.fault())}
    warnings = [
        *filter(None, [holdings.doubt]),
        *await store_folder.warnings(),
        *_writing_warnings(faults),
        *_damage_warnings(holdings),
        *_late_warnings(follower),
        *_clock_warnings(holdings, clock()),
        *_stale_warnings(stale, policy),
        *catalogue.standings.problems(),
        *_trial_warnings(catalogue),
        *_live_warnings(live.scores),
    ]
    return ReadyAnswer(
        status="degraded" if refusals or warnings else "ok",
        models=number,
        unverified=catalogue.shelf.unverified,
        assets=len(holdings),
        refused=[refused_answer(refusal) for refusal in refusals],
        not_as_promoted=len(catalogue.shelf.not_as_promoted),
        store_age_seconds=round(follower.age, 1),
        stale_sessions=stale,
        not_writable=faults,
        warnings=warnings,
    )


def _trial_warnings(catalogue: Catalogue) -> list[str]:
    return [
        f"which version of {asset}/{model} is on trial is not known: {reason}"
        for (asset, model), reason in sorted(catalogue.on_trial.faults.items())
    ]


def _writing_warnings(faults: dict[str, str]) -> list[str]:
    fault = faults.get(HISTORY)
    return [f"bars and forecasts cannot be written down: {fault}"] if fault else []


def _late_warnings(follower: Follower) -> list[str]:
    late = f"the store has not been compared with what serves for {follower.age:.0f} seconds"
    return [*filter(None, [follower.doubt, late if follower.is_late else None])]


def _stale_sessions(holdings: Holdings, now: datetime) -> dict[str, int]:
    found = ((asset, holdings.find(asset)) for asset in holdings.assets())
    stale = ((asset, held.stale_sessions(now)) for asset, held in found if held)
    return {asset: number for asset, number in stale if number}


def _stale_warnings(stale: dict[str, int], policy: HistoryPolicy | None) -> list[str]:
    """Which histories are not forecast from, since the operator allows none so old."""
    if policy is None or policy.most_stale is None:
        return []
    return [
        f"the history of {asset} is {number} sessions old; at most {policy.most_stale} are allowed"
        for asset, number in stale.items()
        if number > policy.most_stale
    ]


def _live_warnings(scores: LiveScores) -> list[str]:
    """Which live forecasts are not what was promised."""
    found = []
    for (asset, horizon), performances in sorted(scores.performances.items()):
        for it in performances:
            track = it.scored.track
            found += [
                f"live forecasts of version {track.version} of {asset}/{track.model}, {horizon} "
                f"ahead, are not what was promised: {watched}, {alarm.raised[-1]}"
                for watched, alarm in it.alarms.items()
                if alarm.active
            ]
    return found


def _damage_warnings(holdings: Holdings) -> list[str]:
    found = ((asset, holdings.find(asset)) for asset in holdings.assets())
    return [
        f"the bars of {asset} are damaged: {it.damage}" for asset, it in found if it and it.damage
    ]


def _clock_warnings(holdings: Holdings, now: datetime) -> list[str]:
    found = (holdings.find(asset) for asset in holdings.assets())
    doubts = (held.doubt_of_clock(now) for held in found if held)
    return list(dict.fromkeys(doubt for doubt in doubts if doubt))
