"""``GET /news-impact/{asset}`` and ``POST /news-impact``: their routes and schemas."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from typing_extensions import TypedDict

from service.assets.schemas import MAX_CALENDAR
from service.forecasts.answering import lane_for
from service.forecasts.news_impact import NewsImpact, news_impact
from service.forecasts.query import Questions
from service.forecasts.refused import BODY_ERRORS, FORECAST_ERRORS
from service.forecasts.requests import ForecastRequest, HistoryInput
from service.http.bodies import BodyRoute
from service.http.errors import InvalidRequest, Overloaded
from service.http.fields import (
    MAX_NAME,
    Kind,
    Measure,
    ModelQuery,
    NamePath,
    RequestBody,
    Rv,
    VolatilityAnnualized,
)
from service.http.lanes import lanes_of
from service.http.problems import problems
from service.models.catalogue import AUTO

router = APIRouter(tags=["forecast"], route_class=BodyRoute)


class NewsImpactRequest(RequestBody):
    """Whose news: an asset that is held, or any with its daily bars."""

    asset: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=MAX_NAME,
            description="As in `POST /forecast`.",
            examples=["SPX"],
        ),
    ] = None
    model: Annotated[
        str, Field(min_length=1, max_length=MAX_NAME, description="As in `POST /forecast`.")
    ] = AUTO
    calendar: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=MAX_CALENDAR,
            description="As in `POST /forecast`.",
            examples=["XNYS"],
        ),
    ] = None
    kind: Annotated[Kind | None, Field(description="As in `POST /forecast`.")] = None
    history: Annotated[
        HistoryInput | None, Field(description="Daily `bars`; left out, the held history.")
    ] = None


class ImpactPointAnswer(TypedDict):
    """What a return of the last session would have made of the forecast."""

    log_return: Annotated[float, Field(description="Of the last session, decimal.")]
    rv: Rv
    volatility_annualized: VolatilityAnnualized


class NewsImpactAnswer(TypedDict):
    """The forecast of the next session as a function of the last one's return."""

    asset: Annotated[str | None, Field(description="As asked.")]
    model: Annotated[str, Field(examples=["combination"])]
    model_version: int
    model_sha256: str
    measure: Measure
    session: Annotated[date, Field(description="The last session, whose return is varied.")]
    target_date: Annotated[date | None, Field(description="The session that is forecast.")]
    expected_volatility_annualized: Annotated[
        float,
        Field(description="Forecast of `session`, made the session before; decimal per year."),
    ]
    log_return: Annotated[float, Field(description="Of the last session, as it really was.")]
    points: Annotated[
        list[ImpactPointAnswer],
        Field(
            description="By return, from -4 to 4 times the volatility that was expected. Each "
            "return stands for the session that a Brownian path of that volatility is expected to "
            "make: it opens at the close before, and its range is the expected one."
        ),
    ]
    degraded_reason: Annotated[
        str | None, Field(description="Why another model than the one asked for forecasts.")
    ]


@router.get(
    "/news-impact/{asset}",
    operation_id="get_news_impact",
    responses=problems(InvalidRequest, Overloaded, *FORECAST_ERRORS),
)
async def news_impact_held(
    asset: NamePath,
    request: Request,
    model: ModelQuery = AUTO,
) -> NewsImpactAnswer:
    """Tell what the last session's return did to the forecast, and what others would have done."""
    return await _answered(ForecastRequest(asset=asset, model=model, levels=()), request)


@router.post(
    "/news-impact", operation_id="news_impact", responses=problems(*BODY_ERRORS, *FORECAST_ERRORS)
)
async def news_impact_of_history(body: NewsImpactRequest, request: Request) -> NewsImpactAnswer:
    """Tell the same of daily bars in the request."""
    return await _answered(ForecastRequest(levels=(), **dict(body)), request)


async def _answered(asked: ForecastRequest, request: Request) -> NewsImpactAnswer:
    questions: Questions = request.scope["state"]["questions"]
    lane = lane_for(asked, lanes_of(request.scope), questions)
    return _answer(await lane.run(news_impact, asked, questions))


def _answer(found: NewsImpact) -> NewsImpactAnswer:
    manifest = found.model.manifest
    return NewsImpactAnswer(
        asset=found.asset,
        model=manifest.model,
        model_version=found.model.version,
        model_sha256=found.model.sha256,
        measure=manifest.measure,
        session=found.session,
        target_date=found.target_date,
        expected_volatility_annualized=found.expected.volatility_annualized,
        log_return=found.log_return,
        points=[
            ImpactPointAnswer(
                log_return=it.log_return,
                rv=it.rv,
                volatility_annualized=it.volatility_annualized,
            )
            for it in found.points
        ],
        degraded_reason=found.degraded_reason,
    )
