"""The stack of ``deploy/``: what its files say of each other."""

import argparse
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from service.models.commands import add_models
from service.settings import Settings
from training.cli import make_parser

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
STACK = yaml.safe_load((DEPLOY / "compose.yml").read_text())
SERVICES = STACK["services"]
ALONE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
PROXY = (DEPLOY / "haproxy" / "haproxy.cfg").read_text()
PROMETHEUS = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
DAILY = (DEPLOY / "daily.sh").read_text()


def mounted(name: str) -> list[tuple[str, str]]:
    """What is mounted into a container, and where."""
    found = [volume.split(":") for volume in SERVICES[name].get("volumes", ())]
    return [(source, target) for source, target, *_ in found]


def test_two_replicas_stand_behind_one_port() -> None:
    service = SERVICES["service"]
    assert service["deploy"]["replicas"] == 2
    assert "ports" not in service
    assert SERVICES["proxy"]["ports"] == ["127.0.0.1:${ROUGHCAST_PORT:-8000}:8000"]
    assert re.search(r"^    bind :8000$", PROXY, re.MULTILINE)
    port = service["environment"]["ROUGHCAST_PORT"]
    [template] = re.findall(r"server-template \w+ \S+ (\S+)", PROXY)
    assert template == f"service:{port}"
    jobs = {job["job_name"]: job for job in PROMETHEUS["scrape_configs"]}
    [found] = jobs["roughcast"]["dns_sd_configs"]
    assert (found["names"], found["type"], str(found["port"])) == (["service"], "A", port)


def test_one_service_still_starts_alone() -> None:
    assert [name for name, it in ALONE.items() if "profiles" not in it] == ["service"]


def test_every_variable_is_a_setting_of_the_service() -> None:
    fields = {f"ROUGHCAST_{name.upper()}" for name in Settings.model_fields}
    assert set(SERVICES["service"]["environment"]) <= fields
    values = {
        name.removeprefix("ROUGHCAST_").lower(): value
        for name, value in SERVICES["service"]["environment"].items()
        if "$" not in value
    }
    Settings.model_validate_strings(values)


def test_replicas_share_a_store_and_a_database() -> None:
    environment = SERVICES["service"]["environment"]
    assert environment["ROUGHCAST_DATABASE_URL"].startswith("postgresql://roughcast:")
    assert environment["ROUGHCAST_DATABASE_URL"].endswith("@postgres/roughcast")
    assert SERVICES["postgres"]["environment"]["POSTGRES_USER"] == "roughcast"
    models = "/var/lib/roughcast/models"
    assert mounted("service") == [("models", models)]
    assert ("models", models) in mounted("daily")
    store = environment["ROUGHCAST_STORE"]
    assert store == SERVICES["daily"]["environment"]["STORE"] == f"{models}/store"


def test_a_replica_drains_for_longer_than_the_proxy_takes_to_notice() -> None:
    [(seconds, fall)] = re.findall(r"check inter (\d+)s fall (\d+)", PROXY)
    service = SERVICES["service"]
    drain = float(service["environment"]["ROUGHCAST_DRAIN_SECONDS"])
    assert drain > int(seconds) * int(fall)
    ending = drain + float(service["environment"]["ROUGHCAST_SHUTDOWN_TIMEOUT"])
    assert int(service["stop_grace_period"].removesuffix("s")) > ending


def test_what_is_sent_again_is_what_may_be_sent_twice() -> None:
    [methods] = re.findall(r"acl is_repeatable method (.+)", PROXY)
    [computed] = re.findall(r"acl is_computed path (.+)", PROXY)
    assert set(methods.split()) == {"GET", "HEAD", "OPTIONS", "PUT"}
    assert set(computed.split()) == {"/forecast", "/forecast/batch", "/hurst"}
    assert "disable-l7-retry if !is_repeatable !is_computed" in PROXY


@pytest.mark.parametrize("name", ["proxy", "service", "daily", "prometheus", "grafana"])
def test_what_needs_no_rights_has_none(name: str) -> None:
    it = SERVICES[name]
    assert it["read_only"] is True
    assert it["cap_drop"] == ["ALL"]
    assert it["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", list(SERVICES))
def test_ports_are_for_the_machine_itself_and_memory_has_a_limit(name: str) -> None:
    it = SERVICES[name]
    assert all(port.startswith("127.0.0.1:") for port in it.get("ports", ()))
    assert re.fullmatch(r"\d+[gm]", it["mem_limit"])
    assert it["restart"] == "unless-stopped"


