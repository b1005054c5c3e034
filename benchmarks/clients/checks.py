"""Ask a service through the clients that people have, and compare with ``POST /forecast``.

Runs in an environment that has tritonclient and kserve, and nothing of this project.
"""

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import tritonclient.http as triton
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.rest.timeseries.types import (
    ErrorResponse,
    ForecastOptions,
    ForecastRequest,
    ForecastResponse,
    Frequency,
    Status,
    TimeSeriesInput,
    TimeSeriesType,
)
from tritonclient.utils import InferenceServerException

ROWS, SESSIONS = 3, 260
PRICES = ("open", "high", "low", "close")


class Service:
    """The service, asked as it says itself."""

    def __init__(self, address: str) -> None:
        self.http = httpx.Client(base_url=f"http://{address}", timeout=60)
        bars = self.http.get("/assets/SPX/bars?end=2020-03-16&limit=300").json()["bars"]
        self.bars = [bars[at : at + SESSIONS] for at in range(ROWS)]
        held = self.http.get("/assets/SPX/history?end=2020-03-16").json()
        self.rv = [held["rv"][-SESSIONS - at : len(held["rv"]) - at] for at in range(ROWS)]
        self.dates = [held["dates"][-SESSIONS - at : len(held["rv"]) - at] for at in range(ROWS)]

    def says(self, **asked: Any) -> dict[str, Any]:
        """What ``POST /forecast`` does."""
        answer = self.http.post("/forecast", json={"asset": "SPX", "model": "har"} | asked)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


def same(found: Any, row: int, said: dict[str, Any]) -> None:
    """Every number of a row is the very one that was said."""
    assert found("rv")[row] == said["rv"]
    assert found("volatility_annualized")[row] == said["volatility_annualized"]
    for at, name in enumerate(("lower", "upper")):
        assert found(name)[row].tolist() == [it["rv"][at] for it in said["intervals"]]
    assert text(found("forecast_id")[row]) == said["forecast_id"]


def text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def tensor(name: str, values: Any, binary: bool = True) -> Any:
    """An input of Triton's client."""
    array = np.array(values, dtype=object if isinstance(values[0][0], str) else np.float64)
    given = triton.InferInput(name, list(array.shape), "BYTES" if name == "date" else "FP64")
    return given.set_data_from_numpy(array, binary_data=binary)


