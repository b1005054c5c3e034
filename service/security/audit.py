"""Lines of the log about what was changed, and by whom."""

from typing import Any

import structlog
from starlette.requests import Request

from service.http.middleware import REQUEST_ID
from service.security.guard import KEY, address_of
from service.security.keys import ApiKey

# Whatever the level of the log is: what was changed is to be known afterwards.
log = structlog.wrap_logger(None, wrapper_class=structlog.BoundLogger)


def audited(request: Request, action: str, **what: Any) -> None:
    """Write down that a request has changed something."""
    key: ApiKey | None = request.scope.get(KEY)
    log.info(
        "audit",
        action=action,
        key=key.id if key else None,
        name=key.name if key else None,
        client=address_of(request.scope),
        request_id=request.scope.get(REQUEST_ID),
        **what,
    )


def sender(request: Request) -> str:
    """Id of the key that a request was let in by; empty where none is needed."""
    key: ApiKey | None = request.scope.get(KEY)
    return key.id if key else ""
