"""How bodies are read and routes included: nothing that a route depends on is passed over."""

from typing import Annotated, Any, get_args, get_type_hints

import fastapi
import pytest
from fastapi import APIRouter, Depends, FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.app import State, create_app
from service.assets import holdings
from service.forecasts import routes as forecasts
from service.http import clock as clock_module
from service.http.bodies import BodyRoute, Unread
from service.http.errors import NotReady
from service.http.fields import RequestBody
from service.http.openapi import describe
from service.http.problems import exception_handlers
from service.http.routing import include_routers
from service.hurst import reports
from service.models import catalogue
from service.settings import Settings
from tests.service.client import TestClient
from tests.service.worlds import ASSET, clock


class Body(RequestBody):
    number: int


async def refuse(request: Request) -> None:
    if "key" not in request.headers:
        raise NotReady("no key", code="no_key")


def app_of(router: APIRouter, **options: Any) -> FastAPI:
    app = FastAPI(exception_handlers=exception_handlers())
    include_routers(app, [router], **options)
    return app


def echo_router(**options: Any) -> APIRouter:
    router = APIRouter(route_class=BodyRoute, **options)

    @router.post("/direct")
    async def direct(body: Body) -> Response:
        return Response(str(body.number))

    @router.post("/solved/{name}")
    async def solved(body: Body, name: str, times: Annotated[int, Query(ge=1)] = 1) -> list[str]:
        return [f"{name} {body.number}"] * times

    @router.post("/unread")
    async def unread(content: Annotated[bytes, Unread(Body)], request: Request) -> Response:
        return Response(content + request.url.path.encode())

    return router


@pytest.mark.parametrize("path", ["/forecast", "/forecast/batch"])
def test_a_dependency_of_all_routes_is_solved_for_forecasts(settings: Settings, path: str) -> None:
    app = create_app(settings, clock)
    guarded = {"/forecast", "/forecast/batch"}
    app.router.routes[:] = [it for it in app.routes if getattr(it, "path", "") not in guarded]
    include_routers(app, [forecasts.router], dependencies=[Depends(refuse)])
    body = {"asset": ASSET} if path == "/forecast" else {"items": [{"asset": ASSET}]}
    with TestClient(app) as client:
        refused = client.post(path, json=body)
        answered = client.post(path, json=body, headers={"key": "1"})
        assert (refused.status_code, refused.json()["code"]) == (503, "no_key")
        assert answered.status_code == 200
    with TestClient(create_app(settings, clock)) as client:
        assert client.post(path, json=body).content == answered.content


@pytest.mark.parametrize("path", ["/direct", "/solved/a", "/unread"])
@pytest.mark.parametrize("place", ["router", "include_routers", "include_router", "app"])
def test_a_dependency_is_solved_wherever_it_is_given(path: str, place: str) -> None:
    dependencies = [Depends(refuse)]
    if place == "router":
        app = app_of(echo_router(dependencies=dependencies))
    elif place == "include_routers":
        app = app_of(echo_router(), dependencies=dependencies)
    elif place == "app":
        app = FastAPI(exception_handlers=exception_handlers(), dependencies=dependencies)
        include_routers(app, [echo_router()])
    else:
        app = FastAPI(exception_handlers=exception_handlers())
        app.include_router(echo_router(), dependencies=dependencies)
    client = TestClient(app)
    assert client.post(path, json={"number": 7}).json()["code"] == "no_key"
    assert "7" in client.post(path, json={"number": 7}, headers={"key": "1"}).text


def test_a_body_is_read_beside_what_fastapi_solves() -> None:
    client = TestClient(app_of(echo_router()))
    assert client.post("/direct", json={"number": 7}).text == "7"
    assert client.post("/solved/a?times=2", json={"number": 7}).json() == ["a 7", "a 7"]
    assert client.post("/solved/a?times=0", json={"number": 7}).json()["field"] == "times"
    assert client.post("/solved/a", json={"number": "7"}).json()["code"] == "wrong_type"
    assert client.post("/unread", json=[]).text == "[]/unread"


def test_bodies_are_described_without_a_list_kept_by_hand() -> None:
    document = describe(app_of(echo_router()))
    assert "Body" in document["components"]["schemas"]
    for path in document["paths"].values():
        schema = path["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/Body"}


def test_an_endpoint_that_cannot_be_served_is_refused() -> None:
    async def two(one: Body, other: Body) -> Response:
        raise NotImplementedError

    def plain(body: Body) -> Response:
        raise NotImplementedError

    for endpoint in (two, plain):
        with pytest.raises(TypeError, match="needed: one, by a coroutine function"):
            BodyRoute("/", endpoint)


def test_a_route_whose_dependencies_would_be_lost_is_refused() -> None:
    router = APIRouter()
    router.routes.append(Route("/bare", lambda _request: Response()))
    with pytest.raises(TypeError, match="Route"):
        app_of(router)


def test_a_dependency_may_be_overridden_by_the_application() -> None:
    app = app_of(echo_router(), dependencies=[Depends(refuse)])
    app.dependency_overrides[refuse] = lambda: None
    with TestClient(app) as client:
        assert client.post("/direct", json={"number": 1}).text == "1"


def test_routes_that_are_included_first_are_matched_first() -> None:
    special, general = APIRouter(), APIRouter()
    special.get("/x/special")(lambda: "special")
    general.get("/x/{name}")(lambda name: name + "!")
    app = app_of(special)
    app.get("/own")(lambda: "own")
    include_routers(app, [general])
    paths = [getattr(route, "path", "") for route in app.routes]
    assert paths.index("/x/special") < paths.index("/x/{name}") < paths.index("/openapi.json")
    with TestClient(app) as client:
        assert (client.get("/x/special").json(), client.get("/x/y").json()) == ("special", "y!")


def test_an_application_without_bodies_describes_itself() -> None:
    app = app_of(APIRouter())
    assert "Problem" in describe(app)["components"]["schemas"]


def test_a_body_that_fastapi_would_read_is_refused() -> None:
    router = APIRouter(route_class=BodyRoute)

    async def endpoint(body: Annotated[Body, fastapi.Body()]) -> Response:
        return Response(str(body.number))

    with pytest.raises(TypeError, match="a body is declared as a pydantic model"):
        router.post("/laxly")(endpoint)


def test_what_routes_ask_of_the_state_has_the_type_that_it_says() -> None:
    declared = get_type_hints(State)
    asked = {
        name: dependency
        for module in (catalogue, holdings, reports, clock_module)
        for alias, dependency in vars(module).items()
        if alias.endswith("Dep")
        for name in [get_args(dependency)[1].dependency.__name__]
    }
    assert len(asked) == 4
    for name, dependency in asked.items():
        assert get_args(dependency)[0] == declared[name]
