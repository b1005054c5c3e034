"""Digests of what a unit of work depends on: its data, its settings and the code."""

import hashlib
import pickle
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from fnmatch import fnmatch
from functools import cache
from importlib import metadata, resources
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

from models_store.signatures import SUMS

# Of a fit's numbers. Those that are not installed decide nothing.
_LIBRARIES = ("arch", "exchange_calendars", "numpy", "onnxruntime", "scipy", "torch")
_ROOMS = ("models_store", "training", "volatility")


def digest_of(*values: Any) -> str:
    """sha256 of values by what they say, not by which objects they are.

    Of dataclasses the fields count, and not what they have cached; of functions and classes the
    name, since :func:`source_digest` knows what they do; of a folder the sums of the artifacts in
    it. Anything else is taken as it would be sent to another process.
    """
    digest = hashlib.sha256()
    for part in _parts(values):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def code_digest(code: Mapping[str, Sequence[str]], libraries: Iterable[str]) -> str:
    """sha256 of some modules, by package and pattern, and of the versions of some libraries."""
    parts = [f"{library} {metadata.version(library)}" for library in libraries]
    for package, patterns in code.items():
        files = sorted(resources.files(package).iterdir(), key=lambda file: file.name)
        for pattern in patterns:
            parts += [file.read_text() for file in files if fnmatch(file.name, pattern)]
    return digest_of(*parts)


@cache
def source_digest() -> str:
    """sha256 of every module that may decide a fit, and of the versions of the libraries."""
    parts = [f"{it.metadata['Name']} {it.version}" for it in _installed(_LIBRARIES)]
    for room in _ROOMS:
        root = Path(str(resources.files(room)))
        parts += [f"{it.relative_to(root)}\n{it.read_text()}" for it in sorted(root.rglob("*.py"))]
    return digest_of(*parts)


def _installed(libraries: Iterable[str]) -> Iterable[metadata.Distribution]:
    for library in libraries:
        try:
            yield metadata.distribution(library)
        except metadata.PackageNotFoundError:
            continue


def _parts(value: Any) -> Iterable[bytes]:
    """A value in pieces: of what kind it is, and then what it holds, in an order of its own."""
    kind = type(value)
    yield f"{kind.__module__}.{kind.__qualname__}".encode()
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        yield f"{value.dtype.str} {value.shape}".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif isinstance(value, FunctionType | type):
        yield f"{value.__module__}.{value.__qualname__}".encode()
    elif is_dataclass(value):
        yield from _parts({it.name: getattr(value, it.name) for it in fields(value)})
    elif isinstance(value, Mapping):
        yield from _all_parts(it for key in sorted(value, key=repr) for it in (key, value[key]))
    elif isinstance(value, tuple | list):
        yield from _all_parts(value)
    elif isinstance(value, Set):
        yield from _all_parts(sorted(value, key=repr))
    elif isinstance(value, Path):
        yield from _all_parts([str(value), *_sums_in(value)])
    elif value is None or isinstance(value, str | bytes | int | float | np.generic):
        yield repr(value).encode()
    else:
        yield pickle.dumps(value)


def _all_parts(values: Iterable[Any]) -> Iterable[bytes]:
    known = list(values)
    yield str(len(known)).encode()
    for value in known:
        yield from _parts(value)


@cache
def _sums_in(folder: Path) -> tuple[str, ...]:
    return tuple(it.read_text() for it in sorted(folder.rglob(SUMS)))
