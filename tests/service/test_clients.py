"""Whatever asks gets the same forecast: curl, Node, a spreadsheet, generated clients."""

import csv
import io
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.generated_clients import generating
from tests.service.processes import serving
from tests.service.worlds import ASSET, settings_in

QUERY = "model=har&levels=0.8"
FETCH = """
const answer = await fetch(process.argv[1]);
if (!answer.ok) throw new Error(await answer.text());
console.log(JSON.stringify(await answer.json()));
"""


@pytest.fixture(scope="module")
def base_url(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("clients")
    shutil.copytree(world, folder, dirs_exist_ok=True)
    with serving(settings_in(folder)) as served:
        yield f"http://127.0.0.1:{served.port}"


@pytest.fixture(scope="module")
def said(base_url: str) -> dict[str, Any]:
    """What a plain request is told."""
    answer = httpx.get(f"{base_url}/forecast/{ASSET}?{QUERY}", timeout=60).raise_for_status()
    found: dict[str, Any] = answer.json()
    assert found["rv"] > 0
    return found


def output_of(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl(base_url: str, said: dict[str, Any]) -> None:
    url = f"{base_url}/forecast/{ASSET}?{QUERY}"
    assert json.loads(output_of("curl", "--silent", "--fail", url)) == said
    body = json.dumps({"asset": ASSET, "model": "har", "levels": [0.8]})
    post = ["--header", "content-type: application/json", "--data", body, f"{base_url}/forecast"]
    assert json.loads(output_of("curl", "--silent", "--fail", *post)) == said


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_fetch_of_node(base_url: str, said: dict[str, Any]) -> None:
    url = f"{base_url}/forecast/{ASSET}?{QUERY}"
    node = ["node", "--input-type=module", "--eval", FETCH]
    assert json.loads(output_of(*node, url)) == said


@pytest.mark.parametrize(
    ("suffix", "headers"), [("&format=csv", {"accept": "*/*"}), ("", {"accept": "text/csv"})]
)
def test_a_spreadsheet(
    base_url: str, said: dict[str, Any], suffix: str, headers: dict[str, str]
) -> None:
    url = f"{base_url}/forecast/{ASSET}?{QUERY}{suffix}"
    answer = httpx.get(url, headers=headers, timeout=60).raise_for_status()
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(io.StringIO(answer.text))
    for name in ("rv", "volatility", "volatility_annualized"):
        assert float(row[name]) == said[name]
    (interval,) = said["intervals"]
    for unit in ("rv", "volatility_annualized"):
        bounds = [float(row[f"{unit}_{bound}_80"]) for bound in ("lower", "upper")]
        assert bounds == interval[unit]
    for name in ("asset", "model", "as_of", "target_date", "measure", "point", "forecast_id"):
        assert row[name] == said[name]


@pytest.mark.skipif(generating.missing() is not None, reason=str(generating.missing()))
@pytest.mark.parametrize(
    "forecast", [generating.python_forecast, generating.typescript_forecast], ids=["python", "ts"]
)
def test_a_generated_client(
    forecast: Callable[..., dict[str, Any]], base_url: str, said: dict[str, Any], tmp_path: Path
) -> None:
    assert forecast(base_url, ASSET, tmp_path) == said
