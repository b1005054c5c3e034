"""Made-up rows of comparisons, in which no two cells say the same."""

from dataclasses import replace
from typing import Any

import numpy as np

from volatility.evaluation.compare import BENCHMARKS, Comparison, ComparisonRow
from volatility.evaluation.diebold_mariano import DieboldMariano
from volatility.evaluation.influence import Influence


def outcome(pvalue: float, difference: float = -0.1) -> DieboldMariano:
    return DieboldMariano(1.0, pvalue, pvalue / 2, difference, 100, 0.05, 13)


def make_row(model: str = "mine", **changes: Any) -> ComparisonRow:
    row = ComparisonRow(
        model=model,
        qlike_loss=0.21,
        qlike_ratio=0.93,
        rmse_volatility=0.0031,
        mae_volatility=0.0024,
        r_squared_log=0.512,
        correlation_log=0.723,
        interval_loss_log={0.8: 1.801, 0.95: 2.952},
        coverage={0.8: 0.794, 0.95: 0.947},
        coverage_by_tercile={0.8: (0.701, 0.802, 0.903), 0.95: (0.911, 0.922, 0.933)},
        coverage_after_breaks={0.8: 0.614, 0.95: 0.825},
        crps_log=0.406,
        coverage_nobs=77,
        diebold_mariano={
            name: outcome(0.1 * number) for number, name in enumerate(BENCHMARKS, start=1)
        },
        in_confidence_set=True,
        confidence_set_pvalue=0.5,
        information_lag=1,
        influence={
            name: Influence(0.1 * number, np.datetime64(f"2020-03-0{number}"), 1 + 0.01 * number)
            for number, name in enumerate(BENCHMARKS, start=1)
        },
    )
    return replace(row, **changes)


def make_comparison(*rows: ComparisonRow, **changes: Any) -> Comparison:
    comparison = Comparison(
        span=(np.datetime64("2020-01-02"), np.datetime64("2020-12-30")),
        nobs=250,
        horizon=1,
        baseline="har",
        confidence_level=0.9,
        rows=rows,
        spa_pvalue=dict.fromkeys(BENCHMARKS, 0.25),
        warnings={},
        left_out={},
    )
    return replace(comparison, **changes)
