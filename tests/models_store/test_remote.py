"""With what a remote store is opened, and what tells one content of a file from another."""

from pathlib import Path
from typing import Any

import fsspec.core
import pytest

from models_store.outgoing import put_folder
from models_store.remote import ExtraNeeded, Remote, _token
from models_store.signatures import SUMS
from tests.errors import details
from tests.models_store.buckets import make_url
from volatility.errors import InvalidInput

PATIENT = {"connect_timeout": 5, "read_timeout": 30, "retries": {"max_attempts": 2}}
OF_S3: dict[str, object] = {"config_kwargs": PATIENT}
KINDS: dict[str, dict[str, object]] = {
    "s3": OF_S3,
    "s3a": OF_S3,
    "gs": {},
    "gcs": {},
    "az": {},
    "abfs": {},
    "abfss": {},
    "memory": {},
    "file": {"auto_mkdir": True},
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_url_is_opened_without_a_listing_that_is_kept(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []

    def open_url(url: str, **options: object) -> tuple[str, str]:
        opened.append((url, options))
        return "files", "bucket/store/"

    monkeypatch.setattr(fsspec.core, "url_to_fs", open_url)
    remote = Remote(f"{kind}://bucket/store")
    assert (remote.files, remote._path(""), remote._path("a/b")) == (
        "files",
        "bucket/store",
        "bucket/store/a/b",
    )
    assert opened == [(remote.url, {"use_listings_cache": False} | KINDS[kind])]


def test_a_kind_where_files_may_be_in_part_is_refused() -> None:
    with pytest.raises(InvalidInput, match="a store cannot be at sftp://") as refused:
        _ = Remote("sftp://host/store").files
    needed = f"a folder, or a URL of {', '.join(KINDS)}"
    assert details(refused.value) == ("store", "sftp://host/store", needed)


@pytest.mark.parametrize("error", [ImportError("Install s3fs"), ValueError("no such protocol")])
def test_a_library_that_is_not_there_is_told_of(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(fsspec.core, "url_to_fs", fail)
    with pytest.raises(ExtraNeeded, match=f"needs a library of fsspec: {error}") as refused:
        _ = Remote("s3://bucket/store").files
    needed = "a folder, or a URL whose library is installed"
    assert details(refused.value) == ("store", "s3://bucket/store", needed)
    assert refused.value.code == "extra_missing"


TELLING = ("ETag", "etag", "generation", "md5", "mtime", "ino", "created", "LastModified", "size")


@pytest.mark.parametrize("name", TELLING)
def test_a_content_is_told_by_whatever_a_kind_says_of_it(name: str) -> None:
    info: dict[str, Any] = dict.fromkeys(TELLING, 0) | {"name": "file", "type": "file"}
    assert _token(info) != _token(info | {name: 1})
    assert _token({name: 1, "name": "a"}) == _token({name: 1, "name": "b"}) == "1"


def test_what_the_remote_has_another_of_is_refused_with_what_to_do(tmp_path: Path) -> None:
    remote, folder = Remote(make_url()), tmp_path / "TEST/har/2"
    put_folder(tmp_path, folder, {SUMS: b"of a store of its own"})  # which goes nowhere
    assert remote.listed() == {}
    (tmp_path / ".remote").write_text(remote.url)
    for _ in range(2):
        put_folder(tmp_path, folder, {SUMS: b"one", "manifest.json": b"{}"})
    assert set(remote.listed()) == {f"TEST/har/2/{it}" for it in (SUMS, "manifest.json")}
    with pytest.raises(FileExistsError) as error:
        put_folder(tmp_path, folder, {SUMS: b"other"})
    assert error.value.strerror == (
        "TEST/har/2 here is another than that of the remote; delete the mirror's folder to take "
        "that"
    )
    assert remote.read(f"TEST/har/2/{SUMS}", 9) == b"one"
