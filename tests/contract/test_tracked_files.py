import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Each is put together here, so that this file does not contain it.
UNFINISHED = rb"\b(" + b"|".join([b"TODO", b"FIXME", b"XXX", b"HACK"]) + rb")\b"
MACHINE_PATHS = rb"(?<![\w.])/(home/\w|root/|Users/\w|work/|tmp/[a-z])"
REGISTRY_HOSTS = rb"(pypi\.org|pythonhosted|registry\.npmjs|download\.pytorch)"


def tracked_files() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    return [ROOT / name for name in listing.decode().split("\0") if name]


@pytest.mark.parametrize(
    "pattern",
    [UNFINISHED, MACHINE_PATHS, REGISTRY_HOSTS],
    ids=["unfinished", "paths", "registries"],
)
def test_no_tracked_file_holds(pattern):
    # Bytes, not text: an exported network can carry the paths of the machine that made it.
    holders = {
        str(path.relative_to(ROOT)): found.group().decode()
        for path in tracked_files()
        if path.is_file() and (found := re.search(pattern, path.read_bytes()))
    }
    assert holders == {}


def test_the_patterns_find_what_they_look_for():
    assert re.search(UNFINISHED, b"# TO" + b"DO: later")
    assert re.search(MACHINE_PATHS, b"see /ho" + b"me/ann/x and /tm" + b"p/x")
    assert not re.search(MACHINE_PATHS, b"GET /assets/work/bars HOME=/tmp ./tmp/x")
    assert re.search(REGISTRY_HOSTS, b"https://py" + b"pi.org/simple")
