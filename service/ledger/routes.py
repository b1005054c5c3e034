"""``GET /forecasts/{forecast_id}``, its replay, and ``GET /performance``, of an asset or of all."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic_core import from_json

from models_store.names import InvalidName
from service.http.bodies import StrictRoute
from service.http.clock import moment_of
from service.http.errors import (
    DatabaseUnavailable,
    Fault,
    InvalidRequest,
    NotReplayable,
    Overloaded,
    UnknownForecast,
)
from service.http.fields import Day, NamePath
from service.http.json import finite, to_date
from service.http.lanes import LanesDep
from service.http.problems import problems
from service.http.state import from_state
from service.ledger.live import LiveScorer
from service.ledger.performance import WATCHED_LEVEL, Alarm, IntervalPerformance, Performance
from service.ledger.reading import Ledger
from service.ledger.schemas import (
    AgainstAnswer,
    AlarmAnswer,
    IntervalPerformanceAnswer,
    LiveAsset,
    LivePerformanceAnswer,
    LiveRow,
    OutcomeAnswer,
    PerformanceAnswer,
    PerformanceRow,
    RecordAnswer,
    ReplayAnswer,
)
from service.ledger.scoring import Scored
from service.ledger.shadows import BENCHMARKS
from volatility.errors import NoHistory

router = APIRouter(tags=["ledger"], route_class=StrictRoute)

LedgerDep = Annotated[Ledger, from_state("ledger")]
LiveScorerDep = Annotated[LiveScorer, from_state("live")]
HorizonQuery = Annotated[int, Query(ge=1, le=10_000, description="Sessions ahead.")]
ForecastIdPath = Annotated[
    str, Path(pattern="^[0-9a-f]{32}$", description="`forecast_id` of an answer.")
]
_ERRORS = (InvalidRequest, UnknownForecast, DatabaseUnavailable, Overloaded)
_NO_OUTCOME = "the outcome is not known: a session of it is not held"


@router.get(
    "/forecasts/{forecast_id}", operation_id="get_recorded_forecast", responses=problems(*_ERRORS)
)
async def recorded(forecast_id: ForecastIdPath, ledger: LedgerDep, lanes: LanesDep) -> RecordAnswer:
    """Tell a forecast from held history as it was issued, and what happened."""
    return await lanes.ledger.run(_recorded, forecast_id, ledger)


@router.get(
    "/forecasts/{forecast_id}/replay",
    operation_id="replay_recorded_forecast",
    responses=problems(*_ERRORS, NotReplayable),
)
async def replayed(forecast_id: ForecastIdPath, ledger: LedgerDep, lanes: LanesDep) -> ReplayAnswer:
    """Make a forecast again, from the bars as they were known and the version that answered."""
    found = await lanes.ledger.run(ledger.replay, forecast_id)
    return ReplayAnswer(
        forecast_id=forecast_id,
        identical=not found.differences,
        differences=list(found.differences),
        answer=found.answer,  # type: ignore[typeddict-item]
    )


@router.get("/performance", operation_id="get_live_performance", responses=problems(InvalidRequest))
async def live(live: LiveScorerDep, horizon: HorizonQuery = 1) -> LivePerformanceAnswer:
    """Tell how the models of all assets do live, as of the newest bars.

    It is found out behind the answers, within seconds of new bars; assets without live forecasts
    are left out.
    """
    scores, doubt = live.scores.performances, live.doubt
    found = {asset: rows for (asset, ahead), rows in [*scores.items()] if ahead == horizon and rows}
    return LivePerformanceAnswer(
        horizon=horizon,
        assets=[
            LiveAsset(asset=asset, models=[_live_row(it) for it in rows])
            for asset, rows in sorted(found.items())
        ],
        warnings=[doubt] if doubt else [],
    )


@router.get(
    "/performance/{asset}",
    operation_id="get_performance",
    responses=problems(InvalidRequest, InvalidName, NoHistory, DatabaseUnavailable, Overloaded),
)
async def performance(
    asset: NamePath,
    ledger: LedgerDep,
    lanes: LanesDep,
    horizon: HorizonQuery = 1,
    start: Annotated[
        Day | None, Query(description="First target date; three years before `end` if left out.")
    ] = None,
    end: Annotated[Day | None, Query(description="Last target date.")] = None,
) -> PerformanceAnswer:
    """Tell how an asset's models did live: forecasts issued before their target had closed."""
    if start is not None and end is not None and end < start:
        raise _backwards(start, end)
    found = await lanes.ledger.run(ledger.performance, asset, horizon, start, end)
    return PerformanceAnswer(
        asset=asset,
        horizon=horizon,
        models=[_row(it) for it in found],
        warnings=_warnings(ledger, asset, found),
    )


