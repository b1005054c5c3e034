"""A forecast takes the path that docs/architecture.md draws, through few modules."""

import asyncio
import json
import re
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from starlette.types import Message

from service.app import create_app
from service.settings import Settings
from tests.models_store.artifacts import make_series
from tests.service.worlds import ASSET, bars_of, clock, json_bars

PAGE = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text()
SECTION = PAGE.split("\n## The path of a forecast\n")[1].split("\n## ")[0]
STEPS = re.findall(r"^\d+\. `([\w.]+):([\w.]+)`", SECTION, re.M)
ROOMS = ("service", "models_store", "volatility")
MOST_MODULES = 23


class Trace:
    """Functions of ours in the order in which each is first entered."""

    def __init__(self) -> None:
        self.entered: dict[tuple[str, str], None] = {}

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        module = frame.f_globals.get("__name__", "")
        if event == "call" and module.split(".")[0] in ROOMS:
            self.entered[module, frame.f_code.co_qualname] = None


@pytest.fixture
def trace(settings: Settings) -> Trace:
    """Of a request with bars, the second of its kind."""
    bars = json_bars(bars_of(make_series()))
    content = json.dumps({"asset": ASSET, "model": "har", "history": {"bars": bars}}).encode()
    trace = Trace()

    async def follow() -> None:
        app = create_app(settings, clock)
        async with app.router.lifespan_context(app) as state:
            await post(app, dict(state or {}), content)
            sys.setprofile(trace)
            await post(app, dict(state or {}), content)
            sys.setprofile(None)

    asyncio.run(follow())
    return trace


async def post(app: Any, state: dict[str, Any], content: bytes) -> None:
    async def receive() -> Message:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Message) -> None:
        assert message.get("status", 200) == 200

    headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/forecast", "headers": headers}
    await app(scope | {"query_string": b"", "state": state}, receive, send)


def test_the_path_is_the_one_on_the_page(trace: Trace) -> None:
    assert len(STEPS) == 11
    entered = list(trace.entered)
    places = [entered.index(step) for step in STEPS]
    assert places == sorted(places)


def test_the_path_crosses_few_modules(trace: Trace) -> None:
    modules = {module for module, _ in trace.entered}
    assert len(modules) <= MOST_MODULES, " ".join(sorted(modules))
