"""Generate clients of a service from its own description, compile them, and let them ask it."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

HERE = Path(__file__).parent
ENVIRONMENT = HERE.parents[1] / ".venv-generators"  # see the Makefile
CONFIG = "post_hooks: []\n"  # as it is generated: formatting is for people


def missing() -> str | None:
    """Why no client can be generated here; None if both can."""
    if not (ENVIRONMENT / ".installed").exists():
        return "`make clients` installs the generators, with npm and from the network"
    return None if shutil.which("node") else "node is not installed"


def python_forecast(base_url: str, asset: str, folder: Path) -> dict[str, Any]:
    """What the client of ``openapi-python-client`` is told.

    Parameters
    ----------
    base_url : of the service.
    asset : whose forecast by ``har`` is asked for, with an interval at 80 %.
    folder : empty, for the client.

    Raises
    ------
    subprocess.CalledProcessError : it cannot be generated, has wrong types, or does not work.
    """
    _describe(base_url, folder)
    (folder / "config.yml").write_text(CONFIG)
    shutil.copy(HERE / "ask.py", folder)
    programs = ENVIRONMENT / "bin"
    generate = "generate --path openapi.json --meta none --output-path client --config config.yml"
    _run([programs / "openapi-python-client", *generate.split()], folder)
    _run([programs / "mypy", "ask.py", "client"], folder)
    answer: dict[str, Any] = json.loads(
        _run([programs / "python", "ask.py", base_url, asset], folder)
    )
    return answer


def typescript_forecast(base_url: str, asset: str, folder: Path) -> dict[str, Any]:
    """What a client with types of ``openapi-typescript`` is told; as :func:`python_forecast`."""
    _describe(base_url, folder)
    for name in ("ask.ts", "package.json"):
        shutil.copy(HERE / name, folder)
    modules = ENVIRONMENT / "node" / "node_modules"
    (folder / "node_modules").symlink_to(modules)
    programs = modules / ".bin"
    # Without the option, what has a default would have to be in every request.
    types = "openapi.json --default-non-nullable=false --output schema.d.ts"
    _run([programs / "openapi-typescript", *types.split()], folder)
    strict = "--strict --module nodenext --target es2022 --lib es2022,dom"
    _run([programs / "tsc", *strict.split(), "ask.ts"], folder)
    answer: dict[str, Any] = json.loads(_run(["node", "ask.js", base_url, asset], folder))
    return answer


def _describe(base_url: str, folder: Path) -> None:
    described = httpx.get(f"{base_url}/openapi.json", timeout=60).raise_for_status()
    (folder / "openapi.json").write_bytes(described.content)


def _run(command: Sequence[str | Path], folder: Path) -> str:
    done = subprocess.run(
        [str(it) for it in command], cwd=folder, check=False, capture_output=True, text=True
    )
    if done.returncode:
        print(done.stdout, done.stderr)
        done.check_returncode()
    return done.stdout
