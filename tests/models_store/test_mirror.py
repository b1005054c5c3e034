"""A store elsewhere and its mirrors are in step, and never half there, whoever is killed when."""

import re
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models_store import ArtifactRefused, Shelf, Store, open_store
from models_store.changed import CHANGED, changes_since, with_change
from models_store.mirror import Mirror, mirror_of
from models_store.names import folder_of_file, is_pointer
from models_store.outgoing import begin
from models_store.pointers import Shadow
from models_store.pruning import prune
from models_store.remote import BEGINNING, ExtraNeeded, Remote
from models_store.shadows import end_shadow, shadow, start_shadow
from models_store.signatures import SIGNATURE, SUMS
from models_store.stored_comparisons import folders, record
from tests.errors import details
from tests.models_store.artifacts import flip_byte, make_files, opened
from tests.models_store.buckets import (
    Killed,
    failing,
    followed,
    make_url,
    mirrored,
    with_a_newer_version,
    with_two_versions,
)
from volatility.errors import InvalidInput, UnknownVersion

LATER = datetime.now(UTC) + timedelta(days=1)
MODEL = "TEST", "har"


@pytest.fixture
def url() -> str:
    return make_url()


@pytest.fixture
def writer(url: str, tmp_path: Path) -> Store:
    return with_two_versions(url, tmp_path / "writer")


def contents(root: Path) -> dict[str, bytes]:
    """Every file that is not hidden."""
    return {
        name: path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and "/." not in f"/{(name := path.relative_to(root).as_posix())}"
    }


def test_what_is_published_in_one_mirror_is_in_another(
    url: str, writer: Store, tmp_path: Path
) -> None:
    mirror = followed(mirror_of(url, tmp_path / "reader"))
    assert contents(mirror.root) == contents(writer.root)
    assert opened(Shelf(Store(mirror.root)), *MODEL).version == 1
    writer.promote(*MODEL, 2)
    writer.set_champion(*MODEL)
    assert record(writer, "TEST") == 1
    before = contents(mirror.root)
    mirror.pull()
    assert contents(mirror.root) == contents(writer.root) != before
    assert Store(mirror.root).served(*MODEL) == (2, 1)
    assert Store(mirror.root).champion("TEST") == "har"
    assert [it.name for it in folders(Store(mirror.root), "TEST")] == [
        it.name for it in folders(writer, "TEST")
    ]


