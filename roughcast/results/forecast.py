"""A forecast at one or several horizons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from roughcast.results.axes import axes_for
from roughcast.results.tables import Tabular
from volatility.errors import UnsupportedHorizon
from volatility.names import in_percent

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_FAINTEST, _STRONGEST = 0.15, 0.35  # opacity of the widest interval, and of the narrowest


@dataclass(frozen=True)
class Interval:
    """Bounds that the outcome stays within, and how often such bounds have held.

    Attributes
    ----------
    level : nominal coverage.
    rv : lower and upper bound, decimal² per day.
    volatility_annualized : the same, decimal per year.
    coverage_observed : share of past out-of-sample forecasts whose interval held, if it is known.
    nobs : forecasts behind it.
    """

    level: float
    rv: tuple[float, float]
    volatility_annualized: tuple[float, float]
    coverage_observed: float | None
    nobs: int


@dataclass(frozen=True)
class Quantile:
    """What the outcome stays below with a probability."""

    probability: float
    rv: float
    volatility_annualized: float


@dataclass(frozen=True)
class HorizonForecast:
    """What a forecast says of one horizon.

    Attributes
    ----------
    horizon : sessions; rv is the mean of the days in them.
    forecast_id : digest of artifact, data and question: the same question has the same.
    rv : decimal² per day.
    volatility : decimal per day.
    volatility_annualized : decimal per year.
    intervals : one a level.
    effective_nobs : how many past errors that share no session those behind the intervals are
        worth; None of a forecast that was recorded before this was told.
    quantiles : those asked for.
    warnings : what is worth knowing.
    """

    horizon: int
    forecast_id: str
    rv: float
    volatility: float
    volatility_annualized: float
    intervals: tuple[Interval, ...]
    effective_nobs: int | None
    quantiles: tuple[Quantile, ...] = ()
    warnings: tuple[str, ...] = ()

    def interval(self, level: float) -> Interval:
        """The interval of one level.

        Raises
        ------
        KeyError : none of the level was asked for.
        """
        return {it.level: it for it in self.intervals}[level]

    @classmethod
    def of_answer(cls, answer: Mapping[str, Any]) -> "HorizonForecast":
        """From what the service says of a horizon."""
        return cls(
            horizon=answer["horizon"],
            forecast_id=answer["forecast_id"],
            rv=answer["rv"],
            volatility=answer["volatility"],
            volatility_annualized=answer["volatility_annualized"],
            intervals=tuple(
                Interval(
                    level=it["level"],
                    rv=tuple(it["rv"]),
                    volatility_annualized=tuple(it["volatility_annualized"]),
                    coverage_observed=it["coverage_observed"],
                    nobs=it["nobs"],
                )
                for it in answer["intervals"]
            ),
            effective_nobs=answer["calibration"].get("effective_nobs"),
            quantiles=tuple(
                Quantile(it["probability"], it["rv"], it["volatility_annualized"])
                for it in answer.get("quantiles", ())
            ),
            warnings=tuple(answer["warnings"]),
        )


@dataclass(frozen=True, repr=False)
class Forecast(Tabular):
    """Realized variance of the sessions to come, one horizon or the term structure.

    Attributes
    ----------
    asset : as it was named, if it was.
    model, model_version, model_sha256 : what answered; version 0 was never published.
    as_of : the last session that was seen.
    target_date : the first session that is forecast.
    measure : of rv.
    horizons : one for each that was asked.
    stale_sessions : that have closed since ``as_of``.
    missing_sessions : without data inside the window used.
    degraded_reason : why another model than the intended one answered, if it did.
    history : rv of the newest sessions, for the plot; None where it is not known here.
    periods_per_year : by which volatility is annualized, where it is known here.

    Examples
    --------
    >>> import roughcast
    >>> found = roughcast.forecast(roughcast.dataset("BTC-USD").tail(60), horizons=[1, 22])
    >>> found.at(22).horizon
    22
    >>> found.to_frame().columns.tolist()[2:5]
    ['volatility_annualized', 'rv_lower_80', 'rv_upper_80']
    >>> found.lines()[0]
    ['sessions', 'volatility', '80% interval', '95% interval']
    >>> found.plot().get_ylabel()
    'volatility per year'
    """

    asset: str | None
    model: str
    model_version: int
    model_sha256: str
    as_of: date | None
    target_date: date | None
    measure: str
    horizons: tuple[HorizonForecast, ...]
    stale_sessions: int | None = None
    missing_sessions: int | None = None
    degraded_reason: str | None = None
    history: "pd.Series[Any] | None" = field(default=None, compare=False)
    periods_per_year: int | None = field(default=None, compare=False)

    @classmethod
    def of_answer(cls, answer: Mapping[str, Any]) -> "Forecast":
        """From what the service answers, of one horizon or of several."""
        return cls(
            asset=answer["asset"],
            model=answer["model"],
            model_version=answer["model_version"],
            model_sha256=answer["model_sha256"],
            as_of=_day(answer["as_of"]),
            target_date=_day(answer["target_date"]),
            measure=answer["measure"],
            horizons=tuple(map(HorizonForecast.of_answer, answer.get("term_structure", [answer]))),
            stale_sessions=answer["stale_sessions"],
            missing_sessions=answer["missing_sessions"],
            degraded_reason=answer["degraded_reason"],
        )

    def at(self, horizon: int) -> HorizonForecast:
        """What it says of one horizon.

        Raises
        ------
        UnsupportedHorizon : it was not asked.
        """
        found = {it.horizon: it for it in self.horizons}
        if horizon not in found:
            needed = f"one of {', '.join(map(str, found))}"
            raise UnsupportedHorizon(
                f"this forecast is not of {horizon} sessions; needed: {needed}",
                field="horizon",
                found=horizon,
                needed=needed,
            )
        return found[horizon]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is worth knowing at any horizon, each once."""
        return tuple(dict.fromkeys(said for it in self.horizons for said in it.warnings))

    @property
    def title(self) -> str:
        """What was asked, which model answered, and from which session."""
        name = f"{self.asset}: " if self.asset else ""
        version = f" {self.model_version}" if self.model_version else ""
        after = f", from {self.as_of}" if self.as_of else ""
        return f"{name}volatility per year by {self.model}{version}{after}"

    @property
    def notes(self) -> tuple[str, ...]:
        """The reason of a degraded answer, and the warnings of every horizon."""
        degraded = (self.degraded_reason,) if self.degraded_reason else ()
        return (*degraded, *self.warnings)

    def lines(self) -> Sequence[Sequence[str]]:
        """Volatility per year, and its intervals, in percent."""
        levels = [it.level for it in self.horizons[0].intervals]
        made = [["sessions", "volatility", *(f"{level:.0%} interval" for level in levels)]]
        for it in self.horizons:
            bounds = [
                f"{low:.1%} to {high:.1%}"
                for low, high in (each.volatility_annualized for each in it.intervals)
            ]
            made.append([str(it.horizon), f"{it.volatility_annualized:.1%}", *bounds])
        return made

    def to_frame(self) -> "pd.DataFrame":
        """Rv, volatility and bounds by horizon; bounds of rv as ``rv_lower_80`` and the like."""
        import pandas as pd

        rows = []
        for it in self.horizons:
            row: dict[str, float] = {
                "rv": it.rv,
                "volatility": it.volatility,
                "volatility_annualized": it.volatility_annualized,
            }
            for each in it.intervals:
                name = in_percent(each.level)
                row[f"rv_lower_{name}"], row[f"rv_upper_{name}"] = each.rv
            for quantile in it.quantiles:
                row[f"rv_quantile_{in_percent(quantile.probability)}"] = quantile.rv
            rows.append(row)
        index = pd.Index([it.horizon for it in self.horizons], name="horizon")
        return pd.DataFrame(rows, index)

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Volatility per year over the sessions ahead, its intervals as a fan, after what was."""
        import numpy as np

        ax = axes_for(self, ax)
        horizons = np.array([it.horizon for it in self.horizons])
        volatility = np.array([it.volatility_annualized for it in self.horizons])
        if self.history is not None and self.periods_per_year is not None:
            past = np.sqrt(self.history.to_numpy(np.float64) * self.periods_per_year)
            ax.plot(np.arange(1 - len(past), 1), past, color="0.5", label="realized", linewidth=1)
        levels = sorted((it.level for it in self.horizons[0].intervals), reverse=True)
        for level, opacity in zip(
            levels, np.linspace(_FAINTEST, _STRONGEST, len(levels)), strict=True
        ):
            bounds = np.array([it.interval(level).volatility_annualized for it in self.horizons])
            ax.fill_between(
                horizons, *bounds.T, color="C0", alpha=opacity, linewidth=0, label=f"{level:.0%}"
            )
        ax.plot(horizons, volatility, color="C0", marker="o", label="forecast, mean up to there")
        ax.set_xlabel(f"sessions from {self.as_of}" if self.as_of else "sessions ahead")
        ax.set_ylabel("volatility per year")
        ax.yaxis.set_major_formatter("{x:.0%}")
        ax.set_ylim(bottom=0.0)
        ax.legend(frameon=False)
        return ax


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
