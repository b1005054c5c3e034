import gzip
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.training.reproduction.stand_in import expect, write_stand_in
from training.reproduction import download as module
from training.reproduction.data import COMMIT, load_paper, unusable
from training.reproduction.download import BASE_URL, DownloadFailed, download


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that stands on a server in place of the repository."""
    folder = tmp_path / "published"
    expect(write_stand_in(folder), monkeypatch)
    for compressed in folder.glob("*.gz"):
        compressed.with_suffix("").write_bytes(gzip.decompress(compressed.read_bytes()))
        compressed.unlink()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        monkeypatch.setattr(module, "BASE_URL", f"http://127.0.0.1:{server.server_port}/")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder
        server.shutdown()
        thread.join()


def test_files_come_from_the_first_commit() -> None:
    assert f"https://raw.githubusercontent.com/ronitdhansoia/vltlty/{COMMIT}/data/" == BASE_URL


def test_everything_is_fetched_into_a_new_folder(published: Path, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    folder = tmp_path / "new" / "folder"
    written = download(folder, lambda *progress: seen.append(progress))
    assert len(written) == 8
    assert [done for _, done, _ in seen] == list(range(8))
    assert len(load_paper(folder).bitcoin.whole) > 1_000


def test_only_what_is_absent_or_damaged_is_fetched(published: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    download(folder, lambda *_: None)
    (folder / "spx_val.csv").unlink()
    (folder / "btc_val.csv").write_text("something else")
    kept = (folder / "btc_data.csv").stat().st_mtime_ns
    assert download(folder, lambda *_: None) == ["btc_val.csv", "spx_val.csv"]
    assert unusable(folder) == {}
    assert (folder / "btc_data.csv").stat().st_mtime_ns == kept
    assert download(folder, lambda *_: None) == []


def test_other_content_is_not_kept(published: Path, tmp_path: Path) -> None:
    (published / "btc_test.csv").write_text("Datetime,log_rv\n")
    folder = tmp_path / "mine"
    with pytest.raises(DownloadFailed, match=r"btc_test\.csv has content with sha256"):
        download(folder, lambda *_: None)
    assert not (folder / "btc_test.csv").exists()
    assert not list(folder.glob(".*"))


def test_a_file_that_the_server_lacks(published: Path, tmp_path: Path) -> None:
    (published / "btc_data.csv").unlink()
    with pytest.raises(DownloadFailed, match=r"btc_data\.csv cannot be fetched: HTTP Error 404"):
        download(tmp_path / "mine", lambda *_: None)


def test_a_server_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(module, "BASE_URL", "http://127.0.0.1:9/")  # discard: nobody listens
    with pytest.raises(DownloadFailed, match="cannot be fetched"):
        download(tmp_path / "mine", lambda *_: None)