def test_what_is_written_again_with_the_same_content_is_no_change(
    url: str, writer: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = followed(mirror_of(url, tmp_path / "reader"))
    noted: list[Path] = []
    monkeypatch.setattr("models_store.mirror.note_change", noted.append)
    mirror._known.clear()  # as where the remote has each under another token
    mirror.pull()
    assert noted == []
    writer.promote(*MODEL, 2)
    mirror.pull()
    assert noted == [mirror.root]


def test_a_version_on_trial_is_so_in_every_mirror(url: str, writer: Store, tmp_path: Path) -> None:
    mirror = followed(mirror_of(url, tmp_path / "reader"))
    reader = Store(mirror.root)
    with_a_newer_version(writer)
    start_shadow(writer, *MODEL, 2)
    mirror.pull()
    assert shadow(reader, *MODEL) == shadow(writer, *MODEL)
    assert shadow(reader, *MODEL).version == 2
    assert prune(writer, *MODEL, 0, LATER).removed == ()
    end_shadow(reader, *MODEL)
    assert prune(writer, *MODEL, 0, LATER).removed == (2,)
    assert shadow(writer, *MODEL) is None


def test_a_trial_that_begins_elsewhere_while_its_version_is_pruned_keeps_it(
    url: str, writer: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is put again by whichever of the two sees what the other has done."""
    with_a_newer_version(writer)
    other = mirrored(url, tmp_path / "other")
    remove = Remote.remove_folder

    def and_begin(self: Remote, name: str) -> None:
        monkeypatch.setattr(Remote, "remove_folder", remove)
        start_shadow(other, *MODEL, 2)
        remove(self, name)

    monkeypatch.setattr(Remote, "remove_folder", and_begin)
    assert prune(writer, *MODEL, 0, LATER).removed == ()
    third = mirrored(url, tmp_path / "third")
    assert (third.versions(*MODEL), shadow(third, *MODEL).version) == ([1, 2, 3], 2)


def test_a_trial_that_begins_before_its_version_is_pruned_elsewhere_puts_it_again(
    url: str, writer: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_a_newer_version(writer)
    other, put = mirrored(url, tmp_path / "other"), Remote.put

    def after_prune(self: Remote, name: str, content: bytes) -> None:
        if name.endswith("/shadow"):
            monkeypatch.setattr(Remote, "put", put)
            assert prune(writer, *MODEL, 0, LATER).removed == (2,)
        put(self, name, content)

    monkeypatch.setattr(Remote, "put", after_prune)
    start_shadow(other, *MODEL, 2)
    third = mirrored(url, tmp_path / "third")
    assert (third.versions(*MODEL), shadow(third, *MODEL).version) == ([1, 2, 3], 2)


def test_a_trial_of_what_is_not_there_is_not_taken_over(
    url: str, writer: Store, tmp_path: Path
) -> None:
    start_shadow(writer, *MODEL, 2)
    pointer = Shadow(version=9, sha256="0" * 64).model_dump_json()
    Remote(url).put("TEST/har/shadow", pointer.encode())
    mirror = followed(mirror_of(url, tmp_path / "reader"))
    assert "TEST/har/shadow" in mirror.doubt
    assert "version 9 is not here" in mirror.doubt
    assert shadow(Store(mirror.root), *MODEL) is None
    end_shadow(Store(mirror.root), *MODEL)
    mirror.pull(anyway=True)
    assert mirror.doubt is None


def test_a_remote_that_has_lost_a_version_on_trial_is_told_of(
    url: str, writer: Store, tmp_path: Path
) -> None:
    start_shadow(writer, *MODEL, 2)
    mirror = followed(mirror_of(url, tmp_path / "reader"))
    Remote(url).remove_folder("TEST/har/2")
    mirror.pull(anyway=True)
    assert "TEST/har/2" in mirror.doubt


def test_each_mirror_can_publish(url: str, writer: Store, tmp_path: Path) -> None:
    other = mirrored(url, tmp_path / "other")
    assert other.publish(make_files(intercept=3e-5), promote=True) == 3
    assert writer.roll_back(*MODEL) == 1  # it has heard of the promotion by then
    with pytest.raises(UnknownVersion):
        other.roll_back(*MODEL)
    assert writer.publish(make_files(intercept=4e-5)) == 4
    assert other.versions(*MODEL) == [1, 2, 3]
    other.promote(*MODEL, 4)
    assert other.versions(*MODEL) == [1, 2, 3, 4]
    assert mirrored(url, tmp_path / "third").served(*MODEL) == (4, 1)


def test_of_two_that_publish_at_once_one_takes_the_next_number(
    url: str, writer: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = mirrored(url, tmp_path / "other")
    listed = Remote.listed
    took: list[int] = []

    def listed_before_another(self: Remote, under: str = "") -> object:
        found = listed(self, under)
        if not took:
            took.append(0)
            took[0] = writer.publish(make_files(intercept=3e-5))
        return found

    monkeypatch.setattr(Remote, "listed", listed_before_another)
    version = other.publish(make_files(intercept=4e-5), promote=True)
    assert (took, version) == ([3], 4)
    monkeypatch.undo()
    third = mirrored(url, tmp_path / "third")
    assert third.versions(*MODEL) == [1, 2, 3, 4]
    assert third.current(*MODEL) == 4
    assert (third.root / "TEST/har/3" / SUMS).read_bytes() == (
        writer.root / "TEST/har/3" / SUMS
    ).read_bytes()
    assert (third.root / "TEST/har/4" / SUMS).read_bytes() == (
        other.root / "TEST/har/4" / SUMS
    ).read_bytes()


def _publish(store: Store) -> object:
    return store.publish(make_files(intercept=3e-5), promote=True)


def _promote(store: Store) -> None:
    store.promote(*MODEL, 2)


def _name(store: Store) -> None:
    store.set_champion(*MODEL)


def _prune(store: Store) -> object:
    return prune(store, *MODEL, 0, LATER)


def _compare(store: Store) -> object:
    return record(store, "TEST")


CHANGES: tuple[Callable[[Store], object], ...] = (_publish, _promote, _name, _prune, _compare)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("is_done", [False, True])
def test_whoever_is_killed_while_writing_leaves_nothing_half(
    change: Callable[[Store], object], is_done: bool, tmp_path: Path
) -> None:
    calls = 0
    while True:
        folder, url = tmp_path / str(calls), make_url()
        store = mirrored(url, folder / "writer")
        store.publish(make_files(intercept=1e-5), promote=True)
        store.publish(make_files(intercept=2e-5))
        with_a_newer_version(store)
        with failing(calls, is_done) as used:
            try:
                change(store)
                is_killed = False
            except Killed:
                is_killed = True
        if not is_killed:
            break
        reader = mirrored(url, folder / "reader")
        _check(reader)
        change(store)  # the same again
        followed(mirror_of(url, reader.root))
        _check(reader)
        served = [(it.pointer(*MODEL), it.champion("TEST")) for it in (reader, store)]
        assert served[0] == served[1]
        assert set(store.versions(*MODEL)) <= {*reader.versions(*MODEL)}
        again = mirrored(url, folder / "again")
        assert again.versions(*MODEL) == store.versions(*MODEL)
        assert contents(again.root) == contents(store.root)
        calls += 1
    assert used
    assert calls >= 3


def _check(store: Store) -> None:
    """Nothing is refused, and the model that serves opens."""
    for version in store.versions(*MODEL):
        store.load(*MODEL, version)
    shelf = Shelf(store)
    opened(shelf, *MODEL)
    assert shelf.refused == ()
    assert not list(store.root.rglob(".unfinished*"))


@pytest.mark.parametrize("is_done", [False, True])
def test_whoever_is_killed_while_bringing_leaves_nothing_half(
    is_done: bool, url: str, writer: Store, tmp_path: Path
) -> None:
    first = mirrored(url, tmp_path / "first")
    writer.publish(make_files(model="log_har", intercept=4e-5), promote=True)
    writer.promote(*MODEL, 2)
    writer.set_champion("TEST", "log_har")
    record(writer, "TEST")
    calls = 0
    while True:
        readers = [Mirror(url, tmp_path / f"fresh{calls}"), Mirror(url, first.root)]
        killed = 0
        for reader in readers:
            with failing(calls, is_done):
                try:
                    reader.pull()
                except Killed:
                    killed += 1
            if reader is readers[1] and Store(reader.root).current(*MODEL):
                _check(Store(reader.root))
            for model in Store(reader.root).models("TEST") if reader.root.is_dir() else []:
                for version in Store(reader.root).versions("TEST", model):
                    Store(reader.root).load("TEST", model, version)
        if not killed:
            break
        assert contents(mirrored(url, readers[0].root).root) == contents(writer.root)
        calls += 1
    assert calls > 20
    assert contents(first.root) == contents(writer.root)


def test_a_killed_start_with_the_shipped_models_is_completed(url: str, tmp_path: Path) -> None:
    source = Store(tmp_path / "source")
    source.publish(make_files(intercept=1e-5), promote=True)
    source.set_champion(*MODEL)
    calls = 0
    while True:
        url = make_url()
        root = tmp_path / f"begun{calls}"
        mirrored(url, root)
        for path, content in contents(source.root).items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        with failing(calls):
            try:
                begin(root)
            except Killed:
                pass
            else:
                break
        late = mirrored(url, tmp_path / f"late{calls}")
        assert late.assets() == []
        begin(root)
        assert BEGINNING not in Remote(url).listed()
        assert contents(mirrored(url, late.root).root) == contents(source.root)
        calls += 1
    assert calls > 6


def test_whoever_opens_an_empty_remote_puts_the_shipped_models_there(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Store(tmp_path / "source")
    source.publish(make_files(), promote=True)
    monkeypatch.setattr("models_store.shipped.shipped_artifacts", lambda: source.root)
    begun = open_store(mirrored(url, tmp_path / "begun").root)
    begun.publish(make_files(intercept=9e-5), promote=True)
    again = open_store(mirrored(url, tmp_path / "again").root)
    assert again.served(*MODEL) == begun.served(*MODEL) == (2, 1)
    assert source.versions(*MODEL) == [1]


def test_while_the_remote_is_away_nothing_is_published_and_what_is_here_serves(
    url: str, writer: Store, tmp_path: Path
) -> None:
    mirror = followed(mirror_of(url, tmp_path / "reader"))
    fresh = Mirror(url, tmp_path / "fresh")
    before = contents(writer.root)
    with failing(0, error=ConnectionError):
        for change in (_publish, _promote, _name, _prune):
            with pytest.raises(OSError, match="does not answer, or refuses: the connection"):
                change(writer)
        assert not mirror.follow()
        assert mirror.doubt is not None
        assert mirror.doubt.startswith(f"the store is not followed: {url} does not answer")
        with pytest.raises(OSError, match="does not answer"):
            fresh.follow()
    assert contents(writer.root) == contents(mirror.root) == before
    assert opened(Shelf(Store(mirror.root)), *MODEL).version == 1
    assert mirror.follow()
    assert mirror.doubt is None


def test_a_remote_that_has_become_empty_takes_nothing_away(
    url: str, writer: Store, tmp_path: Path
) -> None:
    mirror = followed(mirror_of(url, tmp_path / "reader"))
    remote = Remote(url)
    for name in remote.listed():
        remote.remove(name)
    assert not mirror.follow(anyway=True)
    assert "has become empty" in str(mirror.doubt)
    assert contents(mirror.root) == contents(writer.root)


def test_a_look_without_a_note_lists_nothing(
    url: str, writer: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = followed(mirror_of(url, tmp_path / "reader"))
    with failing(1):  # one question is all
        assert mirror.follow()
    listed = Remote.listed
    asked = []

    def noted(self: Remote, under: str = "") -> object:
        asked.append(under)
        return listed(self, under)

    writer.promote(*MODEL, 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Remote, "listed", noted)
        mirror.pull()
        assert asked == ["TEST"]
        assert Store(mirror.root).current(*MODEL) == 2
        Remote(url).put(CHANGED, b"what nobody can read")
        mirror.pull()
        assert asked == ["TEST", ""]
    writer.promote(*MODEL, 1)
    mirror.pull()
    assert Store(mirror.root).current(*MODEL) == 1
    Remote(url).put("TEST/har/current", (writer.root / "TEST/har/current").read_bytes() + b" ")
    mirror.pull()
    before = contents(mirror.root)
    assert before == contents(writer.root)
    later = time.monotonic() + 61
    monkeypatch.setattr(time, "monotonic", lambda: later)
    mirror.pull()  # which nobody has noted
    assert contents(mirror.root) != before


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("TEST/har/2/manifest.json", b"{}", "manifest.json has sha256"),
        ("TEST/har/2/more.json", b"{}", "disagree on more.json"),
        ("TEST/har/2/SHA256SUMS", b" " * 5000, "SHA256SUMS has more than 4096 bytes"),
        ("TEST/har/2/model.onnx", b" " * (48 * 1024 * 1024), "has more than 50331648 bytes"),
        ("TEST/har/current", b"{", "Invalid JSON"),
        ("TEST/har/current", b"[]", "should be an object"),
        ("TEST/har/current", b" " * 70_000, "has more than 65536 bytes"),
        ("TEST/champion", b"har", "Invalid JSON"),
        (
            "TEST/har/current",
            b'{"version": 7, "sha256": "' + b"a" * 64 + b'", "promoted_at": "2026-01-01T00:00Z"}',
            "version 7 is not here",
        ),
        (
            "TEST/har/current",
            b'{"version": 1, "sha256": "' + b"a" * 64 + b'", "promoted_at": "2026-01-01T00:00Z"}',
            "version 1 here is another than that of the remote",
        ),
    ],
)
def test_what_is_damaged_is_left_where_it_is(
    url: str, writer: Store, tmp_path: Path, name: str, content: bytes, why: str
) -> None:
    before = mirrored(url, tmp_path / "before").pointer(*MODEL)
    (tmp_path / "before" / "TEST/har/2").rename(tmp_path / "gone")
    Remote(url).put(name, content)
    mirror = Mirror(url, tmp_path / "before")
    mirror.pull()
    assert mirror.doubt is not None
    assert why in mirror.doubt
    assert mirror.doubt.startswith(name.removesuffix("/" + name.rpartition("/")[2])[:8])
    store = Store(mirror.root)
    assert store.pointer(*MODEL) == before
    assert opened(Shelf(store), *MODEL).version == 1
    Remote(url).put(name, b"") if name.endswith("more.json") else None
    source = writer.root / name
    if source.exists():
        Remote(url).put(name, source.read_bytes())
    else:
        Remote(url).remove(name)
    mirror.pull()  # without a note, as there is a doubt
    assert mirror.doubt is None
    assert contents(mirror.root) == contents(writer.root)


def test_a_version_of_too_many_files_is_left_where_it_is(
    url: str, writer: Store, tmp_path: Path
) -> None:
    for number in range(9):
        Remote(url).put(f"TEST/har/2/{number}.json", b"{}")
    mirror = Mirror(url, tmp_path / "reader")
    mirror.pull()
    assert "at most 8 are read" in str(mirror.doubt)
    assert Store(mirror.root).versions(*MODEL) == [1]


@pytest.mark.parametrize(
    "name",
    [
        "../TEST/har/9/SHA256SUMS",
        "TEST/../../9/SHA256SUMS",
        "TEST/har/../SHA256SUMS",
        "/TEST/har/current",
        "TEST/har/9/..",
        "TEST/har/9/.hidden",
        "TEST/har/9/a/b",
        "TEST/har/09/manifest.json",
        "TEST/Har/9/manifest.json",
        ".TEST/har/9/manifest.json",
        "universal/har/9/manifest.json",
        "universal/har/current",
        "universal/champion",
        "TEST/champion/current",
        "TEST/_comparisons/../comparison.json",
        "TEST/_comparisons/1/comparison.json",
        ".histories",
        "TEST",
        "",
    ],
)
def test_a_name_that_no_store_has_is_passed_over(name: str) -> None:
    assert folder_of_file(name) is None
    assert not is_pointer(name)


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("TEST/har/10/manifest.json", "TEST/har/10"),
        ("BTC-USD/log_har/1/SHA256SUMS.sig", "BTC-USD/log_har/1"),
        ("universal/3/model.onnx", "universal/3"),
        (f"TEST/_comparisons/{'0a' * 16}/comparison.json", f"TEST/_comparisons/{'0a' * 16}"),
    ],
)
def test_names_that_a_store_has_are_known(name: str, folder: str) -> None:
    assert folder_of_file(name) == folder
    assert is_pointer("TEST/har/current")
    assert is_pointer("TEST/champion")


def test_what_no_store_has_is_not_brought(url: str, writer: Store, tmp_path: Path) -> None:
    remote = Remote(url)
    for name in ("TEST/har/2/.hidden", "TEST/har/notes.txt", ".histories", "README", "a b/c/1/d"):
        remote.put(name, b"x")
    followed(mirror_of(url, tmp_path / "reader"))
    assert contents(tmp_path / "reader") == contents(writer.root)


def test_a_signature_that_comes_later_is_brought(url: str, writer: Store, tmp_path: Path) -> None:
    mirror = followed(mirror_of(url, tmp_path / "reader"))
    Remote(url).put(f"TEST/har/1/{SIGNATURE}", b"one\n")
    mirror.pull(anyway=True)
    assert (mirror.root / "TEST/har/1" / SIGNATURE).read_bytes() == b"one\n"


def test_a_version_that_the_remote_lacks_is_put_there_before_it_is_promoted(
    url: str, writer: Store, tmp_path: Path
) -> None:
    Remote(url).remove_folder("TEST/har/2")
    writer.promote(*MODEL, 2)
    assert mirrored(url, tmp_path / "reader").served(*MODEL) == (2, 1)


def test_a_version_that_the_remote_has_another_of_is_not_promoted(
    url: str, writer: Store, tmp_path: Path
) -> None:
    files = make_files(intercept=9e-5)
    Remote(url).put_folder("TEST/har/2", files)
    with pytest.raises(FileExistsError, match="TEST/har/2 here is another than that of the remote"):
        writer.promote(*MODEL, 2)
    assert writer.current(*MODEL) == 1


def test_old_versions_are_removed_there_as_well(url: str, writer: Store, tmp_path: Path) -> None:
    with_a_newer_version(writer)
    assert prune(writer, *MODEL, 0, LATER).removed == (2,)
    listed = Remote(url).listed("TEST/har")
    left = {name: it.size for name, it in listed.items() if not re.search("/[13]/", name)}
    assert left.pop("TEST/har/current") > 0
    assert left == {"TEST/har/2/manifest.json": 0}
    assert mirrored(url, tmp_path / "reader").versions(*MODEL) == [1, 3]


def test_a_library_that_is_missing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: object, **__: object) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("fsspec.core.url_to_fs", absent)
    with pytest.raises(ExtraNeeded, match=r"Install s3fs .* pip install 'roughcast\[s3\]'"):
        Mirror("s3://bucket/models", tmp_path / "mirror").pull()
    monkeypatch.undo()
    place = "gs://bucket/models"
    with pytest.raises(ExtraNeeded, match="a store at gs:// needs a library of fsspec") as needed:
        Mirror(place, tmp_path / "mirror").pull()
    said = "a folder, or a URL whose library is installed"
    assert (needed.value.code, details(needed.value)) == ("extra_missing", ("store", place, said))


def test_one_folder_mirrors_one_store(url: str, writer: Store, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="is the mirror of memory://"):
        Mirror(make_url(), writer.root).pull()
    own = Store(tmp_path / "own")
    own.publish(make_files())
    for calls in (0, 99):  # nor does it serve as one while the remote is away
        with (
            failing(calls, error=ConnectionError),
            pytest.raises(InvalidInput, match="is a store of its own, and cannot mirror") as other,
        ):
            Mirror(url, own.root).follow()
        needed = "an empty folder, or none yet"
        assert details(other.value) == ("store_mirror", str(own.root), needed)


def test_a_mirror_has_a_folder_of_its_own_by_default() -> None:
    assert mirror_of("var/store") is None
    assert mirror_of(Path("/var/store")) is None
    one, same, other = (
        mirror_of(it) for it in ("s3://bucket/one", "s3://bucket/one/", "s3://bucket/other")
    )
    assert one is not None
    assert same is not None
    assert other is not None
    assert one.root == same.root != other.root
    assert one.root.parent == Path("var/mirrors")
    whole = mirror_of("memory://")
    assert whole is not None
    assert whole.remote.url == "memory://"


def test_a_bad_file_in_the_mirror_is_refused_when_it_is_opened(
    url: str, writer: Store, tmp_path: Path
) -> None:
    store = mirrored(url, tmp_path / "reader")
    manifest = store.root / "TEST/har/1/manifest.json"
    manifest.write_bytes(flip_byte(manifest.read_bytes(), 10))
    with pytest.raises(ArtifactRefused, match=r"manifest\.json has sha256"):
        store.load(*MODEL)


def test_a_note_tells_which_assets_have_changed_since() -> None:
    note = with_change(with_change(b"", "A"), "B")
    known = changes_since(note, None).latest
    assert changes_since(note, None).assets is None
    assert changes_since(note, known) == (known, frozenset())
    later = with_change(with_change(with_change(note, "A"), "C"), "A")
    assert changes_since(later, known).assets == {"A", "C"}
    assert changes_since(with_change(later, None), known).assets is None
    assert changes_since(with_change(later, "../A"), known).assets is None
    for _ in range(255):
        later = with_change(later, "D")
    assert changes_since(later, known).assets is None  # it is forgotten
    for damaged in (b"", b"{}", b"[1]", b"7", b"[[]]", b"[" * 60_000):
        assert changes_since(damaged, known) == (None, None)


def test_a_store_in_a_folder_needs_no_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("fsspec", "fsspec.core", "s3fs"):
        monkeypatch.setitem(sys.modules, name, None)  # so that to import it fails
    (tmp_path / "own").mkdir()
    store = open_store(tmp_path / "own")
    store.publish(make_files(), promote=True)
    store.set_champion(*MODEL)
    record(store, "TEST")
    assert opened(Shelf(store), *MODEL).version == 1
    with pytest.raises(ExtraNeeded):
        mirrored("memory://any", tmp_path / "mirror")
