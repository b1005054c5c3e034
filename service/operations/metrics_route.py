"""``GET /metrics``."""

from fastapi import APIRouter
from starlette.responses import Response

from service.dependencies import ServicesDep
from service.operations.metrics import Metrics

router = APIRouter(tags=["metrics"])


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(services: ServicesDep) -> Response:
    """Everything that is counted, in the Prometheus text format."""
    holdings, now = services.holdings, services.clock()
    found = ((asset, holdings.find(asset)) for asset in holdings.assets())
    stale = {asset: held.stale_sessions(now) for asset, held in found if held}
    services.metrics.set_staleness({asset: it for asset, it in stale.items() if it is not None})
    return Response(services.metrics.exposition(), media_type=Metrics.content_type)
