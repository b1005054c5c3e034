"""How large what a store holds may be, to the byte."""

from pathlib import Path

import pytest

from models_store.files import DamagedArtifact, read_file
from models_store.limits import max_bytes
from models_store.mirror import _check_sizes
from models_store.remote import Entry

KB, MB = 1_024, 1_024**2
MOST = {
    "SHA256SUMS": 4 * KB,
    "SHA256SUMS.sig": KB,
    "manifest.json": 4 * MB,
    "coefficients.json": 256 * KB,
    "model.onnx": 16 * MB,
    "members.zip": 32 * MB,
    "evaluation.npz": 8 * MB,
    "reference.npz": 4 * MB,
    "anything.else": 16 * MB,
}


@pytest.mark.parametrize("name", MOST)
def test_each_file_of_an_artifact_has_a_size_of_its_own(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        file.truncate(MOST[name])
    assert len(read_file(path, max_bytes(name))) == MOST[name]
    with path.open("wb") as file:
        file.truncate(MOST[name] + 1)
    told = f"{name} has {MOST[name] + 1} bytes; at most {MOST[name]} are read"
    with pytest.raises(DamagedArtifact, match=told):
        read_file(path, max_bytes(name))


def sized(*sizes: int) -> dict[str, Entry]:
    return {f"{place}": Entry(size, "") for place, size in enumerate(sizes)}


def test_a_whole_artifact_of_a_remote_is_weighed_before_it_is_read() -> None:
    _check_sizes(sized(*[6 * MB] * 8))
    with pytest.raises(DamagedArtifact, match="it has 9 files; at most 8 are read"):
        _check_sizes(sized(*[1] * 9))
    with pytest.raises(DamagedArtifact, match="it has more than 50331648 bytes"):
        _check_sizes(sized(*[6 * MB] * 7, 6 * MB + 1))
