"""``GET /compare/{asset}``: its route and its schemas."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import TypedDict

from models_store import ArtifactRefused
from models_store.comparison import JUDGED, AssetComparison
from service.http.bodies import StrictRoute
from service.http.errors import ComparisonUnavailable, InvalidRequest
from service.http.fields import AssetName, Horizon, Measure, NamePath, Nobs
from service.http.json import finite, to_date
from service.http.problems import problems
from service.http.tables import TableQuery, or_table, table, wants_table
from service.models.catalogue import CatalogueDep
from volatility.errors import RoughcastError, UnknownAsset, UnsupportedHorizon
from volatility.evaluation.compare import ComparisonRow
from volatility.evaluation.diebold_mariano import DieboldMariano
from volatility.evaluation.influence import Influence
from volatility.evaluation.intervals import LEVELS
from volatility.names import in_percent

_LEVELS = frozenset(map(str, LEVELS))
_TERCILES = ("low", "middle", "high")  # thirds of the forecasts

router = APIRouter(tags=["compare"], route_class=StrictRoute)

Coverage = Annotated[
    dict[str, float | None],
    Field(
        description="By nominal level: share of target sessions inside the interval given at the "
        "time.",
        examples=[{"0.8": 0.79, "0.95": 0.95}],
    ),
]


class DieboldMarianoAnswer(TypedDict):
    """A test of equal QLIKE; kernel variance of the prewhitened differential, fixed-b p-value."""

    statistic: Annotated[
        float | None, Field(description="Negative where the model of the row is better.")
    ]
    pvalue: Annotated[float | None, Field(description="Two-sided.")]


class InfluenceAnswer(TypedDict):
    """The day that a comparison of two models depends on most."""

    share: Annotated[
        float | None,
        Field(description="Its part of the variance of the loss differential, 0 to 1."),
    ]
    date: Annotated[date | None, Field(description="Null where the losses are the same.")]
    qlike_ratio_without: Annotated[
        float | None, Field(description="`qlike_loss` over the benchmark's, without that day.")
    ]


class CompareRow(TypedDict):
    """How one model did, out of sample."""

    model: Annotated[str, Field(examples=["log_har"])]
    version: Annotated[int, Field(examples=[1])]
    qlike_loss: Annotated[
        float | None, Field(description="Mean of rv/f - log(rv/f) - 1; lower is better.")
    ]
    qlike_ratio: Annotated[
        float | None, Field(description="`qlike_loss` over that of the baseline.")
    ]
    rmse_volatility: Annotated[float | None, Field(description="Of volatility, decimal per day.")]
    mae_volatility: Annotated[float | None, Field(description="Of volatility, decimal per day.")]
    r_squared_log: Annotated[float | None, Field(description="Of log_rv.")]
    correlation_log: Annotated[float | None, Field(description="Of log_rv.")]
    interval_loss_log: Annotated[
        dict[str, float | None],
        Field(description="By nominal level: interval score of log_rv; lower is better."),
    ]
    coverage: Coverage
    coverage_by_tercile: Annotated[
        dict[str, list[float | None]],
        Field(
            description="By nominal level: coverage in the lowest, middle and highest third of "
            "forecasts."
        ),
    ]
    coverage_after_breaks: Annotated[
        dict[str, float | None],
        Field(
            description="By nominal level: coverage in the 60 sessions from each of the five "
            "largest breaks of log_rv on; empty where there are too few sessions to find one."
        ),
    ]
    crps_log: Annotated[
        float | None,
        Field(
            description="Continuous ranked probability score of log_rv, from 20 quantiles; lower "
            "is better."
        ),
    ]
    coverage_nobs: Annotated[int, Field(description="Sessions behind the coverages.")]
    diebold_mariano: Annotated[
        dict[str, DieboldMarianoAnswer], Field(description="By the model tested against.")
    ]
    in_confidence_set: Annotated[
        bool, Field(description="Whether the model may be the best, at the confidence level.")
    ]
    confidence_set_pvalue: float | None
    information_lag: Annotated[
        int | None,
        Field(
            description="Sessions from the newest news in a forecast to its target: 1 for an "
            "honest forecast one session ahead; null where it cannot be told."
        ),
    ]
    qlike_seed_mean: Annotated[
        float | None,
        Field(
            description="`qlike_loss` of one fit alone, on average over the seeds whose mean a "
            "network is; null for other models."
        ),
    ]
    qlike_seed_deviation: Annotated[
        float | None, Field(description="Its standard deviation between seeds; null below two.")
    ]
    influence: Annotated[
        dict[str, InfluenceAnswer],
        Field(
            description="By the model tested against. Where `share` is above 0.5 the comparison "
            "rests on one day."
        ),
    ]
    refit_every: Annotated[
        int, Field(description="Sessions between two fits in the walk-forward.", examples=[22])
    ]


class ExcludedAnswer(TypedDict):
    """A model that is left out, and why."""

    model: str
    version: int | None
    reason: str


class CompareAnswer(TypedDict):
    """Every model of an asset on the same target dates, the lowest QLIKE first."""

    asset: AssetName
    measure: Measure
    horizon: Horizon
    baseline: Annotated[str, Field(description="The model that ratios refer to.")]
    span: Annotated[
        list[date], Field(min_length=2, max_length=2, description="First and last target date.")
    ]
    nobs: Nobs
    protocol: Annotated[str, Field(description="How the forecasts were made and scored.")]
    confidence_level: Annotated[float, Field(description="Of the model confidence set.")]
    spa_pvalue: Annotated[
        dict[str, float | None],
        Field(
            description="By benchmark: of Hansen's test that no other model is better. Small where "
            "the best of them beats the benchmark by more than the best of so many would by luck."
        ),
    ]
    warnings: Annotated[
        dict[str, str],
        Field(description="By model: why its forecasts may stand by the wrong dates."),
    ]
    rows: list[CompareRow]
    excluded: list[ExcludedAnswer]


@router.get(
    "/compare/{asset}",
    operation_id="compare_models",
    response_model=CompareAnswer,
    responses={
        **or_table("asset,horizon,model,qlike_loss,coverage_80\r\nSPX,1,har,0.3137,0.799\r\n"),
        **problems(
            InvalidRequest, UnknownAsset, UnsupportedHorizon, ArtifactRefused, ComparisonUnavailable
        ),
    },
)
async def compare(
    asset: NamePath,
    request: Request,
    catalogue: CatalogueDep,
    horizon: Annotated[int, Query(description="Sessions ahead.")] = JUDGED,
    form: TableQuery = None,
) -> CompareAnswer | Response:
    """Compare the models of an asset, out of sample and on the same target dates.

    The answer is JSON or, by `format` or the header `Accept`, CSV with a row a model.
    """
    if catalogue.is_compared(asset, horizon):
        comparison = catalogue.comparison(asset, horizon)
    else:
        comparison = await run_in_threadpool(catalogue.comparison, asset, horizon)
    answer = _answer(asset, horizon, comparison)
    return table(rows_of(answer)) if wants_table(request, form) else answer


def rows_of(answer: CompareAnswer) -> Iterator[dict[str, object]]:
    """The rows of a comparison: of the models, and of those that are left out, with the reason."""
    first, last = answer["span"]
    shared: dict[str, object] = {
        "asset": answer["asset"],
        "measure": answer["measure"],
        "horizon": answer["horizon"],
        "baseline": answer["baseline"],
        "nobs": answer["nobs"],
        "first_target_date": first,
        "last_target_date": last,
    }
    for row in answer["rows"]:
        warning = answer["warnings"].get(row["model"])
        yield {**shared, **dict(_cells("", row)), "warning": warning}
    for it in answer["excluded"]:
        yield {**shared, "model": it["model"], "version": it["version"], "excluded": it["reason"]}


def _cells(name: str, value: object) -> Iterator[tuple[str, object]]:
    """What a value says, by heading: of several, in ``coverage_80`` or ``influence_har_share``."""
    if isinstance(value, list):
        value = dict(zip(_TERCILES, value, strict=True))
    if not isinstance(value, Mapping):
        yield name, json.dumps(value) if isinstance(value, bool) else value
        return
    for key, own in value.items():
        part = in_percent(float(key)) if key in _LEVELS else key
        yield from _cells(f"{name}_{part}" if name else part, own)


def _answer(asset: str, horizon: int, comparison: AssetComparison) -> CompareAnswer:
    result = comparison.result
    if isinstance(result, RoughcastError):
        raise ComparisonUnavailable(
            f"the models of {asset} cannot be compared: {result}", found=result.code
        ) from result
    first, last = result.span
    return CompareAnswer(
        asset=asset,
        measure=comparison.measure,
        horizon=horizon,
        baseline=result.baseline,
        span=[to_date(first), to_date(last)],
        nobs=result.nobs,
        protocol=comparison.protocol,
        confidence_level=result.confidence_level,
        spa_pvalue={name: finite(pvalue) for name, pvalue in result.spa_pvalue.items()},
        warnings=dict(result.warnings),
        rows=[_row(row, comparison) for row in result.rows],
        excluded=[
            ExcludedAnswer(model=it.model, version=it.version, reason=it.reason)
            for it in comparison.excluded
        ],
    )


def _row(row: ComparisonRow, comparison: AssetComparison) -> CompareRow:
    return CompareRow(
        model=row.model,
        version=comparison.versions[row.model],
        qlike_loss=finite(row.qlike_loss),
        qlike_ratio=finite(row.qlike_ratio),
        rmse_volatility=finite(row.rmse_volatility),
        mae_volatility=finite(row.mae_volatility),
        r_squared_log=finite(row.r_squared_log),
        correlation_log=finite(row.correlation_log),
        interval_loss_log=_by_level(row.interval_loss_log),
        coverage=_by_level(row.coverage),
        coverage_by_tercile={
            str(level): [finite(value) for value in terciles]
            for level, terciles in row.coverage_by_tercile.items()
        },
        coverage_after_breaks=_by_level(row.coverage_after_breaks),
        crps_log=finite(row.crps_log),
        coverage_nobs=row.coverage_nobs,
        diebold_mariano={name: _test(test) for name, test in row.diebold_mariano.items()},
        in_confidence_set=row.in_confidence_set,
        confidence_set_pvalue=finite(row.confidence_set_pvalue),
        information_lag=row.information_lag,
        qlike_seed_mean=finite(row.qlike_seed_mean),
        qlike_seed_deviation=finite(row.qlike_seed_deviation),
        influence={name: _influence(it) for name, it in row.influence.items()},
        refit_every=comparison.refit_every[row.model],
    )


def _influence(influence: Influence) -> InfluenceAnswer:
    return InfluenceAnswer(
        share=finite(influence.share),
        date=None if influence.date is None else to_date(influence.date),
        qlike_ratio_without=finite(influence.qlike_ratio_without),
    )


def _test(test: DieboldMariano) -> DieboldMarianoAnswer:
    return DieboldMarianoAnswer(statistic=finite(test.statistic), pvalue=finite(test.pvalue))


def _by_level(values: Mapping[float, float]) -> dict[str, float | None]:
    return {str(level): finite(value) for level, value in values.items()}