def triton_asks_about_the_server(client: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    names = {it["name"]: it["state"] for it in client.get_model_repository_index()}
    assert names["SPX~har"] == names["universal"] == "READY"


def triton_asks_about_models(client: Any) -> None:
    assert client.is_model_ready("SPX~har")
    assert client.is_model_ready("SPX~har", "1")
    assert not client.is_model_ready("SPX~oracle")
    told = client.get_model_metadata("BTC-USD~har")
    assert [it["datatype"] for it in told["inputs"]] == ["FP64", "BYTES", *["FP64"] * 4]
    assert told["versions"] == ["1"]


def triton_infers_from_rv(service: Service, client: Any) -> None:
    for binary in (True, False):
        wanted = [
            triton.InferRequestedOutput(name, binary_data=binary)
            for name in ("rv", "volatility_annualized", "lower", "upper", "forecast_id")
        ]
        for outputs in (wanted, None):
            inputs = [tensor("rv", service.rv, binary), tensor("date", service.dates, binary)]
            found = client.infer("SPX~har", inputs, outputs=outputs, request_id="7")
            assert found.get_response()["id"] == "7"
            for row in range(ROWS):
                history = {"rv": service.rv[row], "dates": service.dates[row]}
                same(found.as_numpy, row, service.says(history=history))


def triton_infers_from_bars(service: Service, client: Any) -> None:
    days = [[bar["date"] for bar in row] for row in service.bars]
    prices = [tensor(it, [[bar[it] for bar in row] for row in service.bars]) for it in PRICES]
    for name, asked in (
        ("SPX~har", {}),
        ("SPX~auto", {"model": "auto"}),
        ("MINE~auto", {"asset": "MINE", "model": "auto"}),
        ("universal", {"asset": None, "model": "auto"}),
    ):
        parameters = {"levels": "0.8", "horizon": 5}
        found = client.infer(name, [tensor("date", days), *prices], parameters=parameters)
        for row in range(ROWS):
            history = {"bars": service.bars[row]}
            said = service.says(**asked, levels=[0.8], horizon=5, history=history)
            same(found.as_numpy, row, said)


def triton_infers_from_held_history(service: Service, client: Any) -> None:
    for version in ("", "1"):
        found = client.infer("SPX~har", [], version, parameters={"held": True})
        same(found.as_numpy, 0, service.says())


def triton_is_told_what_is_wrong(service: Service, client: Any) -> None:
    for name, inputs, status, said in (
        ("SPX~oracle", [tensor("rv", service.rv)], "404", "SPX has no model 'oracle'"),
        ("SPX~har", [tensor("rv", [[1e-4] * 3])], "422", "har with lags (1, 5, 22) needs 22"),
        ("SPX~har", [], "422", "needed: either inputs, or the parameter held"),
    ):
        error = refusal(client, name, inputs)
        assert error.status() == status
        assert said in error.message()


def refusal(client: Any, name: str, inputs: list[Any]) -> Any:
    """What the client raises."""
    try:
        client.infer(name, inputs)
    except InferenceServerException as error:
        return error
    raise AssertionError(f"{name} answered")


async def kserve_infers(service: Service, address: str) -> None:
    client, url = InferenceRESTClient(RESTConfig(protocol="v2")), f"http://{address}"
    assert await client.is_server_live(url)
    assert await client.is_server_ready(url)
    assert await client.is_model_ready(url, "SPX~har")
    assert not await client.is_model_ready(url, "SPX~oracle")
    values = np.array(service.rv)
    for binary in (True, False):
        given = InferInput("rv", list(values.shape), "FP64")
        given.set_data_from_numpy(values, binary_data=binary)
        request = InferRequest("SPX~har", [given], parameters={"binary_data_output": binary})
        found = await client.infer(url, request, model_name="SPX~har")
        outputs = {it.name: it.as_numpy() for it in found.outputs}
        for row in range(ROWS):
            same(outputs.__getitem__, row, service.says(history={"rv": service.rv[row]}))
    given = InferInput("rv", [1, 2], "FP64", data=[1e-4, 1e-4])
    request, said = InferRequest("SPX~har", [given]), ""
    try:
        await client.infer(url, request, model_name="SPX~har")
    except httpx.HTTPStatusError as error:
        said = str(error)
    assert said.startswith("har with lags (1, 5, 22) needs 22 sessions; got 2, '422 ")


def forecast_request(service: Service, rows: int, **options: Any) -> dict[str, Any]:
    """A request as KServe's own classes write it."""
    request = ForecastRequest(
        model="SPX~log_har",
        inputs=[
            TimeSeriesInput(
                type=TimeSeriesType.UNIVARIATE,
                name=f"rv {row}",
                series=service.rv[row],
                frequency=Frequency.DAY_SHORT,
                start_timestamp=f"{service.dates[row][0]}T00:00:00Z",
            )
            for row in range(rows)
        ],
        options=ForecastOptions(**options),
    )
    written: dict[str, Any] = request.model_dump(mode="json")
    return written


def kserve_forecasts_series(service: Service) -> None:
    body = forecast_request(service, ROWS, horizon=1, quantiles=[0.1, 0.9])
    answer = service.http.post("/v1/timeseries/forecast", json=body)
    found = ForecastResponse.model_validate_json(answer.content)
    assert found.status is Status.COMPLETED
    for row, output in enumerate(found.outputs):
        history = {"rv": service.rv[row], "dates": service.dates[row]}
        said = service.says(model="log_har", levels=[], quantiles=[0.1, 0.9], history=history)
        [content] = output.content
        assert (output.id, output.status) == (said["forecast_id"], Status.COMPLETED)
        assert (content.name, content.mean_forecast) == (f"rv {row}", [said["rv"]])
        assert content.quantiles == {str(it["probability"]): [it["rv"]] for it in said["quantiles"]}
        assert content.start_timestamp == f"{said['target_date']}T00:00:00Z"


def kserve_forecasts_further(service: Service) -> None:
    answer = service.http.post(
        "/v1/timeseries/forecast", json=forecast_request(service, 1, horizon=22)
    )
    [output] = ForecastResponse.model_validate_json(answer.content).outputs
    curve = output.content[0].mean_forecast
    history = {"rv": service.rv[0], "dates": service.dates[0]}
    said = service.says(model="log_har", levels=[], horizons=[1, 5, 10, 22], history=history)
    for it in said["term_structure"]:
        assert np.isclose(np.mean(curve[: it["horizon"]]), it["rv"], rtol=1e-12)
    assert curve[0] == said["term_structure"][0]["rv"]


def kserve_is_told_what_is_wrong(service: Service) -> None:
    body = forecast_request(service, 1, horizon=1)
    body["inputs"][0]["frequency"] = Frequency.HOUR.value
    answer = service.http.post("/v1/timeseries/forecast", json=body)
    error = ErrorResponse.model_validate_json(answer.content).error
    assert (answer.status_code, error.code, error.param) == (422, "422", "inputs[0].frequency")
    assert "Input should be 'D' or 'day'" in error.message


def main(address: str) -> None:
    service, client = Service(address), triton.InferenceServerClient(address)
    checks: dict[Callable[..., Any], tuple[Any, ...]] = {
        triton_asks_about_the_server: (client,),
        triton_asks_about_models: (client,),
        triton_infers_from_rv: (service, client),
        triton_infers_from_bars: (service, client),
        triton_infers_from_held_history: (service, client),
        triton_is_told_what_is_wrong: (service, client),
        kserve_infers: (service, address),
        kserve_forecasts_series: (service,),
        kserve_forecasts_further: (service,),
        kserve_is_told_what_is_wrong: (service,),
    }
    for check, given in checks.items():
        found = check(*given)
        if asyncio.iscoroutine(found):
            asyncio.run(found)
        print("ok", check.__name__)


if __name__ == "__main__":
    main(sys.argv[1])
