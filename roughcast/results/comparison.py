"""Models on the same dates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from roughcast.results.axes import axes_for
from roughcast.results.tables import MISSING, Tabular, number

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

CALENDAR = "calendar_log_har"  # the benchmark besides HAR


@dataclass(frozen=True)
class Score:
    """How one model did, out of sample.

    Attributes
    ----------
    model : its name.
    qlike_loss : mean of ``rv/f - log(rv/f) - 1``; lower is better.
    qlike_ratio : over that of the baseline; None where that is 0.
    rmse_volatility, mae_volatility : of ``sqrt(rv)``, decimal per day.
    r_squared_log : of log rv.
    pvalues : Diebold-Mariano on QLIKE, two-sided, by benchmark.
    in_confidence_set : whether the model may be the best.
    coverage : share of outcomes inside the interval that was given at the time, by level.
    """

    model: str
    qlike_loss: float
    qlike_ratio: float | None
    rmse_volatility: float
    mae_volatility: float
    r_squared_log: float
    pvalues: Mapping[str, float]
    in_confidence_set: bool
    coverage: Mapping[float, float]


@dataclass(frozen=True, repr=False)
class Comparison(Tabular):
    """Walk-forward forecasts of models side by side, on the same dates, the lowest QLIKE first.

    Attributes
    ----------
    asset : its name, if it has one.
    measure : of rv.
    horizon : sessions ahead.
    baseline : the model that ratios refer to.
    span : first and last target date.
    nobs : dates.
    scores : one a model.
    spa_pvalue : by benchmark, of "no other model is better than it".
    confidence_level : of the model confidence set.
    left_out : by model, why it was not compared.
    remarks : what is worth knowing.
    losses : QLIKE by target date and model, where it is known here.

    Examples
    --------
    >>> import roughcast
    >>> rv = roughcast.measure(roughcast.dataset("ETH-USD"))
    >>> found = roughcast.compare(rv, ["har"])
    >>> found.to_frame()["in_confidence_set"].to_dict()["last_value"]
    False
    >>> found.lines()[0]
    ['model', 'QLIKE', 'vs har', 'p', 'p: calendar', 'set']
    >>> found.plot().get_ylabel()
    'QLIKE less that of har, cumulated'
    """

    asset: str | None
    measure: str
    horizon: int
    baseline: str
    span: tuple[date, date]
    nobs: int
    scores: tuple[Score, ...]
    spa_pvalue: Mapping[str, float]
    confidence_level: float
    left_out: Mapping[str, str]
    remarks: tuple[str, ...] = ()
    losses: "pd.DataFrame | None" = field(default=None, compare=False)

    @classmethod
    def of_answer(cls, answer: Mapping[str, Any]) -> "Comparison":
        """From what the service answers."""
        first, last = map(date.fromisoformat, answer["span"])
        return cls(
            asset=answer["asset"],
            measure=answer["measure"],
            horizon=answer["horizon"],
            baseline=answer["baseline"],
            span=(first, last),
            nobs=answer["nobs"],
            scores=tuple(map(_score, answer["rows"])),
            spa_pvalue=dict(answer["spa_pvalue"]),
            confidence_level=answer["confidence_level"],
            left_out={it["model"]: it["reason"] for it in answer["excluded"]},
            remarks=tuple(answer["warnings"].values()),
        )

    @property
    def title(self) -> str:
        """What was compared, on which dates."""
        first, last = self.span
        name = f"{self.asset}: " if self.asset else ""
        ahead = "1 session" if self.horizon == 1 else f"{self.horizon} sessions"
        return f"{name}{self.measure} {ahead} ahead, {first} to {last}, n = {self.nobs}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What the columns are, and who was left out."""
        base = (
            f"vs {self.baseline}: QLIKE relative to its; p: two-sided Diebold-Mariano; set: in the "
            f"{self.confidence_level:.0%} model confidence set"
        )
        spa = self.spa_pvalue.get(self.baseline)
        chosen = (
            () if spa is None else (f"SPA, that none is better than {self.baseline}: p {spa:.3f}",)
        )
        return (base, *chosen, *self.left_out.values(), *self.remarks)

    def lines(self) -> Sequence[Sequence[str]]:
        """A row a model."""
        made = [["model", "QLIKE", f"vs {self.baseline}", "p", "p: calendar", "set"]]
        for it in self.scores:
            itself = it.model == self.baseline or it.qlike_ratio is None
            ratio = MISSING if itself else f"{(it.qlike_ratio or 0.0) - 1:+.1%}"
            against = [number(it.pvalues.get(name), ".3f") for name in (self.baseline, CALENDAR)]
            is_in = "yes" if it.in_confidence_set else "no"
            made.append([it.model, f"{it.qlike_loss:.4f}", ratio, *against, is_in])
        return made

    def to_frame(self) -> "pd.DataFrame":
        """Scores by model; p-values as ``pvalue_har`` and the like."""
        import pandas as pd

        rows = [
            {
                "qlike_loss": it.qlike_loss,
                "qlike_ratio": it.qlike_ratio,
                "rmse_volatility": it.rmse_volatility,
                "mae_volatility": it.mae_volatility,
                "r_squared_log": it.r_squared_log,
                **{f"pvalue_{name}": value for name, value in it.pvalues.items()},
                "in_confidence_set": it.in_confidence_set,
                **{f"coverage_{100 * level:g}": share for level, share in it.coverage.items()},
            }
            for it in self.scores
        ]
        return pd.DataFrame(rows, pd.Index([it.model for it in self.scores], name="model"))

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Losses against the baseline's, cumulated by date where they are known."""
        ax = axes_for(self, ax)
        if self.losses is None:
            frame = self.to_frame()["qlike_ratio"].iloc[::-1] - 1
            ax.barh(list(frame.index), frame)
            ax.axvline(0.0, color="0.7", linewidth=1)
            ax.set_xlabel(f"QLIKE against that of {self.baseline}")
            ax.xaxis.set_major_formatter("{x:.0%}")
        else:
            others = self.losses.drop(columns=self.baseline)
            behind = others.sub(self.losses[self.baseline], axis=0).cumsum()
            for model, values in behind.items():
                ax.plot(values.index, values.to_numpy(), label=str(model))
            ax.axhline(0.0, color="0.7", linewidth=1, label=self.baseline)
            ax.set_xlabel("target date")
            ax.set_ylabel(f"QLIKE less that of {self.baseline}, cumulated")
            ax.legend(frameon=False)
        return ax


def _score(row: Mapping[str, Any]) -> Score:
    return Score(
        model=row["model"],
        qlike_loss=row["qlike_loss"],
        qlike_ratio=row["qlike_ratio"],
        rmse_volatility=row["rmse_volatility"],
        mae_volatility=row["mae_volatility"],
        r_squared_log=row["r_squared_log"],
        pvalues={name: it["pvalue"] for name, it in row["diebold_mariano"].items()},
        in_confidence_set=row["in_confidence_set"],
        coverage={float(level): share for level, share in row["coverage"].items()},
    )
