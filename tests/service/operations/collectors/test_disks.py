import shutil
import threading
from collections import namedtuple
from pathlib import Path

import pytest

from service.operations.collectors import disks
from service.operations.collectors.disks import DiskMetrics
from tests.service.operations.samples import samples_of

Usage = namedtuple("Usage", ["total", "used", "free"])


def test_size_and_room_are_told_of_each_folder_that_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def disk_usage(folder: Path) -> Usage:
        if folder == tmp_path / "gone":
            raise FileNotFoundError(folder)
        return Usage(1_000, 400, 500)  # 100 are kept for the administrator

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)
    found = samples_of(DiskMetrics({"history": tmp_path / "gone", "store": tmp_path}))
    assert found == {
        ("roughcast_disk_size_bytes", "store"): 1_000,
        ("roughcast_disk_free_bytes", "store"): 500,
    }


def test_a_disk_that_does_not_answer_keeps_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, looks = threading.Event(), []

    def disk_usage(_folder: Path) -> Usage:
        looks.append(threading.current_thread())
        gate.wait(30)
        return Usage(1_000, 400, 500)

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)
    monkeypatch.setattr(disks, "_PATIENCE", 0.01)
    metrics = DiskMetrics({"store": tmp_path})
    assert [samples_of(metrics) for _ in range(3)] == [{}, {}, {}]
    assert len(looks) == 1
    assert looks[0].daemon
    gate.set()
    looks[0].join(30)
    monkeypatch.setattr(disks, "_PATIENCE", 30)
    assert samples_of(metrics)["roughcast_disk_free_bytes", "store"] == 500
