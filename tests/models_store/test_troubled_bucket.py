"""A remote store in which something is unreadable, damaged, lost or changed at the same time."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.local import LocalFileSystem

from models_store import Shelf, Store, outgoing
from models_store.changed import CHANGED
from models_store.mirror import Mirror, mirror_of
from models_store.pruning import prune
from models_store.remote import Remote
from models_store.signatures import SIGNATURE, SUMS, TrustedKeys, read_private_key, sign
from tests.errors import details
from tests.keys import write_keys
from tests.models_store.artifacts import make_files, opened
from tests.models_store.buckets import (
    Killed,
    followed,
    make_url,
    mirrored,
    refusing,
    with_a_newer_version,
    with_two_versions,
)
from tests.models_store.test_mirror import LATER, MODEL, contents
from volatility.errors import InvalidInput

OTHER = "OTHER", "har"


@pytest.fixture
def url() -> str:
    return make_url()


@pytest.fixture
def writer(url: str, tmp_path: Path) -> Store:
    store = with_two_versions(url, tmp_path / "writer")
    store.set_champion(*MODEL)
    return store


@pytest.fixture
def reader(url: str, writer: Store, tmp_path: Path) -> Mirror:
    return followed(mirror_of(url, tmp_path / "reader"))


def denied(part: str) -> Callable[[str, bytes], Exception | None]:
    return lambda path, _: PermissionError("AccessDenied") if part in path else None


def without_ranges(_path: str, content: bytes) -> Exception | None:
    """What S3 says when it is asked for the first bytes of an empty object."""
    return None if content else OSError("InvalidRange")


@pytest.mark.parametrize("part", ["har/3/manifest.json", f"har/3/{SUMS}", "OTHER/har/current"])
def test_one_object_that_cannot_be_read_keeps_nothing_else_back(
    url: str, writer: Store, reader: Mirror, tmp_path: Path, part: str
) -> None:
    writer.publish(make_files(intercept=3e-5))
    writer.publish(make_files(*OTHER), promote=True)
    writer.promote(*MODEL, 2)
    fresh = Mirror(url, tmp_path / "fresh")
    with refusing(denied(part)):
        for mirror in (reader, fresh):
            assert mirror.follow()
            assert part.rpartition("/")[0] in str(mirror.doubt)
            assert "AccessDenied" in str(mirror.doubt)
            assert Store(mirror.root).current(*MODEL) == 2
            assert opened(Shelf(Store(mirror.root)), *MODEL).version == 2
        assert Store(reader.root).publish(make_files(intercept=4e-5)) == 4
    for mirror in (reader, fresh):  # without a note
        assert mirror.follow()
        assert mirror.doubt is None
        assert contents(mirror.root) == contents(mirrored(url, writer.root).root)


def test_nothing_begins_where_nothing_can_be_read(url: str, writer: Store, tmp_path: Path) -> None:
    fresh = Mirror(url, tmp_path / "fresh")
    with refusing(denied("")), pytest.raises(OSError, match=r"nothing is taken over: .*; 1 more"):
        fresh.follow()
    assert not contents(fresh.root)
    assert fresh.follow()
    assert contents(fresh.root) == contents(writer.root)


def test_objects_without_content_are_read(
    url: str, writer: Store, reader: Mirror, tmp_path: Path
) -> None:
    remote = Remote(url)
    writer.publish(make_files(*OTHER))
    remote.put("OTHER/har/current", b"")
    with refusing(without_ranges):
        writer.promote(*MODEL, 2)
        assert followed(reader).doubt is not None
        assert "OTHER/har/current" in str(reader.doubt)
        assert "Invalid JSON" in str(reader.doubt)
        assert Store(reader.root).current(*MODEL) == 2
        remote.put(CHANGED, b"")
        assert followed(Mirror(url, tmp_path / "fresh"))
        writer.promote(*MODEL, 1)
        assert remote.read(CHANGED, 999) != b""
        assert reader.follow()
        assert Store(reader.root).current(*MODEL) == 1


def test_a_note_that_cannot_be_read_is_none_and_is_replaced(
    url: str, writer: Store, reader: Mirror
) -> None:
    with refusing(denied(CHANGED)):
        writer.promote(*MODEL, 2)
        assert reader.follow()
        assert (Store(reader.root).current(*MODEL), reader.doubt) == (2, None)
    assert b"TEST" in Remote(url).read(CHANGED, 999)


def test_a_fault_is_looked_for_less_and_less_often(
    url: str, writer: Store, reader: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, looks, listed = time.monotonic(), [], Remote.listed

    def noting(self: Remote, under: str = "") -> object:
        looks.append(under)
        return listed(self, under)

    monkeypatch.setattr(time, "monotonic", lambda: clock)
    monkeypatch.setattr(Remote, "listed", noting)
    before = Remote(url).read("TEST/champion", 999)
    Remote(url).put("TEST/champion", b"{")
    assert followed(reader).doubt is not None
    looks.clear()
    for _ in range(60):
        clock += 5
        assert reader.follow()
    assert 6 <= len(looks) <= 9  # of 5, 10, 20, 40 and 60 seconds
    writer.promote(*MODEL, 2)
    assert reader.follow()
    assert looks[-1] == "TEST"
    assert Store(reader.root).current(*MODEL) == 2
    assert reader.doubt is not None
    Remote(url).put("TEST/champion", before)
    clock += 60
    assert reader.follow()
    assert reader.doubt is None


def test_a_signature_gives_way_to_one_that_verifies(
    url: str, writer: Store, tmp_path: Path
) -> None:
    private, public = write_keys(tmp_path)
    trusted = TrustedKeys.read([public])
    folder = writer.root / "TEST/har/1"
    sign(folder, read_private_key(private))
    name, good = f"TEST/har/1/{SIGNATURE}", (folder / SIGNATURE).read_bytes()
    mirrors = [mirror_of(url, tmp_path / "keyed", trusted), mirror_of(url, tmp_path / "keyless")]

    def found(content: bytes) -> list[bytes]:
        Remote(url).put(name, content)
        return [(followed(it).root / name).read_bytes() for it in mirrors]

    assert found(b"first\n") == [b"first\n", b"first\n"]
    assert found(good) == [good, b"first\n"]
    assert [it.doubt for it in mirrors] == [None, None]
    assert found(b"garbage\n") == [good, b"first\n"]
    assert "cannot be read" in str(mirrors[0].doubt)
    assert Store(mirrors[0].root, trusted).load(*MODEL).version == 1
    # Whoever has the key and shares the folder of one who has not.
    assert found(good) == [good, b"first\n"]
    assert (followed(Mirror(url, mirrors[1].root, trusted)).root / name).read_bytes() == good


def test_a_champion_that_is_not_here_is_not_taken_over(
    url: str, writer: Store, reader: Mirror
) -> None:
    for model in ("nosuch", "log_har"):
        if model == "log_har":
            writer.publish(make_files(model=model))  # and does not serve
        Remote(url).put("TEST/champion", f'{{"model":"{model}"}}'.encode())
        assert followed(reader).doubt is not None
        assert f"no version of {model} is in service here" in str(reader.doubt)
        assert Shelf(Store(reader.root)).champions == {"TEST": "har"}


def test_a_folder_that_is_deleted_is_filled_again(writer: Store, reader: Mirror) -> None:
    for deleted in (reader.root, reader.root / "TEST"):
        shutil.rmtree(deleted)
        if deleted == reader.root:
            reader.pull()
        else:
            reader.pull(anyway=True)
        assert contents(reader.root) == contents(writer.root)


@pytest.mark.parametrize("content", [b"{", None])
def test_a_promotion_mends_the_pointer_at_the_remote(
    url: str, writer: Store, reader: Mirror, content: bytes | None
) -> None:
    remote, name = Remote(url), "TEST/har/current"
    before = remote.read(name, 999)
    remote.remove(name) if content is None else remote.put(name, content)
    assert followed(reader).doubt is not None
    writer.promote(*MODEL, 1)
    assert remote.read(name, 999) == before
    reader.pull()  # as it was noted
    assert reader.doubt is None
    noted = remote.read(CHANGED, 999)
    writer.promote(*MODEL, 1)
    assert remote.read(CHANGED, 999) == noted


def test_what_is_promoted_while_it_is_pruned_elsewhere_stays(
    url: str, writer: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_a_newer_version(writer)
    other = mirrored(url, tmp_path / "other")
    remove = Remote.remove

    def promoted_meanwhile(self: Remote, name: str) -> None:
        remove(self, name)  # the digests, so that the version is put whole, and then thinned out
        if other.current(*MODEL) == 1:
            other.promote(*MODEL, 2)

    monkeypatch.setattr(Remote, "remove", promoted_meanwhile)
    assert prune(writer, *MODEL, 0, LATER).removed == ()
    monkeypatch.undo()
    third = mirrored(url, tmp_path / "third")
    assert third.served(*MODEL) == (2, 1)
    assert opened(Shelf(third), *MODEL).version == 2
    assert contents(third.root) == contents(other.root)


def test_what_is_pruned_while_it_is_promoted_elsewhere_is_put_back(
    url: str, writer: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_a_newer_version(writer)
    other = mirrored(url, tmp_path / "other")
    put_file = outgoing.put_file

    def pruned_meanwhile(root: Path, path: Path, content: str) -> None:
        assert prune(writer, *MODEL, 0, LATER).removed == (2,)
        put_file(root, path, content)

    monkeypatch.setattr(outgoing, "put_file", pruned_meanwhile)
    other.promote(*MODEL, 2)
    monkeypatch.undo()
    third = mirrored(url, tmp_path / "third")
    assert opened(Shelf(third), *MODEL).version == 2
    assert mirrored(url, writer.root).served(*MODEL) == (2, 1)


@pytest.mark.parametrize("lost", [f"TEST/har/1/{SUMS}", "TEST/har/current", "TEST/champion", ""])
def test_a_remote_that_has_lost_what_is_promoted_here_is_doubted(
    url: str, writer: Store, reader: Mirror, lost: str
) -> None:
    before = contents(reader.root)
    writer.publish(make_files(*OTHER))
    remote = Remote(url)
    for name in remote.listed("TEST"):
        if name.startswith(lost):
            remote.remove(name)
    assert followed(reader).doubt is not None
    assert f"{lost or 'TEST/champion'} is not at {url} any more" in str(reader.doubt)
    assert before.items() <= contents(reader.root).items()
    writer.promote(*MODEL, 1)
    writer.set_champion(*MODEL)
    assert reader.follow()
    assert reader.doubt is None


def test_what_was_rolled_back_and_pruned_meanwhile_is_not_lost(
    writer: Store, reader: Mirror
) -> None:
    with_a_newer_version(writer)
    writer.promote(*MODEL, 2)
    reader.pull()
    writer.roll_back(*MODEL)
    assert prune(writer, *MODEL, 0, LATER).removed == (2,)
    assert followed(reader).doubt is None
    assert Store(reader.root).current(*MODEL) == 1


def test_notes_alone_are_an_empty_remote(url: str, writer: Store, reader: Mirror) -> None:
    remote = Remote(url)
    for name in remote.listed():
        if name != CHANGED:
            remote.remove(name)
    assert not reader.follow(anyway=True)
    assert "has become empty" in str(reader.doubt)
    assert not reader.follow()  # though the note is the same


def test_a_stray_folder_does_not_set_the_next_number(url: str, writer: Store) -> None:
    Remote(url).put("TEST/har/999999999999999999/notes.txt", b"")
    assert writer.publish(make_files(intercept=3e-5)) == 3


def test_whether_it_can_be_written_is_tried_beside_the_note(
    url: str, writer: Store, reader: Mirror
) -> None:
    noted = Remote(url).token(CHANGED)
    outgoing.check_writable(writer.root)
    assert Remote(url).token(CHANGED) == noted
    assert followed(reader).doubt is None
    assert contents(reader.root) == contents(writer.root)


def test_a_start_of_another_release_is_told_what_to_do(url: str, tmp_path: Path) -> None:
    Remote(url).put_folder("TEST/har/1", make_files(intercept=2e-5))
    root = mirrored(url, tmp_path / "here").root
    shutil.rmtree(root / "TEST")
    Store(tmp_path / "shipped").publish(make_files(intercept=1e-5))
    shutil.copytree(tmp_path / "shipped" / "TEST", root / "TEST")
    with pytest.raises(FileExistsError, match=r"with the release that it was of, or delete all at"):
        outgoing.begin(root)


def test_a_kind_that_may_have_half_a_file_is_refused(tmp_path: Path) -> None:
    for kind in ("sftp", "nosuch", "simplecache::s3"):
        with pytest.raises(InvalidInput, match=f"a store cannot be at {kind}://") as raised:
            Mirror(f"{kind}://host/models", tmp_path / "mirror").follow()
        kinds = "s3, s3a, gs, gcs, az, abfs, abfss, memory, file"
        needed = f"a folder, or a URL of {kinds}"
        assert details(raised.value) == ("store", f"{kind}://host/models", needed)


@pytest.mark.parametrize("put", [Remote.put, Remote.create])
def test_a_file_in_a_folder_is_put_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, put: Callable[..., object]
) -> None:
    remote = Remote(f"file://{tmp_path}/models")
    assert remote.create("TEST/champion", b"first")
    assert not remote.create("TEST/champion", b"second")
    remote.put("TEST/har/current", b"first")
    name = "TEST/har/current" if put is Remote.put else "TEST/other"

    def half(_self: Any, path: str, value: bytes, **_: Any) -> None:
        Path(path).write_bytes(value[:3])
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(LocalFileSystem, "pipe_file", half)
        with pytest.raises(Killed):
            put(remote, name, b"second")
    found = {it: remote.read(it, 9) for it in remote.listed() if "/." not in it}
    assert found == {"TEST/champion": b"first", "TEST/har/current": b"first"}
    assert put(remote, name, b"second") in (None, True)
    assert remote.read(name, 9) == b"second"
    fresh = f"file://{tmp_path}/fresh"
    assert mirrored(fresh, tmp_path / "mirror").publish(make_files(), promote=True) == 1
