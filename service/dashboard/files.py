"""Files that pages are made of: the project's own, and those that installed packages bundle.

Each is read and compressed once, when it is first asked for. Their address holds a stamp of all of
them, so that a browser may keep them for good and has others when they change.
"""

import gzip
import hashlib
import re
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

_OWN = Path(__file__).with_name("static")
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
# By name: the package that bundles a file, which is not imported, its distribution, and where.
_BUNDLED = {
    "plotly.min.js": ("plotly", "plotly", "package_data/plotly.min.js"),
    "swagger-ui-bundle.js": ("fastapi_offline", "fastapi-offline", "static/swagger-ui-bundle.js"),
    "swagger-ui.css": ("fastapi_offline", "fastapi-offline", "static/swagger-ui.css"),
}


class StaticFile(NamedTuple):
    """A file as it is sent.

    Parameters
    ----------
    content : of the file.
    compressed : the same by gzip.
    media_type : what it is.
    """

    content: bytes
    compressed: bytes
    media_type: str


def names() -> frozenset[str]:
    """Names of all files."""
    own = (it.name for it in _OWN.iterdir() if it.suffix in _MEDIA_TYPES)
    return frozenset((*own, *_BUNDLED))


@cache
def stamp() -> str:
    """A digest of the project's own files and of the versions of the others."""
    digest = hashlib.sha256()
    for name in sorted(names() - _BUNDLED.keys()):
        digest.update(name.encode() + (_OWN / name).read_bytes())
    for distribution in sorted({it[1] for it in _BUNDLED.values()}):
        digest.update(f"{distribution} {version(distribution)}".encode())
    return digest.hexdigest()[:16]


@cache
def _read(name: str) -> StaticFile:
    content = _path(name).read_bytes()
    # The same bytes from every process: without the time at which they were compressed.
    return StaticFile(content, gzip.compress(content, 6, mtime=0), _MEDIA_TYPES[Path(name).suffix])


@cache
def style_ids() -> tuple[str, ...]:
    """Ids of style elements that the charts' library adds where a page lacks them.

    It fills them with text, which the pages' policy forbids, for maps, which no page has. A page
    that has an element of each id is left alone.
    """
    found = re.findall(rb'getElementById\("([0-9a-f]{64})"\)', _read("plotly.min.js").content)
    return tuple(sorted({it.decode() for it in found}))


def find(name: str) -> StaticFile | None:
    """A file; None where there is none of the name."""
    return _read(name) if name in names() else None


def _path(name: str) -> Path:
    if name not in _BUNDLED:
        return _OWN / name
    package, _, inside = _BUNDLED[name]
    spec = find_spec(package)
    assert spec is not None  # a dependency of the project
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / inside
