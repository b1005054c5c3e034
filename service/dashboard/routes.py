"""``/``, ``/view/{asset}``, ``/try`` and ``/docs``: pages, and the files that they are made of.

Pages are the same for everybody and hold no number; their scripts ask the API for what they show,
with a key where the service needs one.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from service.dashboard.files import find, stamp, style_ids
from service.http.accepting import accepts_encoding
from service.http.bodies import StrictRoute
from service.http.middleware import HEADERS, USUAL_HEADERS

if TYPE_CHECKING:
    from jinja2 import Environment

router = APIRouter(route_class=StrictRoute, include_in_schema=False)

_TEMPLATES = Path(__file__).with_name("templates")
# Plotly makes an empty style element, whose digest this is, and fills it by script.
_EMPTY_STYLE = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        f"style-src 'self' {_EMPTY_STYLE}",
        "img-src 'self' data: blob:",  # a chart is drawn into an image before it is saved
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
).encode()
_PAGE_HEADERS = tuple(
    (name, _POLICY if name == b"content-security-policy" else value)
    for name, value in USUAL_HEADERS
)
_OF_FILES = tuple(it for it in USUAL_HEADERS if it[0] != b"cache-control")
_FOR_GOOD = (*_OF_FILES, (b"cache-control", b"public, max-age=31536000, immutable"))
_ASK_AGAIN = (*_OF_FILES, (b"cache-control", b"no-cache"))


@router.get("/")
def overview(request: Request) -> HTMLResponse:
    """Every asset at a glance."""
    return _page(request, "overview.html")


@router.get("/view/{asset}")
def view(asset: str, request: Request) -> HTMLResponse:
    """One asset."""
    return _page(request, "asset.html", asset)


@router.get("/try")
def own_series(request: Request) -> HTMLResponse:
    """A series that is pasted or dropped."""
    return _page(request, "try.html")


@router.get("/docs")
def docs(request: Request) -> HTMLResponse:
    """The API, described and to be tried."""
    return _page(request, "docs.html")


@router.get("/static/{of}/{name}")
def static(of: str, name: str, request: Request) -> Response:
    """One of the files; those of another stamp, such as another replica's, are asked for again."""
    found = find(name)
    if found is None:
        raise HTTPException(404)
    request.scope[HEADERS] = _FOR_GOOD if of == stamp() else _ASK_AGAIN
    headers = {"vary": "accept-encoding"}
    if not accepts_encoding(request, "gzip"):
        return Response(found.content, media_type=found.media_type, headers=headers)
    headers["content-encoding"] = "gzip"
    return Response(found.compressed, media_type=found.media_type, headers=headers)


def _page(request: Request, template: str, asset: str | None = None) -> HTMLResponse:
    written = (
        _environment()
        .get_template(template)
        .render(asset=asset, files=f"/static/{stamp()}", style_ids=style_ids)
    )
    request.scope[HEADERS] = _PAGE_HEADERS
    return HTMLResponse(written)


@cache
def _environment() -> "Environment":
    """Templates, read when the first page is asked for; all that is put into them is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined
    )
