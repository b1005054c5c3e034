"""What an operator is given to see with: alerts, a dashboard, the files of the whole stack."""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from service.settings import Settings
from tests.service.patience import PATIENCE
from tests.service.processes import serving

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
RULES = yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text())["groups"][0]["rules"]
CASES = yaml.safe_load((Path(__file__).parent / "alerts.yml").read_text())["tests"]
DASHBOARD = json.loads((DEPLOY / "grafana" / "dashboards" / "roughcast.json").read_text())
SECONDS = float(os.environ.get("OBSERVE_SECONDS", "12"))  # for which requests are sent
# Of these there is nothing until outcomes are known, or where a container has no limit.
MAY_BE_EMPTY = re.compile(r"roughcast_live_|^roughcast_memory_limit_bytes")
needs_prometheus = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="Prometheus is not installed"
)
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool of Prometheus is not installed"
)


def queries() -> list[tuple[str, str]]:
    """Each query of the dashboard, with the title of its panel."""
    return [
        (panel["title"], target["expr"])
        for panel in DASHBOARD["panels"]
        for target in panel.get("targets", ())
    ]


def promtool(*arguments: str | Path, content: str | None = None) -> str:
    """What it says; it has to be content."""
    done = subprocess.run(
        ["promtool", *arguments], input=content, capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def test_each_alert_is_tried_where_it_is_to_fire_and_where_it_nearly_is() -> None:
    tried = [
        (asked["alertname"], bool(asked["exp_alerts"]))
        for case in CASES
        for asked in case["alert_rule_test"]
    ]
    names = [rule["alert"] for rule in RULES]
    assert sorted(tried) == sorted((name, fires) for name in names for fires in (False, True))


@needs_promtool
def test_alerts_fire_where_they_are_to() -> None:
    said = promtool("test", "rules", Path(__file__).parent / "alerts.yml")
    assert "SUCCESS" in said


@needs_promtool
def test_rules_and_configuration_are_what_prometheus_reads(tmp_path: Path) -> None:
    assert f"{len(RULES)} rules found" in promtool(
        "check", "rules", DEPLOY / "prometheus" / "rules.yml"
    )
    promtool("check", "config", "--syntax-only", DEPLOY / "prometheus" / "prometheus.yml")


def test_each_alert_has_a_page_of_the_runbook_and_no_other_has() -> None:
    told = OPERATIONS.split("\n### Alerts\n")[1].split("\n## ")[0]
    pages = re.findall(r"^#### (\w+)\n\n(.+)$", told, re.MULTILINE)
    assert [name for name, _ in pages] == [rule["alert"] for rule in RULES]
    for rule in RULES:
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in {"critical", "warning"}


def test_a_dashboard_has_no_two_panels_in_one_place() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_the_dashboard_asks_the_source_that_is_provisioned() -> None:
    path = DEPLOY / "grafana" / "provisioning" / "datasources" / "prometheus.yml"
    [source] = yaml.safe_load(path.read_text())["datasources"]
    asked = {panel["datasource"]["uid"] for panel in DASHBOARD["panels"] if "targets" in panel}
    assert asked == {source["uid"]}


def test_alerts_and_dashboard_ask_for_metrics_that_there_are() -> None:
    table = set(re.findall(r"^\| `(\w+)` \|", OPERATIONS, re.MULTILINE))
    asked = [rule["expr"] for rule in RULES] + [expr for _, expr in queries()]
    found = {it for text in asked for it in re.findall(r"\b(?:roughcast|process)_\w+", text)}
    assert {re.sub(r"_(bucket|count|sum)$", "", it) for it in found} - table == set()
    assert len(found) > 30


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service with what is shipped; its URL."""
    folder = tmp_path_factory.mktemp("served")
    settings = Settings(
        store=folder / "store", database_url=f"sqlite:///{folder / 'history.sqlite3'}"
    )
    with serving(settings) as service:
        yield f"http://127.0.0.1:{service.port}"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def scraping(service: str, folder: Path) -> Iterator[str]:
    """Prometheus with the project's own configuration, each second; its URL."""
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(DEPLOY / "prometheus" / "rules.yml")]
    [job] = [it for it in config["scrape_configs"] if it["job_name"] == "roughcast"]
    del job["dns_sd_configs"], job["authorization"]
    job["static_configs"] = [{"targets": [service.removeprefix("http://")]}]
    config["scrape_configs"] = [job]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    address = f"127.0.0.1:{free_port()}"
    with (folder / "prometheus.log").open("w") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={address}",
            ],
            stderr=log,
        )
    try:
        for _ in range(600):
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"http://{address}/-/ready").status_code == 200:
                    break
            assert process.poll() is None, (folder / "prometheus.log").read_text()
            time.sleep(0.1)
        yield f"http://{address}"
    finally:
        process.kill()
        process.wait()


