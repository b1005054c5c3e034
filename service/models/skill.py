"""How a model did out of sample, as a forecast says it."""

from datetime import date
from typing import Literal, NamedTuple, Self

from models_store.comparison import ratio_to
from service.http.json import to_date
from volatility.evaluation.compare import BENCHMARKS, Comparison, ComparisonRow

Source = Literal["test", "live"]
ENOUGH = 250  # live outcomes from which on they count: a coverage of 80 % is then known to 2.5 %
HARDEST = BENCHMARKS[-1]  # calendar-adjusted log-HAR


class ModelSkill(NamedTuple):
    """How a model did against a baseline, out of sample, on the same dates.

    Parameters
    ----------
    baseline : the model it is measured against.
    qlike_ratio : its QLIKE over that of the baseline; NaN or infinite where the latter is 0.
    dm_pvalue : two-sided, of Diebold-Mariano against the baseline; None for the baseline itself.
    in_confidence_set : whether the model confidence set holds it; None of live forecasts, of which
        none is made.
    nobs : dates compared.
    span : the first and the last of them.
    calendar_log_har : QLIKE over that of calendar-adjusted log-HAR, and the p-value; None for the
        benchmark itself and where it is not in service.
    source : which forecasts: of the test part, or live ones.
    """

    baseline: str
    qlike_ratio: float
    dm_pvalue: float | None
    in_confidence_set: bool | None
    nobs: int
    span: tuple[date, date]
    calendar_log_har: tuple[float, float] | None
    source: Source = "test"

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


class LiveStanding(NamedTuple):
    """How a version of a model did live, once there are enough outcomes.

    Parameters
    ----------
    skill : beside HAR; None where too few of its forecasts are recorded.
    coverage : by level, share of outcomes inside of the intervals and how many there were.
    """

    skill: ModelSkill | None
    coverage: tuple[tuple[float, float, int], ...]
