"""The front door: what it offers, what it loads, what its examples say."""

import doctest
import importlib
import pkgutil
import subprocess
import sys
from importlib.metadata import version
from types import ModuleType

import matplotlib.pyplot as plt
import pytest

import roughcast

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
LOADED = """
import sys
before = set(sys.modules)
import roughcast
print(*sorted(set(sys.modules) - before))
"""


def modules() -> list[str]:
    found = pkgutil.walk_packages(roughcast.__path__, "roughcast.")
    return ["roughcast", *(it.name for it in found if it.name != "roughcast.__main__")]


def examples() -> dict[str, doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = [it for name in modules() for it in finder.find(importlib.import_module(name))]
    return {it.name: it for it in found if it.examples}


@pytest.mark.parametrize("name", sorted(examples()))
def test_an_example_answers_what_it_says(name: str) -> None:
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    assert runner.run(examples()[name]).failed == 0
    plt.close("all")


def test_every_public_function_has_an_example() -> None:
    public = [getattr(roughcast, name) for name in roughcast.__all__]
    functions = {f"{it.__module__}.{it.__name__}" for it in public if not isinstance(it, type)}
    assert functions <= set(examples())


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
