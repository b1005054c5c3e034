"""``GET /hurst/{asset}`` and ``POST /hurst``."""

import numpy as np
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from models_store import ArtifactRefused
from service.assets.holdings import HoldingsDep, known_asset
from service.http.bodies import BodyRoute
from service.http.errors import BodyTooLarge, InvalidRequest, MalformedJson, UnsupportedMediaType
from service.http.json import to_date
from service.http.problems import problems
from service.hurst.reports import HurstReportsDep
from service.hurst.schemas import EstimateAnswer, HurstAnswer, HurstRequest, PointAnswer
from service.models.catalogue import CatalogueDep
from volatility.arrays import FloatArray
from volatility.errors import (
    HistoryTooShort,
    ImplausibleUnit,
    InvalidInput,
    InvalidSeries,
    NoHistory,
    UnknownAsset,
    UnknownMeasure,
)
from volatility.hurst import HurstEstimate, HurstReport, report
from volatility.plausibility import check_series
from volatility.series import DatedSeries, RealizedSeries

router = APIRouter(prefix="/hurst", tags=["hurst"], route_class=BodyRoute)


@router.get(
    "/{asset}",
    responses=problems(UnknownAsset, NoHistory, HistoryTooShort, ArtifactRefused),
)
def hurst_of_asset(
    asset: str,
    holdings: HoldingsDep,
    catalogue: CatalogueDep,
    reports: HurstReportsDep,
) -> HurstAnswer:
    """Examine the log volatility of a held asset with every estimator."""
    known_asset(asset, holdings, catalogue)
    held = holdings.get(asset)
    return _answer(reports.report(held), held.series(), asset)


@router.post(
    "",
    responses=problems(
        MalformedJson,
        BodyTooLarge,
        UnsupportedMediaType,
        InvalidRequest,
        InvalidSeries,
        ImplausibleUnit,
        UnknownMeasure,
        HistoryTooShort,
    ),
)
async def hurst_of_series(body: HurstRequest) -> HurstAnswer:
    """Examine a series of the request with every estimator."""
    return _answer(await run_in_threadpool(_report, body), None, None)


def _report(body: HurstRequest) -> HurstReport:
    try:
        return report(_log_volatility(body), measure=body.measure, intraday_nobs=body.intraday_nobs)
    except InvalidInput as error:
        if error.field == "log_volatility" and body.rv is not None:
            raise error.with_field("rv") from None
        raise


def _log_volatility(body: HurstRequest) -> FloatArray:
    if body.log_volatility is not None:
        return np.array(body.log_volatility, dtype=np.float64)
    series = RealizedSeries(np.array(body.rv, dtype=np.float64), body.measure or "unknown")
    check_series(series)
    return 0.5 * series.log_rv


def _answer(found: HurstReport, series: DatedSeries | None, asset: str | None) -> HurstAnswer:
    return HurstAnswer(
        asset=asset,
        as_of=None if series is None else to_date(series.dates[-1]),
        nobs=found.nobs,
        measure=found.measure,
        estimates=[_estimate(estimate) for estimate in found.estimates],
        hurst=found.hurst,
        headline_estimator=found.headline_estimator,
        upper_bound=found.upper_bound,
        verdict=found.verdict,
        reason=found.reason,
        warnings=list(found.warnings),
    )


def _estimate(estimate: HurstEstimate) -> EstimateAnswer:
    return EstimateAnswer(
        estimator=estimate.estimator,
        hurst=estimate.hurst,
        standard_error=estimate.standard_error,
        interval=None if estimate.interval is None else list(estimate.interval),
        level=estimate.level,
        bias_at_estimate=estimate.bias_at_estimate,
        fit_r_squared=estimate.fit_r_squared,
        points=[
            PointAnswer(scale=point.scale, value=point.value, corrected=point.corrected)
            for point in estimate.points
        ],
        reason=estimate.reason,
    )
