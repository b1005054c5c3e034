import json
import re
import shlex
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from service.app import policy_of
from service.security.scopes import SCOPES
from service.settings import Settings

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICE, TRAINING = COMPOSE["services"]["service"], COMPOSE["services"]["training"]


def stages() -> dict[str, list[tuple[str, str]]]:
    """Instructions of each stage of the Dockerfile, after those of the stage it stands on."""
    found: dict[str, list[tuple[str, str]]] = {}
    name = ""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        instruction, _, value = line.partition(" ")
        if instruction == "FROM":
            parent, _, name = value.partition(" AS ")
            found[name] = list(found.get(parent, ()))
        found[name].append((instruction, value))
    return found


STAGES = stages()


def values(stage: str, instruction: str) -> list[str]:
    return [value for name, value in STAGES[stage] if name == instruction]


def environment(stage: str) -> dict[str, str]:
    pairs = [part for value in values(stage, "ENV") for part in shlex.split(value)]
    return dict(pair.split("=", 1) for pair in pairs)


def pins(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    found = re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", package).lower(): version for package, version in found}


@pytest.mark.parametrize("name", ["service", "training", "docs", "release"])
def test_what_is_installed_is_known_by_its_digest(name):
    text = (ROOT / "requirements" / f"{name}.txt").read_text().replace("\\\n", "")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert all(re.match(r"[\w.-]+==\S+ ", line) for line in lines)
    assert len(lines) >= len(pins(name)) > 0
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", line) for line in lines)


def mounts(service: dict) -> dict[str, str]:
    return dict(volume.split(":") for volume in service["volumes"])


@pytest.mark.parametrize(("service", "stage"), [(SERVICE, "service"), (TRAINING, "training")])
class TestBothContainers:
    def test_are_built_from_their_own_stage(self, service, stage):
        assert service["build"] == {"context": ".", "target": stage}

    def test_do_not_run_as_root(self, service, stage):
        user = values(stage, "USER")[-1]
        assert int(user.split(":")[0]) >= 1_000
        assert "user" not in service

    def test_can_write_to_their_volumes_alone(self, service, stage):
        assert service["read_only"] is True
        assert service["tmpfs"] == ["/tmp"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert all(volume in COMPOSE["volumes"] for volume in mounts(service))
        owned = " ".join(values(stage, "RUN"))
        assert "--owner roughcast" in owned
        assert all(folder in owned for folder in mounts(service).values())


def test_the_service_image_is_the_default():
    assert list(STAGES)[-1] == "service"


def test_the_store_and_the_history_are_on_volumes():
    env = SERVICE["environment"]
    models, history = mounts(SERVICE)["models"], mounts(SERVICE)["history"]
    # A rename puts the store in place, which a mount point would not allow.
    assert Path(env["ROUGHCAST_STORE"]).parent == Path(models)
    assert f"sqlite:///{history}/" in env["ROUGHCAST_DATABASE_URL"]
    assert json.loads(values("service", "VOLUME")[0]) == [models, history]


def test_image_and_compose_file_agree():
    image, compose = environment("service"), SERVICE["environment"]
    for name in ("ROUGHCAST_HOST", "ROUGHCAST_PORT", "ROUGHCAST_STORE"):
        assert image[name] == compose[name]
    assert image["ROUGHCAST_DATABASE_URL"] in compose["ROUGHCAST_DATABASE_URL"]
    assert SERVICE["ports"] == [f"127.0.0.1:${{ROUGHCAST_PORT:-8000}}:{image['ROUGHCAST_PORT']}"]


def test_every_variable_is_a_setting_of_the_service():
    from service.settings import Settings

    fields = {f"ROUGHCAST_{name.upper()}" for name in Settings.model_fields}
    given = {*environment("service"), *SERVICE["environment"]}
    assert {name for name in given if name.startswith("ROUGHCAST_")} <= fields


def test_health_is_readiness():
    _, _, command = values("service", "HEALTHCHECK")[0].partition("CMD ")
    program = json.loads(command)
    assert program[:2] == ["python", "-c"]
    compile(program[2], "healthcheck", "exec")
    assert "/health/ready" in program[2]


def test_training_runs_on_request_and_into_the_store_that_is_served():
    assert TRAINING["profiles"] == ["training"]
    assert "profiles" not in SERVICE
    assert mounts(TRAINING)["models"] == mounts(SERVICE)["models"]
    command = ["retrain", "--store", SERVICE["environment"]["ROUGHCAST_STORE"]]
    assert TRAINING["command"] == command
    assert json.loads(values("training", "CMD")[0]) == command
    assert json.loads(values("training", "ENTRYPOINT")[0]) == ["python", "-m", "training"]


def test_the_service_image_holds_no_training_library():
    installed = " ".join(values("service", "RUN"))
    assert re.findall(r"/requirements/(\w+)\.txt", installed) == ["service"]
    extras = PYPROJECT["project"]["optional-dependencies"]
    libraries = {re.split("[>=]", it)[0] for it in (*extras["training"], *extras["networks"])}
    brought = {"MarkupSafe", "markdown-it-py", "rich"}  # by Jinja2 and typer
    assert not (libraries - brought) & set(pins("service"))


def test_torch_is_in_the_extra_networks_alone():
    assert not {"torch", "onnx", "onnxscript"} & set(pins("training"))
    assert pins("networks")["torch"] == "2.13.0"
    installed = " ".join(values("training", "RUN"))
    assert re.findall(r"/requirements/(\w+)\.txt", installed) == ["service", "networks"]


def test_each_list_of_pins_holds_the_smaller_one():
    lists = [pins(name).items() for name in ("service", "training", "networks", "dev")]
    assert all(smaller < larger for smaller, larger in pairwise(lists))


def test_pins_of_the_site_agree_with_those_of_all_else():
    site, others = pins("docs"), pins("dev")
    shared = site.keys() & others.keys()
    assert shared > pins("training").keys()
    assert {name: site[name] for name in shared} == {name: others[name] for name in shared}


def test_every_declared_dependency_is_pinned():
    def declared(requirements: list[str]) -> set[str]:
        return {re.split("[>=]", requirement)[0].lower() for requirement in requirements}

    def pinned(name: str) -> set[str]:
        return {package.lower().replace("_", "-") for package in pins(name)}

    project = PYPROJECT["project"]
    extras = project["optional-dependencies"]
    build = declared(PYPROJECT["build-system"]["requires"])
    normal = {name.replace("_", "-") for name in build | declared(project["dependencies"])}
    assert normal <= pinned("service")
    driver = {name.partition("[")[0] for name in declared(extras["postgres"])}
    assert driver | {"psycopg-binary"} <= pinned("service")  # of PostgreSQL: the image has it
    assert declared(extras["training"]) <= pinned("training")
    assert declared(extras["networks"]) <= pinned("networks")
    assert {name.partition("[")[0] for name in declared(extras["docs"])} <= pinned("docs")
    assert declared([*extras["dask"], *extras["otel"], *extras["dev"]]) <= pinned("dev")


def test_pins_name_no_local_build():
    assert not [pin for pin in pins("dev").values() if "+" in pin or "@" in pin]


def test_what_the_wheel_stage_needs_is_not_ignored():
    allowed = {
        line.removeprefix("!").rstrip("/")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    rooms = {"volatility", "models_store", "training", "service", "roughcast"}
    assert rooms | {"pyproject.toml", "README.md", "LICENSE", "requirements"} == allowed


def test_the_page_on_security_says_what_the_settings_do() -> None:
    page = " ".join((ROOT / "SECURITY.md").read_text().split())
    named = {it.lower() for it in re.findall(r"ROUGHCAST_([A-Z_]+)", page)}
    fields = Settings.model_fields
    assert (
        {"authentication", "trusted_keys", "max_body_bytes", "rate_limit"} <= named <= set(fields)
    )
    assert f"listens on {fields['host'].default} and asks for no key" in page
    assert f"Keys have scopes: {', '.join(SCOPES)}." in page
    assert fields["authentication"].default == "auto"
    assert policy_of(Settings()).keys_required is False
    assert policy_of(Settings(host="0.0.0.0")).keys_required is True
    assert fields["rate_limit"].default is None


def test_the_page_on_images_says_which_lists_have_digests() -> None:
    page = (ROOT / "docs" / "docker.md").read_text()
    without = {
        it.name for it in (ROOT / "requirements").glob("*.txt") if "sha256:" not in it.read_text()
    }
    told = page[page.index("`networks.txt`, of the") : page.index("have digests.")]
    assert set(re.findall(r"`(\w+\.txt)`", told)) == without
    assert "make sbom" in page
    assert re.search(r"install cyclonedx-bom==\d", (ROOT / "Makefile").read_text())
