"""The front door: what it offers, what it loads, what its examples say."""

import asyncio
import doctest
import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from importlib.metadata import version
from types import FunctionType, ModuleType

import matplotlib.pyplot as plt
import pytest
from structlog.testing import capture_logs

import roughcast
from roughcast.client import AsyncClient, Client, Question
from service.app import create_app
from tests.roughcast.transport import Awaited
from tests.service import worlds
from tests.service.client import TestClient
from tests.service.operations.samples import samples
from tests.service.patience import eventually

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
LOADED = """
import sys
before = set(sys.modules)
import roughcast
print(*sorted(set(sys.modules) - before))
"""


# In examples of a client, where a program would have imported them.
NAMES = {"asyncio": asyncio, "date": date, "roughcast": roughcast, "Question": Question}


def modules() -> list[str]:
    found = pkgutil.walk_packages(roughcast.__path__, "roughcast.")
    return ["roughcast", *(it.name for it in found if it.name != "roughcast.__main__")]


def examples() -> dict[str, doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = [it for name in modules() for it in finder.find(importlib.import_module(name))]
    return {it.name: it for it in found if it.examples}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[object, object]]:
    """Clients of a service with what is shipped; whoever sleeps waits for the ledger instead."""
    settings = worlds.settings_in(tmp_path_factory.mktemp("shipped"))
    with (
        capture_logs(),  # which go to the console, and so into what an example prints
        TestClient(create_app(settings)) as service,
        Client("http://127.0.0.1", transport=service._transport) as client,
    ):
        worlds.verified(service)

        def all_is_recorded() -> bool:
            return samples(service)[("roughcast_ledger_waiting",)] == 0

        awaited = AsyncClient("http://127.0.0.1", transport=Awaited(service._transport))
        yield {
            Client: client,
            AsyncClient: awaited,
            "sleep": lambda _seconds: eventually(all_is_recorded),
        }


@pytest.mark.parametrize("name", sorted(examples()))
def test_an_example_answers_what_it_says(name: str, request: pytest.FixtureRequest) -> None:
    example = examples()[name]
    for kind in (Client, AsyncClient):
        if name.startswith(f"{kind.__module__}.{kind.__name__}."):
            served = request.getfixturevalue("served")
            example.globs |= NAMES | {"client": served[kind], "sleep": served["sleep"]}
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    assert runner.run(example).failed == 0
    plt.close("all")


def public() -> Iterator[str]:
    """Full names of functions, classes and methods: of those that are made, not raised.

    Methods of results are shown where their class is; both clients show each of theirs.
    """
    for offered in (getattr(roughcast, name) for name in roughcast.__all__):
        if isinstance(offered, type) and issubclass(offered, Exception):
            continue
        yield f"{offered.__module__}.{offered.__qualname__}"
        for name, method in vars(offered).items():
            if isinstance(method, FunctionType) and not name.startswith("_"):
                yield f"{offered.__module__}.{method.__qualname__}"


@pytest.mark.parametrize("name", sorted(public()))
def test_all_that_is_public_has_an_example(name: str) -> None:
    shown = examples()
    whole, _, method = name.rpartition(".")
    if whole in {f"{it.__module__}.{it.__name__}" for it in (Client, AsyncClient)}:
        assert name in shown
    assert name in shown or any(f".{method}(" in it.source for it in shown[whole].examples)


def test_importing_it_loads_nothing() -> None:
    told = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True
    )
    roots = {it.partition(".")[0] for it in told.stdout.split()}
    assert roots - sys.stdlib_module_names == {"roughcast"}


def test_it_offers_what_it_says() -> None:
    assert all(hasattr(roughcast, name) for name in dir(roughcast))
    assert set(roughcast.__all__) == set(roughcast._WHERE)
    assert roughcast.__version__ == version("roughcast")
    assert not isinstance(roughcast.measure, ModuleType)
    with pytest.raises(AttributeError, match="no attribute 'forcast'"):
        roughcast.forcast  # noqa: B018
