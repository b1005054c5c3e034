"""``GET /hurst/{asset}`` and ``POST /hurst``."""

import numpy as np
from fastapi import APIRouter
from numpy.typing import NDArray

from models_store import ArtifactRefused
from service.assets.holdings import HoldingsDep, known_asset
from service.http.bodies import BodyRoute
from service.http.errors import (
    BodyTooLarge,
    BodyTooSlow,
    HistoryDamaged,
    InvalidRequest,
    MalformedJson,
    Overloaded,
    UnsupportedMediaType,
)
from service.http.fields import NamePath
from service.http.json import to_date
from service.http.lanes import LanesDep
from service.http.problems import problems
from service.hurst.reports import HurstReportsDep
from service.hurst.schemas import (
    CalendarAnswer,
    ComparisonAnswer,
    EstimateAnswer,
    FactorsAnswer,
    FractionalAnswer,
    HarAnswer,
    HurstAnswer,
    HurstRequest,
    PointAnswer,
)
from service.models.catalogue import CatalogueDep
from volatility.arrays import FloatArray
from volatility.calendars import get_calendar
from volatility.errors import (
    HistoryTooShort,
    ImplausibleUnit,
    InvalidInput,
    InvalidSeries,
    NoHistory,
    OutsideCalendar,
    UnknownAsset,
    UnknownCalendar,
    UnknownMeasure,
)
from volatility.hurst import FactorsFit, HurstEstimate, HurstReport, ScaleComparison, report
from volatility.hurst.estimate import about_rv
from volatility.plausibility import check_series
from volatility.seasonality import day_classes
from volatility.series import DatedSeries, RealizedSeries

router = APIRouter(prefix="/hurst", tags=["hurst"], route_class=BodyRoute)


@router.get(
    "/{asset}",
    operation_id="get_hurst",
    responses=problems(
        InvalidRequest, UnknownAsset, NoHistory, HistoryDamaged, HistoryTooShort, ArtifactRefused
    ),
)
def hurst_of_asset(
    asset: NamePath,
    holdings: HoldingsDep,
    catalogue: CatalogueDep,
    reports: HurstReportsDep,
) -> HurstAnswer:
    """Examine the log volatility of a held asset with every estimator."""
    known_asset(asset, holdings, catalogue)
    held = holdings.get(asset)
    try:
        found = reports.report(held)
    except InvalidInput as error:
        raise error.with_field("asset") from None
    answer = _answer(found, held.series(), asset)
    if holdings.doubt is not None:
        answer["warnings"].append(holdings.doubt)
    return answer


@router.post(
    "",
    operation_id="hurst",
    responses=problems(
        MalformedJson,
        BodyTooLarge,
        UnsupportedMediaType,
        InvalidRequest,
        InvalidSeries,
        ImplausibleUnit,
        UnknownMeasure,
        UnknownCalendar,
        OutsideCalendar,
        HistoryTooShort,
        Overloaded,
        BodyTooSlow,
    ),
)
async def hurst_of_series(body: HurstRequest, lanes: LanesDep) -> HurstAnswer:
    """Examine a series of the request with every estimator."""
    return _answer(await lanes.work.run(_report, body), None, None)


def _report(body: HurstRequest) -> HurstReport:
    try:
        path, classes = _path(body)
        return report(
            path,
            measure=body.measure,
            intraday_nobs=body.intraday_nobs,
            day_classes=classes,
        )
    except InvalidInput as error:
        if body.rv is None:
            raise
        raise about_rv(error, np.array(body.rv)) from None


def _path(body: HurstRequest) -> tuple[FloatArray, NDArray[np.int64] | None]:
    """Log volatility, and the class of each session where dates are given."""
    if body.log_volatility is not None:
        return np.array(body.log_volatility, dtype=np.float64), None
    rv, measure = np.array(body.rv, dtype=np.float64), body.measure or "unknown"
    if body.dates is None or body.calendar is None:
        series = RealizedSeries(rv, measure)
        check_series(series)
        return 0.5 * series.log_rv, None
    dated = DatedSeries(rv, measure, dates=np.array(body.dates, dtype="datetime64[D]"))
    calendar = get_calendar(body.calendar)
    check_series(dated, calendar)
    return 0.5 * dated.log_rv, day_classes(dated.dates, calendar)


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
        comparison=_comparison(found.comparison),
        calendar=None
        if found.calendar is None
        else CalendarAnswer(effects=found.calendar.by_class(), share=found.calendar.share),
        weekly_cycle=found.weekly_cycle,
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
            PointAnswer(
                scale=point.scale,
                value=point.value,
                corrected=point.corrected,
                fitted=estimate.fitted(point.scale),
            )
            for point in estimate.points
        ],
        reason=estimate.reason,
    )


def _comparison(found: ScaleComparison) -> ComparisonAnswer:
    noise, fractional, har = found.noise, found.fractional, found.har
    return ComparisonAnswer(
        noise_bounds=[noise.least, noise.most if noise.known else None],
        declared_misfit=found.declared_misfit,
        fractional=FractionalAnswer(
            log_likelihood=fractional.log_likelihood,
            hurst=fractional.hurst,
            reversion=fractional.reversion,
            variance=fractional.variance,
            noise_variance=fractional.noise_variance,
        ),
        one_factor=_factors(found.one_factor),
        two_factors=_factors(found.two_factors),
        har=HarAnswer(
            log_likelihood=har.log_likelihood,
            coefficients=list(har.coefficients),
            variance=har.variance,
            noise_variance=har.noise_variance,
        ),
        over_one_factor=found.over_one_factor,
        over_two_factors=found.over_two_factors,
        over_har=found.over_har,
        margin=found.margin,
    )


def _factors(fit: FactorsFit) -> FactorsAnswer:
    return FactorsAnswer(
        log_likelihood=fit.log_likelihood,
        reversion=list(fit.reversion),
        variance=list(fit.variance),
        noise_variance=fit.noise_variance,
    )
