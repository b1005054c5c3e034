"""``GET /compare/{asset}``."""

from collections.abc import Mapping

from fastapi import APIRouter

from models_store import ArtifactRefused, LoadedModel
from service.dependencies import ServicesDep
from service.http.errors import ComparisonUnavailable
from service.http.json import finite, to_date
from service.http.problems import problems
from service.models.catalogue import AssetComparison, Catalogue
from service.models.comparison_schemas import (
    CompareAnswer,
    CompareRow,
    DieboldMarianoAnswer,
    ExcludedAnswer,
)
from volatility.errors import RoughcastError, UnknownAsset
from volatility.evaluation.compare import ComparisonRow
from volatility.evaluation.diebold_mariano import DieboldMariano

router = APIRouter(tags=["compare"])


@router.get(
    "/compare/{asset}", responses=problems(UnknownAsset, ArtifactRefused, ComparisonUnavailable)
)
async def compare(asset: str, services: ServicesDep) -> CompareAnswer:
    """Compare the models of an asset, out of sample and on the same target dates."""
    catalogue = services.catalogue
    return _answer(asset, catalogue.comparison(asset), catalogue)


def _answer(asset: str, comparison: AssetComparison, catalogue: Catalogue) -> CompareAnswer:
    result = comparison.result
    if isinstance(result, RoughcastError):
        raise ComparisonUnavailable(
            f"the models of {asset} cannot be compared: {result}", found=result.code
        ) from result
    models = catalogue.snapshot.models[asset]
    first, last = result.span
    return CompareAnswer(
        asset=asset,
        measure=comparison.measure,
        horizon=1,
        baseline=result.baseline,
        span=[to_date(first), to_date(last)],
        nobs=result.nobs,
        protocol=comparison.protocol,
        confidence_level=result.confidence_level,
        rows=[_row(row, models[row.model]) for row in result.rows],
        excluded=[
            ExcludedAnswer(model=it.model, version=it.version, reason=it.reason)
            for it in comparison.excluded
        ],
    )


def _row(row: ComparisonRow, model: LoadedModel) -> CompareRow:
    return CompareRow(
        model=row.model,
        version=model.version,
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
        coverage_nobs=row.coverage_nobs,
        diebold_mariano={name: _test(test) for name, test in row.diebold_mariano.items()},
        in_confidence_set=row.in_confidence_set,
        confidence_set_pvalue=finite(row.confidence_set_pvalue),
        information_lag=row.information_lag,
        refit_every=model.manifest.evaluation.refit_every,
    )


def _test(test: DieboldMariano) -> DieboldMarianoAnswer:
    return DieboldMarianoAnswer(statistic=finite(test.statistic), pvalue=finite(test.pvalue))


def _by_level(values: Mapping[float, float]) -> dict[str, float | None]:
    return {str(level): finite(value) for level, value in values.items()}
