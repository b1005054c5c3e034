import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# A bracketed letter keeps this file from holding what it looks for.
UNFINISHED = rb"\b(TOD[O]|FIXM[E]|XX[X]|HAC[K])\b"
MACHINE_PATHS = rb"(?<![\w.])/(home/\w|root/|Users/\w|work/|tmp/[a-z])"
REGISTRY_HOSTS = rb"(pypi[.]org|pythonhoste[d]|registry[.]npmjs|download[.]pytorch)"


def tracked_files() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    return [ROOT / name for name in listing.decode().split("\0") if name]


def holders(pattern: bytes, *, text_only: bool = False) -> dict[str, str]:
    """What is found first in each tracked file, by its name."""
    found = {}
    for path in filter(Path.is_file, tracked_files()):
        content = path.read_bytes()
        match = re.search(pattern, content)
        if match and not (text_only and b"\0" in content):
            found[str(path.relative_to(ROOT))] = match.group().decode()
    return found


@pytest.mark.parametrize("pattern", [MACHINE_PATHS, REGISTRY_HOSTS], ids=["paths", "registries"])
def test_no_tracked_file_names_one_machine(pattern):
    # Binary files too: an exported network can carry the paths of the machine that made it.
    assert holders(pattern) == {}


def test_no_tracked_text_is_marked_unfinished():
    # Three given letters in a row come about by chance in megabytes of weights.
    assert holders(UNFINISHED, text_only=True) == {}


def test_the_patterns_find_what_they_look_for():
    assert re.search(UNFINISHED, b"# TO" + b"DO: later")
    assert re.search(MACHINE_PATHS, b"see /ho" + b"me/ann/x and /tm" + b"p/x")
    assert not re.search(MACHINE_PATHS, b"GET /assets/work/bars HOME=/tmp ./tmp/x")
    assert re.search(REGISTRY_HOSTS, b"https://py" + b"pi.org/simple")
