"""``python -m training sign``, and a service that asks for signatures."""

from pathlib import Path

import pytest

from models_store import Store
from models_store.signatures import SIGNATURE, TrustedKeys
from models_store.stored_comparisons import promoted, recall, record
from tests.keys import write_keys
from tests.models_store.artifacts import make_files, verified
from tests.models_store.buckets import failing, make_url, mirrored
from training.cli import main


@pytest.fixture
def root(tmp_path: Path) -> Path:
    store = Store(tmp_path / "store")
    for asset in ("ONE", "TWO"):
        store.publish(make_files(asset, "har", 1e-5), promote=True)
    store.publish(make_files("ONE", "har", 2e-5))
    return store.root


def test_every_version_is_signed_once(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    private, public = write_keys(tmp_path)
    record(Store(root), "ONE")
    options = ["sign", "--store", str(root), "--key", str(private)]
    assert main(options) == 0
    assert "4 artifacts signed" in capsys.readouterr().out
    asking = Store(root, TrustedKeys.read([public]))
    assert recall(asking, "ONE", promoted(asking, "ONE"), None, (), [1]) is not None
    shelf = verified(Store(root, TrustedKeys.read([public])))
    assert {asset: shelf.models(asset) for asset in shelf.assets()} == {
        "ONE": ["har"],
        "TWO": ["har"],
    }
    assert shelf.refused == ()
    assert main(options) == 0
    assert "0 artifacts signed" in capsys.readouterr().out


def test_what_is_damaged_is_not_signed_but_named(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = root / "ONE" / "har" / "1"
    (damaged / "manifest.json").write_text("{}")
    private, _ = write_keys(tmp_path)
    assert main(["sign", "--store", str(root), "--key", str(private)]) == 1
    said = capsys.readouterr().out
    assert "2 artifacts signed" in said
    assert "not signed: manifest.json has sha256" in said
    assert not (damaged / SIGNATURE).exists()


@pytest.mark.parametrize(("store", "key"), [("store", "absent.pem"), ("absent", "publisher.pem")])
def test_what_is_not_there_is_said(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], store: str, key: str
) -> None:
    assert root.exists()
    write_keys(tmp_path)
    assert main(["sign", "--store", str(tmp_path / store), "--key", str(tmp_path / key)]) == 2
    assert "absent" in capsys.readouterr().err


def test_signatures_are_put_into_the_bucket(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    private, public = write_keys(tmp_path)
    url, mirror = make_url(), tmp_path / "mirror"
    store = mirrored(url, tmp_path / "writer")
    store.publish(make_files("ONE", "har", 1e-5), promote=True)
    options = ["sign", "--store", url, "--store-mirror", str(mirror), "--key", str(private)]
    with failing(0, error=ConnectionError):
        assert main(options) == 2
    assert "does not answer" in capsys.readouterr().err
    mirrored(url, mirror)
    with failing(4, error=ConnectionError):  # the look, what is there, and one signature's
        assert main(options) == 2
    assert (mirror / "ONE/har/1" / SIGNATURE).exists()
    assert main(options) == 0  # it is signed here, and goes on there
    mirrored(url, store.root)
    trusting = Store(store.root, TrustedKeys.read([public]))
    assert trusting.load("ONE", "har").version == 1
