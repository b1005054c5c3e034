import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.training.reproduction.stand_in import PAPER, expect, write_stand_in
from training.reproduction.data import SHA256, PaperDataMissing, load_paper, unusable

needs_paper = pytest.mark.skipif(not PAPER.is_dir(), reason="the paper's files are not here")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    expect(write_stand_in(tmp_path / "paper"), monkeypatch)
    return tmp_path / "paper"


def test_plain_and_compressed_files_are_read(folder: Path) -> None:
    assert (folder / "btc_test.csv.gz").is_file()
    assert (folder / "spx_test.csv").is_file()
    data = load_paper(folder)
    assert data.bitcoin.bars.interval == 3_600
    assert data.spx.bars.interval == 86_400
    parts = (data.bitcoin.training, data.bitcoin.validation, data.bitcoin.test)
    joined = np.concatenate([part.log_rv for part in parts])
    np.testing.assert_array_equal(joined, data.bitcoin.whole.log_rv[-len(joined) :])
    assert (np.diff(data.bitcoin.test.times) == np.timedelta64(1, "h")).all()


def test_what_is_absent_is_named_with_where_it_comes_from(folder: Path) -> None:
    (folder / "spx_val.csv").unlink()
    (folder / "btc_data.csv.gz").unlink()
    with pytest.raises(PaperDataMissing) as refused:
        load_paper(folder)
    message = str(refused.value)
    assert "lacks 2 of the paper's 8 files" in message
    assert "spx_val.csv: absent" in message
    assert "btc_data.csv: absent" in message
    assert "github.com/ronitdhansoia/vltlty" in message
    assert "--download" in message


def test_a_folder_that_does_not_exist_lacks_everything(tmp_path: Path) -> None:
    assert unusable(tmp_path / "nowhere") == dict.fromkeys(SHA256, "absent")


def test_a_changed_file_is_refused(folder: Path) -> None:
    path = folder / "spx_train.csv"
    path.write_text(path.read_text().replace("2019-02", "2018-02", 1))
    assert list(unusable(folder)) == ["spx_train.csv"]
    assert "sha256" in unusable(folder)["spx_train.csv"]


def test_a_file_that_was_cut_off_is_refused(folder: Path) -> None:
    path = folder / "btc_val.csv.gz"
    path.write_bytes(path.read_bytes()[:1_000])
    assert "cannot be decompressed" in unusable(folder)["btc_val.csv"]
    with pytest.raises(PaperDataMissing, match=r"btc_val\.csv"):
        load_paper(folder)


def test_a_good_copy_beside_a_damaged_one_is_enough(folder: Path) -> None:
    compressed = folder / "btc_val.csv.gz"
    (folder / "btc_val.csv").write_bytes(gzip.decompress(compressed.read_bytes()))
    compressed.write_bytes(b"no gzip at all")
    assert unusable(folder) == {}
    assert len(load_paper(folder).bitcoin.validation) > 300


def test_what_is_loaded_does_not_depend_on_the_folder(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    one, other = load_paper(folder), load_paper(tmp_path / "copy")
    np.testing.assert_array_equal(one.spx.whole.log_rv, other.spx.whole.log_rv)


@needs_paper
def test_the_papers_files_have_the_rows_that_the_paper_says() -> None:
    data = load_paper(PAPER)
    assert len(data.spx.whole) == 1_467
    assert len(data.bitcoin.whole) == 17_338
    parts = (data.bitcoin.training, data.bitcoin.validation, data.bitcoin.test)
    assert [len(part) for part in parts] == [2_601, 1_300, 1_301]