def _recorded(forecast_id: str, ledger: Ledger) -> RecordAnswer:
    record = ledger.find(forecast_id)
    scored = ledger.outcome(record)
    outcome = _outcome(scored) if scored is not None and len(scored.rv) else None
    why_none = _NO_OUTCOME if scored is not None else f"{record.asset} is held no longer"
    return RecordAnswer(
        forecast_id=record.forecast_id,
        asset=record.asset,
        issued_at=moment_of(record.issued_at),
        live=record.is_live,
        role=record.role,
        last_closed=record.last_closed,
        asked_as_of=record.asked_as_of,
        known_at={asset: moment_of(it) for asset, it in record.known_at.items()},
        answer=from_json(record.answer),
        outcome=outcome,
        warnings=[] if outcome else [why_none],
    )


def _outcome(scored: Scored) -> OutcomeAnswer:
    [rv], bounds = scored.rv.tolist(), scored.track.bounds
    return OutcomeAnswer(
        rv=rv,
        qlike_loss=float(scored.losses[0]),
        covered={str(level): bool(it[0, 0] <= rv <= it[0, 1]) for level, it in bounds.items()},
    )


def _row(found: Performance) -> PerformanceRow:
    scored, track = found.scored, found.scored.track
    dates = track.target_dates
    return PerformanceRow(
        model=track.model,
        version=track.version,
        model_sha256=track.sha256,
        measure=track.measure,
        nobs=len(dates),
        pending=scored.pending,
        missing=scored.missing,
        start=to_date(dates[0]) if len(dates) else None,
        end=to_date(dates[-1]) if len(dates) else None,
        qlike_loss=found.qlike_loss,
        promised_qlike=found.promised_qlike,
        bias=found.bias,
        against={
            name: AgainstAnswer(
                nobs=it.nobs, qlike_ratio=finite(it.qlike_ratio), dm_pvalue=it.dm_pvalue
            )
            for name, it in found.against.items()
        },
        intervals=[_interval(it) for it in found.intervals],
        alarms={name: _alarm(it) for name, it in found.alarms.items()},
    )


def _live_row(found: Performance) -> LiveRow:
    track = found.scored.track
    interval = next((it for it in found.intervals if it.level == WATCHED_LEVEL), None)
    return LiveRow(
        model=track.model,
        version=track.version,
        nobs=len(track.target_dates),
        end=to_date(track.target_dates[-1]) if len(track.target_dates) else None,
        coverage=interval.coverage if interval else None,
        coverage_promised=interval.promised if interval else None,
        alarms=[name for name, it in found.alarms.items() if it.active],  # type: ignore[misc]
    )


def _interval(found: IntervalPerformance) -> IntervalPerformanceAnswer:
    return IntervalPerformanceAnswer(
        level=found.level,
        nobs=found.nobs,
        coverage=found.coverage,
        promised=found.promised,
        interval_loss=found.loss,
    )


def _alarm(found: Alarm) -> AlarmAnswer:
    return AlarmAnswer(
        promised=found.promised,
        active=found.active,
        raised=list(found.raised),
        strength=found.strength,
    )


def _backwards(start: date, end: date) -> InvalidRequest:
    needed = f"a date from {start} on"
    detail = f"end: {end} is before start, {start}"
    return InvalidRequest([Fault("invalid_value", detail, "end", str(end), needed)])


def _warnings(ledger: Ledger, asset: str, found: list[Performance]) -> list[str]:
    doubts = [ledger.holdings.doubt] if ledger.holdings.doubt is not None else []
    if not found:
        doubts.append("no live forecast of these dates is recorded, so many sessions ahead")
    elif not {*BENCHMARKS} & {*ledger.catalogue.models(asset)}:
        doubts.append(f"no benchmark: {asset} has no {' or '.join(BENCHMARKS)} of its own")
    return doubts
