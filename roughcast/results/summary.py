"""What was estimated of a model, and how precisely."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from roughcast.results.axes import axes_for
from roughcast.results.tables import Tabular, number

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Coefficient:
    """One coefficient of a regression.

    Attributes
    ----------
    name : of the regressor; see :mod:`volatility.regressor_names`.
    value : the estimate.
    standard_error, t, pvalue : of zero, two-sided, by the distribution that t has when its standard
        error counts so many lags; None where no standard error is known.
    """

    name: str
    value: float
    standard_error: float | None
    t: float | None
    pvalue: float | None


@dataclass(frozen=True, repr=False)
class Summary(Tabular):
    """A fitted model at one horizon.

    Attributes
    ----------
    model : its name.
    horizon : sessions ahead, whose mean rv is forecast.
    unit : what is regressed: ``rv`` or ``log rv``, free of the calendar where the model is.
    coefficients : the constant first.
    r_squared : in sample, of what is regressed; None where no regression was made.
    nobs : targets that were fitted.
    span : first and last session that the fit has seen.
    lags : autocovariances that standard errors count; None where there are none.
    learned : other quantities that were estimated.
    critical : standard errors to each side of a coefficient in its 95 % interval.
    remark : why there are no standard errors, if there are none.
    warnings : what is worth knowing about the series.

    Examples
    --------
    >>> import roughcast
    >>> rv = roughcast.measure(roughcast.dataset("ETH-USD"))
    >>> found = roughcast.fit("har", rv).summary()
    >>> found.to_frame().columns.tolist()
    ['coefficient', 'standard_error', 't', 'pvalue']
    >>> [row[0] for row in found.lines()[1:]]
    ['constant', 'mean_1', 'mean_5', 'mean_22']
    >>> found.plot().get_xlabel()
    'coefficient, on rv, with its 95 % interval'
    """

    model: str
    horizon: int
    unit: str
    coefficients: tuple[Coefficient, ...]
    r_squared: float | None
    nobs: int
    span: tuple[date, date]
    lags: int | None = None
    learned: Mapping[str, float] = field(default_factory=dict)
    critical: float | None = None
    remark: str | None = None
    warnings: tuple[str, ...] = field(default=(), compare=False)

    @property
    def title(self) -> str:
        """Model, target, sample and fit."""
        ahead = "1 session" if self.horizon == 1 else f"the mean of {self.horizon} sessions"
        fit = "" if self.r_squared is None else f", R² = {self.r_squared:.4f}"
        first, last = self.span
        return (
            f"{self.model}: {self.unit} of {ahead} ahead, {first} to {last}, n = {self.nobs}{fit}"
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """How standard errors were made, or why not, and what else was estimated."""
        told = (
            f"standard errors are robust to heteroskedasticity and autocorrelation (Newey-West, "
            f"{self.lags} lags), p-values allow for so many"
        )
        learned = tuple(f"{name} = {value:.6g}" for name, value in self.learned.items())
        return (self.remark or told, *([", ".join(learned)] if learned else []), *self.warnings)

    def lines(self) -> Sequence[Sequence[str]]:
        """A row a coefficient."""
        made = [["", "coefficient", "std. error", "t", "P>|t|"]]
        for it in self.coefficients:
            numbers = [number(it.standard_error, ".4g"), number(it.t, ".2f")]
            made.append([it.name, f"{it.value:.4g}", *numbers, number(it.pvalue, ".3f")])
        return made

    def to_frame(self) -> "pd.DataFrame":
        """Coefficient, standard_error, t and pvalue by regressor; NaN where they are not known."""
        import pandas as pd

        columns = {
            "coefficient": [it.value for it in self.coefficients],
            "standard_error": [it.standard_error for it in self.coefficients],
            "t": [it.t for it in self.coefficients],
            "pvalue": [it.pvalue for it in self.coefficients],
        }
        return pd.DataFrame(columns, [it.name for it in self.coefficients], dtype=float)

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Coefficients with their intervals."""
        import numpy as np

        ax = axes_for(self, ax)
        frame = self.to_frame().iloc[::-1]
        places = np.arange(len(frame))
        errors = (self.critical or 0.0) * frame["standard_error"].fillna(0.0)
        ax.errorbar(frame["coefficient"], places, xerr=errors, fmt="o", capsize=3)
        ax.axvline(0.0, color="0.7", linewidth=1)
        ax.set_yticks(places, list(frame.index))
        ax.set_xlabel(f"coefficient, on {self.unit}, with its 95 % interval")
        return ax
