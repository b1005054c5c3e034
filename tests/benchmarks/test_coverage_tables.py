"""The command that makes the tables of coverage, and what the tables are made of."""

from pathlib import Path

import numpy as np

from benchmarks.coverage_tables import coverage_by_year, main
from volatility.evaluation.intervals import rolling_offsets

MARKERS = """before
<!-- coverage: shipped -->
<!-- /coverage: shipped -->
between
<!-- coverage: simulated -->
<!-- /coverage: simulated -->
after
"""


def test_the_command_fills_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(MARKERS)
    assert main(["--page", str(page), "--asset", "ETH-USD", "--paths", "5"]) == 0
    text = page.read_text()
    for row in ("| ETH-USD | `log_har` | 1 |", "| one deviation |", "before", "between", "after"):
        assert row in text


def test_coverage_by_hand() -> None:
    residuals = np.random.default_rng(3).normal(size=250 + 250 + 130 + 1)
    found = coverage_by_year(residuals, 250)
    assert found.sessions.tolist() == [250, 131]
    offsets = rolling_offsets(residuals, (0.8,))[:, 0]
    lower, upper = offsets[500]
    last = residuals[500:]
    assert found.frozen[1] == np.mean((lower <= last) & (last <= upper))
    lower, upper = offsets[250:500].T
    assert found.served[0] == np.mean((lower <= residuals[250:500]) & (residuals[250:500] <= upper))


def test_recalibration_follows_where_frozen_offsets_do_not() -> None:
    rng = np.random.default_rng(4)
    residuals = np.concatenate([rng.normal(size=250), 3 * rng.normal(size=1000)])
    found = coverage_by_year(residuals, 1000)
    assert found.frozen[0] < 0.4
    assert found.served[0] > 0.7
