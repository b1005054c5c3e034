"""What the lifespan made, as dependencies of routes."""

from typing import Any

from fastapi import Depends
from starlette.requests import Request


def from_state(name: str) -> Any:
    """Dependency on what the lifespan put into the state under ``name``.

    It waits for nothing and is asynchronous all the same: FastAPI would run a plain function in
    its thread pool, at a cost above that of a forecast.
    """

    async def read(request: Request) -> Any:
        return request.scope["state"][name]

    read.__name__ = name  # what a message about the dependency calls it
    return Depends(read)