def test_every_file_that_is_mounted_is_there() -> None:
    sources = [source for name in SERVICES for source, _ in mounted(name)]
    files = [source for source in sources if source.startswith("./")]
    assert len(files) == 5
    assert all((DEPLOY / it).exists() for it in files)
    volumes = {source for source in sources if not source.startswith("./")}
    assert volumes == set(STACK["volumes"])


def test_keys_and_passwords_are_not_kept_in_git() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    for secret in STACK["secrets"].values():
        assert f"deploy/{secret['file'].split('/')[0]}/" in ignored
    assert "deploy/.env" in ignored
    job = PROMETHEUS["scrape_configs"][0]
    assert job["authorization"]["credentials_file"] == "/run/secrets/prometheus"
    assert SERVICES["prometheus"]["secrets"] == ["prometheus"]
    assert SERVICES["daily"]["secrets"] == ["daily"]
    assert "/run/secrets/daily" in DAILY


def test_each_day_bars_are_fetched_and_models_fitted() -> None:
    daily = SERVICES["daily"]
    assert daily["profiles"] == ["daily"]
    assert daily["build"] == {"context": "..", "target": "daily"}
    image = (ROOT / "Dockerfile").read_text().split(" AS daily\n")[1].split("\nFROM ")[0]
    assert 'pip install --constraint /requirements/dev.txt "roughcast[providers]"' in image
    assert re.findall(r"^USER (.+)$", image, re.MULTILINE)[-1] == "10001:10001"
    assert daily["entrypoint"] == ["sh", "/etc/roughcast/daily.sh"]
    assert ("./daily.sh", "/etc/roughcast/daily.sh") in mounted("daily")
    assert set(re.findall(r"\$([A-Z_]+)", DAILY)) <= {"ROUGHCAST_API_KEY", *daily["environment"]}
    pulled = re.findall(r"^    pull .*--asset (\S+)", DAILY, re.MULTILINE)
    fitted = re.findall(r"^    retrain .*--asset (\S+)", DAILY, re.MULTILINE)
    assert pulled == fitted
    subprocess.run(["sh", "-n", DEPLOY / "daily.sh"], check=True)


STUBS = {
    "cat": "echo a-key",
    "python": 'echo "$ROUGHCAST_API_KEY $*" >> "$CALLED"; case "$*" in *pull*ETH*) exit 1;; '
    '*prune*) echo "$ROUGHCAST_STORE" > "$(dirname "$CALLED")/store";; esac',
    "sleep": '[ "$1" -gt 0 ] && [ "$1" -le 86400 ] && [ ! -e "$CALLED" ]',  # the second day never
}


def test_a_day_that_fails_in_part_goes_on(tmp_path: Path) -> None:
    for name, body in STUBS.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    called = tmp_path / "called"
    environment = {
        **SERVICES["daily"]["environment"],
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "CALLED": str(called),
    }
    done = subprocess.run(
        ["sh", DEPLOY / "daily.sh"], env=environment, capture_output=True, text=True, check=False
    )
    lines = [line.split() for line in called.read_text().splitlines()]
    assert {it[0] for it in lines} == {"a-key"}
    assert [it[3] for it in lines] == ["models", "data", "data", "retrain", "retrain"]
    [failed] = done.stderr.splitlines()
    assert failed.startswith("failed, and tried again tomorrow: data pull")
    assert "--asset ETH-USDT" in failed
    pruned, pulls, retrains = lines[0], lines[1:3], lines[3:]
    parser = argparse.ArgumentParser()
    add_models(parser)
    assert parser.parse_args(pruned[4:]).keep == 7
    assert (tmp_path / "store").read_text() == "/var/lib/roughcast/models/store\n"
    for line in pulls:
        assert make_parser().parse_args(line[3:]).to_service == "http://proxy:8000"
    for line in retrains:
        options = make_parser().parse_args(line[3:])
        assert options.from_service == "http://proxy:8000"
        assert str(options.store) == "/var/lib/roughcast/models/store"


@pytest.mark.skipif(shutil.which("haproxy") is None, reason="HAProxy is not installed")
def test_the_proxy_reads_its_configuration() -> None:
    done = subprocess.run(
        ["haproxy", "-c", "-f", DEPLOY / "haproxy" / "haproxy.cfg"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
