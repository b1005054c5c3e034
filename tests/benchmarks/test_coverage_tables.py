"""The command that makes the tables of coverage, and what the tables are made of."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.coverage_tables import coverage_by_year, main
from benchmarks.exact_intervals import error_weights, exact_coverage
from volatility.evaluation.intervals import rolling_offsets

MARKERS = """before
<!-- coverage: shipped -->
<!-- /coverage: shipped -->
between
<!-- coverage: simulated -->
<!-- /coverage: simulated -->
<!-- coverage: exact -->
<!-- /coverage: exact -->
after
"""


def test_the_command_fills_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(MARKERS)
    assert main(["--page", str(page), "--asset", "ETH-USD", "--paths", "5"]) == 0
    text = page.read_text()
    for row in (
        "| ETH-USD | `log_har` | 1 |",
        "| one deviation |",
        "| 22 |",
        "before",
        "between",
        "after",
    ):
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


def test_shocks_of_an_autoregression_reach_into_the_mean_ahead() -> None:
    # x1 = e1, x2 = e2 + .5 e1, x3 = e3 + .5 e2 + .25 e1
    assert error_weights(np.array([0.5]), 3) == pytest.approx(np.array([1.75, 1.5, 1.0]) / 3)


def test_exact_intervals_hold_but_for_the_largest_breaks() -> None:
    overall, after = exact_coverage((0.4, 0.3, 0.2), 22, 1_500, 40, np.random.default_rng(5))
    assert overall == pytest.approx(0.8, abs=0.02)
    assert after < 0.7
