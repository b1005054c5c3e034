"""The dataclasses of a package."""

import dataclasses
import inspect
from collections.abc import Iterable, Iterator
from importlib import import_module
from pkgutil import walk_packages


def dataclasses_of(package: str, without: tuple[str, ...] = ()) -> Iterator[type]:
    """Every dataclass that a package defines.

    Imports its modules: to be called where tests are collected, so that none is taken for the one
    that runs what an import runs.

    Parameters
    ----------
    package : its name.
    without : beginnings of names of modules that are not imported.
    """
    found = import_module(package)
    for module in walk_packages(found.__path__, f"{package}.", onerror=lambda _: None):
        if module.name.startswith(without):
            continue
        for _, kind in inspect.getmembers(import_module(module.name), inspect.isclass):
            if dataclasses.is_dataclass(kind) and kind.__module__ == module.name:
                yield kind


def mutable(kinds: Iterable[type]) -> set[str]:
    """Names of the dataclasses whose attributes can be set."""
    return {
        kind.__name__
        for kind in kinds
        if not kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    }


def compared_as_objects(kinds: Iterable[type]) -> set[str]:
    """Names of those that equal themselves alone."""
    return {kind.__name__ for kind in kinds if "__eq__" not in vars(kind)}
