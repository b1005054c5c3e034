"""Kills lose nothing that was acknowledged; a writer that acknowledges too early is caught."""

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.kills.__main__ import main
from benchmarks.kills.following import follow
from benchmarks.kills.forecasting import Asker, forecast, left_in_ledger
from benchmarks.kills.ingesting import ingest
from benchmarks.kills.processes import Found
from benchmarks.kills.publishing import publish
from tests.benchmarks.mutants import (
    commit_late,
    date_states_early,
    point_late,
    record_every_other,
    serve_what_served_before,
    write_row_by_row,
)

Run = Callable[..., Found]


@pytest.mark.parametrize(("run", "kills"), [(ingest, 3), (forecast, 2), (follow, 2), (publish, 6)])
def test_nothing_that_was_acknowledged_is_lost(run: Run, kills: int, tmp_path: Path) -> None:
    found = run(tmp_path, kills)
    assert found.kills == kills
    assert found.acknowledged >= kills
    assert (found.lost, found.partial) == (0, 0)


@pytest.mark.parametrize(
    ("run", "mutant"),
    [
        (ingest, commit_late),
        (forecast, record_every_other),
        (follow, record_every_other),
        (publish, point_late),
    ],
)
def test_a_writer_that_acknowledges_too_early_is_caught(
    run: Run, mutant: Callable[[], None], tmp_path: Path
) -> None:
    found = run(tmp_path, 2, mutate=mutant)
    assert found.lost > 0


def test_a_state_that_is_dated_wrongly_is_caught(tmp_path: Path) -> None:
    """What is read again is what was before the last correction."""
    found = forecast(tmp_path, 2, mutate=date_states_early)
    assert found.partial > 0


def test_a_service_that_comes_up_with_another_version_than_was_promoted_is_caught(
    tmp_path: Path,
) -> None:
    found = follow(tmp_path, 2, mutate=serve_what_served_before)
    assert found.partial > 0


def test_a_writer_that_writes_in_parts_is_caught(tmp_path: Path) -> None:
    folders = [tmp_path / str(attempt) for attempt in range(5)]
    for folder in folders:
        folder.mkdir()
    # Three kills may all come between two requests.
    assert any(ingest(it, 3, mutate=write_row_by_row, clients=1).partial for it in folders)


@pytest.mark.parametrize(("status", "number"), [(404, 1), (200, 0)])
def test_an_answer_that_the_ledger_does_not_know_is_counted_apart(
    status: int, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.kills.forecasting.call", lambda *_: (status, {}))
    asker = Asker(0, "har")
    asker.answered, asker.under_way = "0" * 32, True
    assert left_in_ledger(0, [asker]) == Found(under_way=1, unrecorded=number)
    assert left_in_ledger(0, [asker]).unrecorded == 0


def test_what_is_found_is_written_into_the_page_and_told_by_the_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text("above\n<!-- kills -->\nold\n<!-- /kills -->\nbelow\n")
    monkeypatch.setattr("benchmarks.kills.__main__.forecast", lambda *_: Found(3, 77))
    monkeypatch.setattr("benchmarks.kills.__main__.follow", lambda *_: Found(2, 9, 1))
    monkeypatch.setattr("benchmarks.kills.__main__.ingest", lambda *_: Found(3, 1234, 2))
    monkeypatch.setattr("benchmarks.kills.__main__.publish", lambda *_: Found(3, 5, 1, lost=1))
    assert main(["--kills", "9", "--page", str(page)]) == 1
    text = page.read_text()
    assert "| a service that bars are put to | 3 | 1,234 | 2 | 0 | 0 |" in text
    assert "| a service that forecasts while bars are corrected | 3 | 77 | 0 | 0 | 0 |" in text
    assert "old" not in text
    monkeypatch.setattr("benchmarks.kills.__main__.publish", lambda *_: Found(3, 5))
    assert main(["--kills", "9", "--page", str(page)]) == 0
