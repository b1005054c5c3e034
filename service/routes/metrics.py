"""``GET /metrics``."""

from fastapi import APIRouter
from starlette.responses import Response

from service.dependencies import ServicesDep
from service.metrics import Metrics

router = APIRouter(tags=["metrics"])


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(services: ServicesDep) -> Response:
    """Everything that is counted, in the Prometheus text format."""
    holdings, now = services.holdings, services.clock()
    stale = {asset: holdings.get(asset).stale_sessions(now) for asset in holdings.assets()}
    services.metrics.set_staleness({asset: it for asset, it in stale.items() if it is not None})
    return Response(services.metrics.exposition(), media_type=Metrics.content_type)
