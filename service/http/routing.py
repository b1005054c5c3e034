"""How the routes of the features come into the application."""

from collections.abc import Iterable, Sequence
from inspect import signature
from operator import attrgetter

from fastapi import APIRouter, FastAPI
from fastapi.params import Depends
from fastapi.routing import APIRoute

_OPTIONS = tuple(signature(APIRoute).parameters)  # each is kept by the route under its own name


def include_routers(
    app: FastAPI, routers: Iterable[APIRouter], dependencies: Sequence[Depends] = ()
) -> None:
    """Put the routes of routers on the application itself, before its pages of documentation.

    ``FastAPI.include_router`` keeps a router whole and matches a request to one of its routes
    twice, at a twentieth of what a forecast costs.

    Parameters
    ----------
    app : the application.
    routers : of the features; those that are included first are matched first.
    dependencies : what every one of these routes depends on, beside what the application and the
        route itself do.

    Raises
    ------
    TypeError : a router holds something else than routes of FastAPI.
    """
    routes = [route for router in routers for route in router.routes]
    all_of_them = [*app.router.dependencies, *dependencies]
    existing = app.router.routes
    # The pages of documentation, which FastAPI adds first, are no APIRoute; what is included, is.
    pages = (at for at, route in enumerate(existing) if not isinstance(route, APIRoute))
    place = next(pages, len(existing))
    existing[place:place] = [_of_app(route, app, all_of_them) for route in routes]


def _of_app(route: object, app: FastAPI, dependencies: Sequence[Depends]) -> APIRoute:
    """The same route with more dependencies, which the application may override."""
    if not isinstance(route, APIRoute):
        raise TypeError(f"{route!r} is a {type(route).__name__}; needed: an APIRoute")
    options = {name: getattr(route, name) for name in _OPTIONS}
    options["dependencies"] = [*dependencies, *route.dependencies]
    options["dependency_overrides_provider"] = app
    # In the description, and in clients that are made of it: short, and the same for every path.
    options["generate_unique_id_function"] = attrgetter("name")
    return type(route)(**options)
