"""The command that makes the table of coverage on a panel."""

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.panel_coverage import FORMER_WINDOW, HEADS, HORIZONS, MODELS, former_offsets, main
from volatility import datasets
from volatility.evaluation.interval_scores import PROBABILITIES


def test_the_command_fills_the_page(tmp_path: Path) -> None:
    bars = datasets.load("ETH-USD").bars
    frame = pd.DataFrame(
        {
            "asset": "ETH",
            "date": bars.timestamps.astype("datetime64[D]").astype(str),
            "open": bars.open,
            "high": bars.high,
            "low": bars.low,
            "close": bars.close,
        }
    )
    frame.to_csv(tmp_path / "bars.csv.gz", index=False)
    (tmp_path / "assets.csv").write_text("asset,kind,calendar\nETH,crypto,24/7\n")
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- coverage: panel -->\n<!-- /coverage: panel -->\nafter\n")
    assert main(["--panel", str(tmp_path), "--page", str(page)]) == 0
    rows = [line for line in page.read_text().splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 2 * len(MODELS) * len(HORIZONS)
    assert all(row.count("|") == len(HEADS) + 1 for row in rows)
    assert rows[2].startswith("| 1 | `ewma` | 250, as they are |")


def test_former_offsets_by_hand() -> None:
    residuals = np.random.default_rng(1).standard_normal(400)
    found = former_offsets(residuals, horizon=3)
    assert np.isnan(found[: FORMER_WINDOW + 2]).all()
    assert PROBABILITIES[:2] == (0.09999999999999998, 0.9)
    for date in range(FORMER_WINDOW + 2, 400):
        past = np.sort(residuals[date - 2 - FORMER_WINDOW : date - 2])
        assert tuple(found[date, :2]) == (past[24], past[-25])  # rank 251 * 0.1 = 25.1
