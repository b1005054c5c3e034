"""``GET /compare/{asset}/losses``: when models won and lost against one of them."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from typing_extensions import TypedDict

from models_store import ArtifactRefused
from models_store.comparison import JUDGED, losses_of
from service.http.bodies import StrictRoute
from service.http.errors import ComparisonUnavailable, InvalidRequest
from service.http.fields import MAX_NAME, AssetName, Horizon, NamePath, Nobs
from service.http.problems import problems
from service.models.catalogue import Catalogue, CatalogueDep
from volatility.errors import RoughcastError, UnknownAsset, UnknownModel, UnsupportedHorizon
from volatility.evaluation.compare import cumulated_differences

router = APIRouter(tags=["compare"], route_class=StrictRoute)

_USUAL = 8  # models of one answer, if no other number is asked for


class CumulatedAnswer(TypedDict):
    """One model's losses less those of the other, summed up to each date."""

    model: Annotated[str, Field(examples=["log_har"])]
    in_confidence_set: Annotated[
        bool, Field(description="As in `GET /compare/{asset}`: it cannot be told from the best.")
    ]
    cumulated: Annotated[
        list[float], Field(description="Of QLIKE; falling where the model is better.")
    ]


class LossDifferencesAnswer(TypedDict):
    """When models won and lost; ``dates`` and each ``cumulated`` run in parallel."""

    asset: AssetName
    horizon: Horizon
    against: Annotated[str, Field(description="The model whose losses are taken off.")]
    nobs: Nobs
    dates: Annotated[list[date], Field(description="Target dates of the test part.")]
    models: Annotated[list[CumulatedAnswer], Field(description="The lowest QLIKE first.")]


@router.get(
    "/compare/{asset}/losses",
    operation_id="get_cumulative_losses",
    responses=problems(
        InvalidRequest,
        UnknownAsset,
        UnknownModel,
        UnsupportedHorizon,
        ArtifactRefused,
        ComparisonUnavailable,
    ),
)
async def losses(
    asset: NamePath,
    catalogue: CatalogueDep,
    horizon: Annotated[int, Query(description="Sessions ahead.")] = JUDGED,
    against: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=MAX_NAME,
            description="Any model compared; the baseline, HAR, if left out.",
        ),
    ] = None,
    limit: Annotated[
        int, Query(ge=1, le=100, description="At most so many models: those of the lowest QLIKE.")
    ] = _USUAL,
) -> LossDifferencesAnswer:
    """Sum up each model's losses less those of one of them, date by date."""
    return await run_in_threadpool(_answer, asset, catalogue, horizon, against, limit)


def _answer(
    asset: str, catalogue: Catalogue, horizon: int, against: str | None, limit: int
) -> LossDifferencesAnswer:
    result = catalogue.comparison(asset, horizon).result
    if isinstance(result, RoughcastError):
        raise ComparisonUnavailable(
            f"the models of {asset} cannot be compared: {result}", found=result.code
        ) from result
    compared = losses_of(catalogue.shelf.evidence(asset), result)
    reference = against or result.baseline
    cumulated = cumulated_differences(compared, reference)
    rows = [row for row in result.rows if row.model != reference][:limit]
    return LossDifferencesAnswer(
        asset=asset,
        horizon=horizon,
        against=reference,
        nobs=result.nobs,
        dates=compared.aligned.target_dates[compared.scored].tolist(),
        models=[
            CumulatedAnswer(
                model=row.model,
                in_confidence_set=row.in_confidence_set,
                cumulated=cumulated[row.model].tolist(),
            )
            for row in rows
        ],
    )
