"""A store in a real S3: moto's, in another thread, asked by s3fs. `make bucket` runs this."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from models_store import Shelf, Store
from models_store.changed import CHANGED
from models_store.mirror import Mirror, mirror_of
from models_store.outgoing import check_writable
from models_store.pruning import prune
from models_store.remote import Remote
from models_store.stored_comparisons import record
from tests.models_store.artifacts import make_files, opened
from tests.models_store.buckets import followed, mirrored, with_a_newer_version
from tests.models_store.test_mirror import LATER, contents
from tests.pages import commands
from tests.service.processes import listening

MODEL = "TEST", "har"


@pytest.fixture(scope="module", autouse=True)
def server() -> Iterator[None]:
    pytest.importorskip(
        "moto", reason="s3fs and moto have an environment of their own: make bucket"
    )
    from moto.server import ThreadedMotoServer

    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    _, port = running.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "anybody")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "anything")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield
    running.stop()


@pytest.fixture
def url(request: pytest.FixtureRequest) -> str:
    url = f"s3://models/{request.node.name.replace('_', '-')}"
    Remote(url).files.mkdirs("models", exist_ok=True)
    return url


@pytest.fixture
def writer(url: str, tmp_path: Path) -> Store:
    store = mirrored(url, tmp_path / "writer")
    store.publish(make_files(intercept=1e-5), promote=True)
    store.publish(make_files(intercept=2e-5))
    return store


def test_what_is_published_in_one_mirror_is_in_another(
    url: str, writer: Store, tmp_path: Path
) -> None:
    mirror = followed(mirror_of(url, tmp_path / "reader"))
    with_a_newer_version(writer)
    writer.promote(*MODEL, 2)
    writer.set_champion(*MODEL)
    record(writer, "TEST")
    mirror.pull()  # as the note is another
    assert contents(mirror.root) == contents(writer.root)
    assert opened(Shelf(Store(mirror.root)), *MODEL).version == 2
    assert Store(mirror.root).roll_back(*MODEL) == 1
    assert prune(writer, *MODEL, 0, LATER).removed == (2,)
    sizes = {name: it.size for name, it in Remote(url).listed("TEST/har/2").items()}
    assert sizes == {"TEST/har/2/manifest.json": 0}


def test_of_many_that_publish_at_once_each_has_a_number_of_its_own(
    url: str, writer: Store, tmp_path: Path
) -> None:
    stores = [mirrored(url, tmp_path / f"writer{it}") for it in range(4)]
    took: dict[int, int] = {}

    def publish(number: int) -> None:
        took[number] = stores[number].publish(make_files(intercept=(number + 3) * 1e-5))

    threads = [threading.Thread(target=publish, args=(it,)) for it in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(took.values()) == [3, 4, 5, 6]
    reader = mirrored(url, tmp_path / "reader")
    for number, version in took.items():
        assert reader.load(*MODEL, version).sha256 == stores[number].load(*MODEL, version).sha256


def test_objects_without_content_keep_nothing_back(url: str, writer: Store, tmp_path: Path) -> None:
    for name in ("OTHER/har/current", CHANGED):
        writer.promote(*MODEL, 2)
        Remote(url).put(name, b"")
        mirror = followed(mirror_of(url, tmp_path / "reader"))
        assert "OTHER/har/current" in str(mirror.doubt)
        assert Store(mirror.root).current(*MODEL) == 2


def test_a_command_promotes_in_the_bucket(url: str, writer: Store, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "ROUGHCAST_STORE": url,
        "ROUGHCAST_STORE_MIRROR": str(tmp_path / "mirror"),
    }
    command = [sys.executable, "-m", "service", "models", "promote", "TEST", "har", "2"]
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=120)
    assert mirrored(url, tmp_path / "reader").served(*MODEL) == (2, 1)


def test_a_bucket_that_is_not_there_is_told(url: str, tmp_path: Path) -> None:
    absent = Mirror("s3://no-such-bucket/models", tmp_path / "absent")
    absent.pull()  # as one that is empty: whether it can be begun is told by writing there
    with pytest.raises(OSError, match="bucket does not exist"):
        check_writable(absent.root)


def test_a_server_that_does_not_answer_is_told(
    url: str, writer: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = followed(mirror_of(url, tmp_path / "reader"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    mirror.remote.files.clear_instance_cache()
    away = Mirror(url, mirror.root)
    assert not away.follow()
    assert "does not answer, or refuses: Could not connect" in str(away.doubt)
    with pytest.raises(OSError, match="does not answer"):
        writer.publish(make_files(intercept=3e-5))
    assert writer.versions(*MODEL) == [1, 2]


def test_the_guide_s_commands_reach_it(tmp_path: Path) -> None:
    """But for the retrain, whose libraries are not here: test_operations_guide runs it."""
    *exports, listed, _retrain, start = commands("docs/operations.md", "A store in a bucket")
    endpoint = os.environ["AWS_ENDPOINT_URL"]
    made = Remote("s3://bucket/desk/store").files
    made.mkdirs("bucket", exist_ok=True)
    typed = "\n".join(exports).replace("https://minio.example.com", endpoint)
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    database = f"sqlite:///{tmp_path}/history.sqlite3"
    more = {"PATH": programs, "ROUGHCAST_DATABASE_URL": database}
    with listening(["bash", "-euc", f"{typed}\n{start}"], tmp_path, **more):
        pass  # it puts the shipped models there
    done = subprocess.run(
        ["bash", "-euc", f"{typed}\n{listed}"],
        cwd=tmp_path,
        env=os.environ | more,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "BTC-USD" in done.stdout
