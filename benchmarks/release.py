"""Check the archives in ``dist/``, install the wheel into an empty environment, and use it there.

``make release`` builds the archives before. What the wheel holds is compared with the files that
git knows of the packages; an environment of its own then serves the shipped models, says what it
lacks, and evaluates once it has the extra ``training``. Nothing is published: the last lines say
how.
"""

import argparse
import http.client
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import venv
import zipfile
from collections.abc import Iterable
from pathlib import Path

from service.settings import Settings
from tests.service.processes import serving

ROOT = Path(__file__).parents[1]
QUESTION = json.dumps({"asset": "SPX", "horizons": [1, 22]})
EVALUATION = ("evaluate", "--asset", "ETH-USD", "--models", "hexp", "--out", "evaluation")
PUBLISH = """
Both archives are in dist/. To publish version {version}: write it, with its date, over what is
under Unreleased in CHANGELOG.md, commit, and then

    git tag --annotate v{version} --message "Roughcast {version}" && git push origin v{version}
    .venv-release/bin/twine upload dist/*
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dist", type=Path, default=ROOT / "dist", help="folder of the archives")
    options = parser.parse_args()
    [wheel], [source] = options.dist.glob("*.whl"), options.dist.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as inside, tarfile.open(source) as beside:
        faults = [*faults_of_wheel(inside.namelist()), *faults_of_source(beside.getnames())]
    if faults:
        sys.stderr.write("\n".join(faults) + "\n")
        return 1
    os.environ.pop("PYTHONPATH", None)  # what is asked is what was installed
    with tempfile.TemporaryDirectory() as name:
        use(wheel, Path(name))
    version = project()["version"]
    print(PUBLISH.format(version=version))
    return 0


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def packages() -> list[str]:
    """The folders at the top that are installed."""
    tables = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found = tables["tool"]["setuptools"]["packages"]["find"]["include"]
    return [it.removesuffix("*") for it in found]


def tracked() -> set[str]:
    """Files of the packages that git knows."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *packages()], cwd=ROOT, capture_output=True, check=True
    )
    return {it for it in listed.stdout.decode().split("\0") if it and (ROOT / it).is_file()}


def faults_of_wheel(names: Iterable[str]) -> list[str]:
    """What a wheel lacks or has too much, a line each."""
    held = set(names)
    info = {it for it in held if it.split("/")[0].endswith(".dist-info")}
    inside, expected = held - info, tracked()
    licence = any(it.endswith("/licenses/LICENSE") for it in info)
    return [
        *(f"the wheel lacks {it}" for it in sorted(expected - inside)),
        *(f"the wheel holds {it}, which is no file of the packages" for it in inside - expected),
        *([] if licence else ["the wheel lacks its licence"]),
    ]


def faults_of_source(names: Iterable[str]) -> list[str]:
    """What a source archive lacks or has too much, a line each."""
    held = {it.partition("/")[2] for it in names}
    needed = tracked() | {"pyproject.toml", "README.md", "LICENSE"}
    foreign = {it for it in held if it.split("/")[0] in {"var", "build", "dist", ".venv", "tests"}}
    return [
        *(f"the source archive lacks {it}" for it in sorted(needed - held)),
        *(f"the source archive holds {it}" for it in sorted(foreign)),
    ]


def use(wheel: Path, folder: Path) -> None:
    """Install a wheel in a folder, and ask of it what a stranger would."""
    venv.create(folder / "environment", with_pip=True)
    programs, empty = folder / "environment" / "bin", folder / "empty"
    empty.mkdir()

    def run(program: str, *words: str, status: int = 0) -> str:
        done = subprocess.run(
            [programs / program, *words], cwd=empty, capture_output=True, text=True, check=False
        )
        assert done.returncode == status, f"{program} {words}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    install = ("-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    run("python", *install, str(wheel))
    run("python", "-m", "pip", "--disable-pip-version-check", "check")
    for program in project()["scripts"]:
        run(program, "--help")
    print("installed; forecasts of SPX:", forecasts(programs / "python", empty))
    said = run("python", "-m", "training", "retrain", status=2)
    assert "pip install 'roughcast[training]'" in said, said
    run("python", *install, f"{wheel}[training]")
    run("python", "-m", "training", *EVALUATION)
    held = sorted(it.name for it in (empty / "evaluation").iterdir())
    print("with the extra training, an evaluation:", *held)


def forecasts(python: Path, folder: Path) -> list[float]:
    """Annualized volatility over 1 and 22 sessions, of a service that an interpreter starts."""
    settings = Settings(store=folder / "store", database_url=f"sqlite:///{folder}/h.sqlite3")
    with serving(settings, python=python, folder=folder) as served:
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
        connection.request("POST", "/forecast", QUESTION, {"Content-Type": "application/json"})
        answer = json.load(connection.getresponse())
        connection.close()
    return [it["volatility_annualized"] for it in answer["term_structure"]]


if __name__ == "__main__":
    sys.exit(main())
