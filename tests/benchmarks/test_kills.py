"""Kills lose nothing that was acknowledged; a writer that acknowledges too early is caught."""

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.kills import Found, ingest, main, publish
from tests.benchmarks.mutants import commit_late, point_late, write_row_by_row

Run = Callable[..., Found]


@pytest.mark.parametrize(("run", "kills"), [(ingest, 4), (publish, 10)])
def test_nothing_that_was_acknowledged_is_lost(run: Run, kills: int, tmp_path: Path) -> None:
    found = run(tmp_path, kills)
    assert found.kills == kills
    assert found.acknowledged >= kills
    assert (found.lost, found.partial) == (0, 0)


@pytest.mark.parametrize(("run", "mutant"), [(ingest, commit_late), (publish, point_late)])
def test_a_writer_that_acknowledges_too_early_is_caught(
    run: Run, mutant: Callable[[], None], tmp_path: Path
) -> None:
    found = run(tmp_path, 4, mutate=mutant)
    assert found.lost > 0


def test_a_writer_that_writes_in_parts_is_caught(tmp_path: Path) -> None:
    assert ingest(tmp_path, 3, mutate=write_row_by_row, clients=1).partial > 0


def test_what_is_found_is_written_into_the_page_and_told_by_the_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text("above\n<!-- kills -->\nold\n<!-- /kills -->\nbelow\n")
    monkeypatch.setattr("benchmarks.kills.ingest", lambda *_: Found(3, 1234, 2))
    monkeypatch.setattr("benchmarks.kills.publish", lambda *_: Found(3, 5, 1, lost=1))
    assert main(["--kills", "6", "--page", str(page)]) == 1
    text = page.read_text()
    assert "| a service that bars are put to | 3 | 1,234 | 2 | 0 | 0 |" in text
    assert "old" not in text
    monkeypatch.setattr("benchmarks.kills.publish", lambda *_: Found(3, 5))
    assert main(["--kills", "6", "--page", str(page)]) == 0
