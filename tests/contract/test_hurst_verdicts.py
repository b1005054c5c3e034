"""The table of verdict rates in docs/hurst.md is made by a command."""

from pathlib import Path

import pytest

from benchmarks import hurst_verdicts

PAGE = Path(__file__).parents[2] / "docs" / "hurst.md"


def test_a_small_run_writes_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    tables = ("<!-- bound -->\n<!-- /bound -->", "<!-- verdicts -->\nold\n<!-- /verdicts -->")
    page.write_text("\n".join(["before", *tables, "after\n"]))
    kept = [one for one in hurst_verdicts.PROCESSES if "EWMA" in one.name or "HAR" in one.name]
    monkeypatch.setattr(hurst_verdicts, "PROCESSES", kept)
    monkeypatch.setattr(hurst_verdicts, "LENGTHS", (300,))
    monkeypatch.setattr(hurst_verdicts.verdict_table, "__defaults__", ((300,),))
    assert hurst_verdicts.main(["--paths", "2", "--page", str(page)]) == 0
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "| EWMA (0.94) of returns, fBm 0.1 | 0 / 0 / 0 / 100 / 0 |" in text
    assert "| Garman-Klass | up to 1.25 times |" in text
    assert all(f"| {one.name} |" in text for one in kept)


def test_the_page_has_every_process() -> None:
    table = PAGE.read_text().split("<!-- verdicts -->")[1].split("<!-- /verdicts -->")[0]
    assert all(f"| {one.name} |" in table for one in hurst_verdicts.PROCESSES)
