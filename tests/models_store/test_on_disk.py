"""What lies in a store keeps its names and forms: stores of earlier releases have them."""

import io
import json
import re
from pathlib import Path

import numpy as np
import pytest

from models_store import Store
from models_store.mirror import mirror_of
from models_store.names import folder_of_file, is_pointer
from models_store.remote import Remote
from models_store.shadows import start_shadow
from models_store.stored_comparisons import record
from tests.models_store.artifacts import make_files
from tests.models_store.buckets import make_url, mirrored

VERSION = ("SHA256SUMS", "coefficients.json", "evaluation.npz", "manifest.json", "reference.npz")
SHOWN = {
    "TEST/champion",
    "TEST/har/current",
    "TEST/har/shadow",
    "TEST/_comparisons/KEY/SHA256SUMS",
    "TEST/_comparisons/KEY/comparison.json",
    *(f"TEST/har/{version}/{file}" for version in (1, 2) for file in VERSION),
}
HIDDEN = {".changed", "TEST/.lock", "TEST/har/.lock", "TEST/_comparisons/.lock"}
KEY = "0123456789abcdef" * 2


def filled(store: Store) -> set[str]:
    """Files of a store in which one of two versions serves and the other is on trial."""
    for intercept in (1e-5, 2e-5):
        store.publish(make_files(intercept=intercept))
    store.promote("TEST", "har", 1)
    start_shadow(store, "TEST", "har", 2)
    store.set_champion("TEST", "har")
    record(store, "TEST")
    return {it.relative_to(store.root).as_posix() for it in store.root.rglob("*") if it.is_file()}


def without_key(names: set[str]) -> set[str]:
    """The same with the key of a comparison, of 32 digits, as KEY."""
    return {re.sub(r"/[0-9a-f]{32}/", "/KEY/", name) for name in names}


def test_a_store_is_folders_of_assets_models_and_versions(tmp_path: Path) -> None:
    names = filled(Store(tmp_path))
    assert without_key(names) == SHOWN | HIDDEN
    assert (tmp_path / ".changed").read_bytes() == b""
    pointers = {name: json.loads((tmp_path / "TEST" / name).read_text()) for name in (
        "champion", "har/current", "har/shadow"
    )}  # fmt: skip
    assert pointers["champion"] == {"model": "har"}
    assert pointers["har/current"].keys() == {"version", "sha256", "promoted_at", "previous"}
    assert pointers["har/shadow"].keys() == {"version", "sha256"}


def test_a_remote_has_what_its_mirror_has_and_a_note_of_changes(tmp_path: Path) -> None:
    url = make_url()
    names = filled(mirrored(url, tmp_path))
    assert without_key(names) == SHOWN | HIDDEN | {".lock", ".remote"}
    assert (tmp_path / ".remote").read_text().strip() == url
    assert without_key(set(Remote(url).listed())) == SHOWN | {".changed"}
    noted = json.loads(Remote(url).read(".changed", 64 * 1024))
    assert {asset for _, asset in noted} == {"TEST"}
    assert all(len(change) == 32 for change, _ in noted)


def test_a_mirror_is_where_all_processes_of_a_machine_look() -> None:
    mirror = mirror_of("s3://bucket/store/", None)
    assert mirror is not None
    assert (mirror.remote.url, mirror.root) == (
        "s3://bucket/store",
        Path("var/mirrors/1ac35ceba1169c41"),
    )
    assert mirror_of(Path("var/store"), None) is mirror_of("var/store", None) is None


def test_arrays_have_names() -> None:
    files = make_files()
    assert {
        file: np.load(io.BytesIO(files[file])).files for file in files if file.endswith("npz")
    } == {
        "evaluation.npz": ["as_of", "target_dates", "forecast", "rv"],
        "reference.npz": ["rv", "forecast"],
    }


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("TEST/har/1/manifest.json", "TEST/har/1"),
        (f"TEST/har/{'9' * 18}/{'f' * 64}", f"TEST/har/{'9' * 18}"),
        (f"TEST/har/{'9' * 19}/file", None),
        (f"TEST/har/1/{'f' * 65}", None),
        ("TEST/har/0/file", None),
        ("TEST/har/01/file", None),
        ("TEST/har/1/.file", None),
        ("TEST/har/1/more/file", None),
        ("TEST/Har/1/file", None),
        (".TEST/har/1/file", None),
        ("TEST/champion/1/file", None),
        ("TEST/har/current", None),
        ("universal/2/model.onnx", "universal/2"),
        ("universal/0/model.onnx", None),
        ("universal/har/1/file", None),
        (f"TEST/_comparisons/{KEY}/file", f"TEST/_comparisons/{KEY}"),
        (f"TEST/_comparisons/{KEY[1:]}/file", None),
        (f"TEST/_comparisons/{KEY}0/file", None),
        (f"TEST/_comparisons/{KEY.upper()}/file", None),
        (f".TEST/_comparisons/{KEY}/file", None),
        ("file", None),
    ],
)
def test_what_a_path_is_a_file_of(name: str, folder: str | None) -> None:
    assert folder_of_file(name) == folder


@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("TEST/har/current", True),
        ("TEST/har/shadow", True),
        ("TEST/champion", True),
        ("TEST/har/champion", False),
        ("TEST/current", False),
        ("TEST/Har/current", False),
        (".TEST/har/current", False),
        (".TEST/champion", False),
        ("universal/har/current", False),
        ("universal/champion", False),
        ("TEST/har/1/current", False),
        ("champion", False),
    ],
)
def test_what_is_a_pointer(name: str, points: bool) -> None:
    assert is_pointer(name) is points
