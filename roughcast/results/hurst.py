"""How rough a series is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from roughcast.results.axes import axes_for
from roughcast.results.tables import MISSING, Tabular, number

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Estimate:
    """The Hurst exponent by one estimator.

    Attributes
    ----------
    estimator : its name.
    hurst, standard_error : None where it tells nothing; :attr:`reason` says why.
    interval : of the exponent, at :attr:`level`.
    points : scale and value of each point of its fit, on which it is a slope.
    """

    estimator: str
    hurst: float | None
    standard_error: float | None
    interval: tuple[float, float] | None
    level: float
    points: tuple[tuple[float, float], ...]
    reason: str | None


@dataclass(frozen=True, repr=False)
class HurstReport(Tabular):
    """Every estimate of the Hurst exponent of log volatility, and what they amount to.

    Attributes
    ----------
    asset : its name, if it has one.
    nobs : sessions.
    measure : behind the series; None if it is not known.
    hurst : the headline; None where no estimate can be trusted to describe volatility.
    headline_estimator : where it is from.
    upper_bound : largest exponent left when noise and mean reversion are allowed for.
    verdict, reason : the conclusion, and why.
    estimates : one for each estimator.
    warnings : what a reader should know before using the numbers.

    Examples
    --------
    >>> import roughcast
    >>> found = roughcast.hurst(roughcast.measure(roughcast.dataset("SPX")))
    >>> found.to_frame().index.tolist()[:3]
    ['rescaled_range', 'dfa', 'variogram']
    >>> found.lines()[0]
    ['estimator', 'H', 'std. error', '95% interval']
    >>> found.plot().get_xlabel()
    'Hurst exponent of log volatility, ...'
    """

    asset: str | None
    nobs: int
    measure: str | None
    hurst: float | None
    headline_estimator: str | None
    upper_bound: float
    verdict: str
    reason: str
    estimates: tuple[Estimate, ...]
    warnings: tuple[str, ...]

    @classmethod
    def of_answer(cls, answer: Mapping[str, Any]) -> "HurstReport":
        """From what the service answers."""
        return cls(
            asset=answer["asset"],
            nobs=answer["nobs"],
            measure=answer["measure"],
            hurst=answer["hurst"],
            headline_estimator=answer["headline_estimator"],
            upper_bound=answer["upper_bound"],
            verdict=answer["verdict"],
            reason=answer["reason"],
            estimates=tuple(
                Estimate(
                    estimator=it["estimator"],
                    hurst=it["hurst"],
                    standard_error=it["standard_error"],
                    interval=None if it["interval"] is None else tuple(it["interval"]),
                    level=it["level"],
                    points=tuple((point["scale"], point["value"]) for point in it["points"]),
                    reason=it["reason"],
                )
                for it in answer["estimates"]
            ),
            warnings=tuple(answer["warnings"]),
        )

    @property
    def title(self) -> str:
        """The verdict and the exponent."""
        name = f"{self.asset}: " if self.asset else ""
        told = "" if self.hurst is None else f", H = {self.hurst:.3f} ({self.headline_estimator})"
        return f"{name}log volatility of {self.nobs} sessions is {self.verdict}{told}"

    @property
    def notes(self) -> tuple[str, ...]:
        """The reason, and the warnings."""
        return (self.reason, *self.warnings)

    def lines(self) -> Sequence[Sequence[str]]:
        """A row an estimator."""
        made = [["estimator", "H", "std. error", f"{self.estimates[0].level:.0%} interval"]]
        for it in self.estimates:
            bounds = MISSING if it.interval is None else "{:.2f} to {:.2f}".format(*it.interval)
            made.append(
                [it.estimator, number(it.hurst, ".3f"), number(it.standard_error, ".3f"), bounds]
            )
        return made

    def to_frame(self) -> "pd.DataFrame":
        """Exponent, standard error and bounds by estimator; NaN where there is none."""
        import pandas as pd

        bounds = [it.interval or (None, None) for it in self.estimates]
        columns = {
            "hurst": [it.hurst for it in self.estimates],
            "standard_error": [it.standard_error for it in self.estimates],
            "lower": [low for low, _ in bounds],
            "upper": [high for _, high in bounds],
        }
        index = pd.Index([it.estimator for it in self.estimates], name="estimator")
        return pd.DataFrame(columns, index, dtype=float)

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Each estimate with its interval."""
        import numpy as np

        ax = axes_for(self, ax)
        told = [it for it in self.estimates[::-1] if it.hurst is not None]
        for place, it in enumerate(told):
            assert it.hurst is not None
            if it.interval is not None:
                ax.plot(it.interval, [place, place], color="C0", linewidth=1)
            headline = it.estimator == self.headline_estimator
            ax.plot([it.hurst], [place], "o", color="C0", fillstyle="full" if headline else "none")
        ax.axvline(0.5, color="0.7", linewidth=1)
        ax.set_yticks(np.arange(len(told)), [it.estimator for it in told])
        ax.set_xlabel("Hurst exponent of log volatility, with its interval; 0.5 is Brownian")
        return ax