def use(service: str) -> None:
    """Ask for a little of everything, once."""
    bar = {"date": "2021-10-28", "open": 1.0, "high": 2.0, "low": 3.0, "close": 1.0}
    with httpx.Client(base_url=service, timeout=PATIENCE) as client:
        client.post("/forecast", json={"asset": "BTC-USD"}).raise_for_status()
        client.get("/forecast/SPX?horizons=1,5").raise_for_status()
        items = [{"asset": it} for it in ("ETH-USD", "SPX", "DOGE")]
        client.post("/forecast/batch", json={"items": items}).raise_for_status()
        assert client.put("/assets/BTC-USD/bars", json={"bars": [bar]}).status_code == 422
        held = client.get("/assets/BTC-USD/bars?limit=3").json()["bars"]
        client.put("/assets/BTC-USD/bars", json={"bars": held}).raise_for_status()
        client.get("/health/ready").raise_for_status()


def asked(prometheus: str, expression: str) -> list[Any]:
    text = expression.replace("$__rate_interval", "10s")
    for variable in DASHBOARD["templating"]["list"]:
        text = text.replace(f"${variable['name']}", variable["allValue"])
    assert "$" not in text
    answer = httpx.get(
        f"{prometheus}/api/v1/query", params={"query": text}, timeout=PATIENCE
    ).json()
    assert answer["status"] == "success", (text, answer)
    result: list[Any] = answer["data"]["result"]
    return result


def test_the_table_of_metrics_is_what_the_service_tells(served: str) -> None:
    use(served)
    text = httpx.get(f"{served}/metrics", timeout=PATIENCE).text
    told = set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE))
    rows = re.findall(r"^\| `((?:roughcast|process)_\w+)` \|([^|]*)\|", OPERATIONS, re.MULTILINE)
    table = {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}
    assert len(table) == len(rows)
    assert set(table) == {name for name in told if not name.endswith("_created")}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            name = re.sub(r"_(bucket|count|sum|created)$", "", sample.name)
            if name in table:
                assert set(sample.labels) - {"le"} == table[name], name


@needs_prometheus
@pytest.mark.timeout(600)
def test_every_query_of_the_dashboard_has_an_answer(served: str, tmp_path: Path) -> None:
    with scraping(served, tmp_path) as prometheus:
        give_up = time.monotonic() + SECONDS
        while time.monotonic() < give_up:
            use(served)
            time.sleep(0.2)
        empty = [(title, expr) for title, expr in queries() if not asked(prometheus, expr)]
        rules = httpx.get(f"{prometheus}/api/v1/rules", timeout=PATIENCE).json()["data"]["groups"][
            0
        ]["rules"]
    assert [(title, expr) for title, expr in empty if not MAY_BE_EMPTY.search(expr)] == []
    assert [(it["name"], it.get("lastError")) for it in rules if it["health"] != "ok"] == []
    assert len(rules) == len(RULES)
    firing = {it["name"] for it in rules if it["state"] == "firing"}
    assert firing <= {"BarsRefused"}  # the one that is at once, and was asked for


@needs_promtool
def test_metrics_are_as_prometheus_wants_them(served: str) -> None:
    use(served)
    text = httpx.get(f"{served}/metrics", timeout=PATIENCE).text
    assert promtool("check", "metrics", content=text) == ""
