#!/usr/bin/env bash
# Pins everything, transitively, as pip resolves it today.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=.venv-lock
pip=("$venv/bin/python" -m pip --disable-pip-version-check --quiet)
trap 'rm -rf "$venv"' EXIT
rm -rf "$venv"
"${PYTHON:-python3}" -m venv "$venv"

# The requirements that pyproject.toml declares: of the service, with the driver of PostgreSQL, which
# its image must have; or of the extras named.
declared() {
    "$venv/bin/python" - "$@" <<'PY'
import sys
import tomllib
from pathlib import Path

tables = tomllib.loads(Path("pyproject.toml").read_text())
extras = [tables["project"]["optional-dependencies"][name] for name in sys.argv[1:]]
service = [
    tables["build-system"]["requires"],
    tables["project"]["dependencies"],
    tables["project"]["optional-dependencies"]["postgres"],
]
print(*sum(extras or service, []), sep="\n")
PY
}

# With the digests of all files of each release, so that nothing else is ever installed. Not of
# lists with torch, of which builds for one processor alone go by the same version elsewhere.
hashed() {
    "${pip[@]}" install uv
    sed -n '/^#/p' "$1" > "$1.hashed"
    "$venv/bin/uv" pip compile "$1" --no-deps --generate-hashes --universal \
        --no-header --no-annotate --quiet >> "$1.hashed"
    mv "$1.hashed" "$1"
}

# A local build tag such as +cpu names one machine's wheel; the version alone installs anywhere.
pins() {
    printf '# %s\n# Made by `make lock`; do not edit.\n' "$1"
    "${pip[@]}" freeze --all --exclude pip | sed -E 's/\+[[:alnum:].]+$//'
}

# Each list holds the one before it, at the same versions.
"${pip[@]}" install --upgrade --requirement <(declared)
pins 'What the service needs, and what builds the project: `make serve` and the service image.' \
    > "$venv/service.txt"
"${pip[@]}" install --constraint "$venv/service.txt" --requirement <(declared training)
pins 'service.txt and the extra training: all models but networks.' > "$venv/training.txt"
"${pip[@]}" install --constraint "$venv/training.txt" --requirement <(declared networks)
pins 'training.txt and the extra networks: `make retrain` and the training image.' \
    > "$venv/networks.txt"
"${pip[@]}" install --constraint "$venv/networks.txt" --requirement <(declared dask otel providers dev)
pins 'networks.txt and the extras dask, otel, providers and dev: `make test`, `make check` and `make bench`.' \
    > "$venv/dev.txt"
hashed "$venv/service.txt"
hashed "$venv/training.txt"
mv "$venv"/{service,training,networks,dev}.txt requirements/

# Lists of their own, at the same versions where they share something with the others.
compiled() {
    printf '# %s\n# Made by `make lock`; do not edit.\n' "$1"
    "$venv/bin/uv" pip compile - --constraint requirements/dev.txt --generate-hashes --universal \
        --no-header --no-annotate --quiet
}
{ declared; declared training docs; } | compiled 'training.txt and the extra docs: `make docs`.' > "$venv/docs.txt"
printf '%s\n' build twine 'setuptools>=80' wheel |
    compiled 'What builds and checks a release: `make release`.' > "$venv/release.txt"
mv "$venv"/{docs,release}.txt requirements/
