"""How a model did out of sample, as a forecast says it."""

from dataclasses import dataclass
from datetime import date
from typing import Self

from service.http.json import to_date
from service.models.asset_comparison import ratio_to
from volatility.evaluation.compare import BENCHMARKS, Comparison, ComparisonRow

HARDEST = BENCHMARKS[-1]  # calendar-adjusted log-HAR


@dataclass(frozen=True, slots=True)
class ModelSkill:
    """How a model did against a baseline, out of sample, on the same dates.

    Parameters
    ----------
    baseline : the model it is measured against.
    qlike_ratio : its QLIKE over that of the baseline; NaN or infinite where the latter is 0.
    dm_pvalue : two-sided, of Diebold-Mariano against the baseline; None for the baseline itself.
    in_confidence_set : whether the model confidence set holds it.
    nobs : dates compared.
    span : the first and the last of them.
    calendar_log_har : QLIKE over that of the hardest benchmark, and the p-value; None for the
        benchmark itself and where it is not in service.
    """

    baseline: str
    qlike_ratio: float
    dm_pvalue: float | None
    in_confidence_set: bool
    nobs: int
    span: tuple[date, date]
    calendar_log_har: tuple[float, float] | None

    @classmethod
    def of(cls, row: ComparisonRow, result: Comparison) -> Self:
        """That of one row of a comparison."""
        test = row.diebold_mariano.get(result.baseline)
        first, last = result.span
        return cls(
            baseline=result.baseline,
            qlike_ratio=row.qlike_ratio,
            dm_pvalue=test.pvalue if test else None,
            in_confidence_set=row.in_confidence_set,
            nobs=result.nobs,
            span=(to_date(first), to_date(last)),
            calendar_log_har=ratio_to(HARDEST, row, result),
        )
