"""Models that are fitted to one's own series."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

import pandas as pd

from models_store import ForecastInput, LoadedModel
from models_store.predictors.calendar_adjusted import without_calendar
from roughcast.forecasting import HORIZONS, LEVELS, checked, issued, joined, shares
from roughcast.frames import Described, moment
from roughcast.results.forecast import Forecast
from roughcast.results.summary import Coefficient, Summary
from roughcast.training_data import Question, fitting
from training.config import read_config
from training.data.assets import TrainingSet
from training.evaluation.study import check_history
from training.models.linear.standard_errors import precision_of
from training.models.recipe import Fit, Recipe
from training.models.registry import LINEAR, make_recipe
from volatility.errors import UnknownModel
from volatility.extras import TRAINING_EXTRA, require
from volatility.names import did_you_mean
from volatility.regressors import LinearPredictor
from volatility.staleness import age_warnings, sessions_since


@dataclass(frozen=True)
class FittedModel:
    """A model fitted to a series, with the record of its walk-forward on it.

    Attributes
    ----------
    name : of the model.
    data : what it was fitted on, at the horizon of one session.
    horizons : sessions ahead that it was fitted for.
    warnings : what was inferred of the series, and what is worth knowing about it.

    Examples
    --------
    >>> import roughcast
    >>> model = roughcast.fit("har", roughcast.measure(roughcast.dataset("ETH-USD")))
    >>> model.name, model.horizons
    ('har', (1, 5, 10, 22))
    """

    name: str
    data: TrainingSet
    horizons: tuple[int, ...]
    warnings: tuple[str, ...]
    _recipe: Recipe = field(repr=False)
    _fits: dict[int, Fit] = field(repr=False)
    _model: LoadedModel = field(repr=False)
    _now: datetime = field(repr=False)

    def __repr__(self) -> str:
        return self.summary().text()

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()

    def forecast(
        self,
        horizons: Sequence[int] | None = None,
        *,
        levels: Sequence[float] = LEVELS,
        quantiles: Sequence[float] = (),
    ) -> Forecast:
        """Forecast the sessions after the last one that was fitted.

        Parameters
        ----------
        horizons : sessions ahead; all that it was fitted for if left out.
        levels : nominal coverages of the intervals, which are made of the errors of its own
            walk-forward.
        quantiles : probabilities of quantiles that are wanted besides.

        Raises
        ------
        UnsupportedHorizon : it was not fitted for it.
        UnsupportedLevel, UnsupportedQuantile : past errors do not tell it.

        Examples
        --------
        >>> import roughcast
        >>> rv = roughcast.measure(roughcast.dataset("ETH-USD"))
        >>> model = roughcast.fit("log_har", rv)
        >>> [it.horizon for it in model.forecast(horizons=[1, 5, 22]).horizons]
        [1, 5, 22]
        """
        asked = checked(self.horizons if horizons is None else horizons)
        levels, quantiles = shares(levels), shares(quantiles, "quantiles")
        model, series = self._model, self.data.target.series
        closed = model.calendar.last_closed_session(self._now)
        stale = sessions_since(series, closed, model.calendar)
        before = (*age_warnings(series, stale, closed), *self.warnings)
        inputs = [ForecastInput(series, levels, it, None, quantiles) for it in asked]
        said = model.forecast_batch(inputs)
        each = [issued(model, None, *both, before) for both in zip(inputs, said, strict=True)]
        return joined(model, None, series, said[0], each, stale)

    def summary(self, horizon: int = 1) -> Summary:
        """What was estimated, with standard errors that are fit for overlapping horizons.

        Parameters
        ----------
        horizon : one that it was fitted for.

        Raises
        ------
        UnsupportedHorizon : it was not fitted for it.

        Examples
        --------
        >>> import roughcast
        >>> rv = roughcast.measure(roughcast.dataset("ETH-USD"))
        >>> roughcast.fit("har", rv).summary().to_frame().index.tolist()
        ['constant', 'mean_1', 'mean_5', 'mean_22']
        """
        self._model.at(horizon)  # which says that there is no such one
        data = replace(self.data, horizon=horizon)
        fit, precision = self._fits[horizon], precision_of(self._recipe, data)
        predictor, effects = without_calendar(fit.predictor)
        assert isinstance(predictor, LinearPredictor)
        names = ["constant", *(it.name for it in predictor.coefficients)]
        values = [predictor.intercept, *predictor.coefficients.values()]
        dates, unit = (
            self.data.target.series.dates,
            "log rv" if fit.predictor.scale == "logs" else "rv",
        )
        common = partial(
            Summary,
            model=self.name,
            horizon=horizon,
            unit=f"{unit} without the calendar" if effects else unit,
            span=(dates[0].item(), dates[-1].item()),
            learned=fit.learned,
            warnings=self.warnings,
        )
        if precision is None:
            bare = tuple(
                Coefficient(*it, None, None, None) for it in zip(names, values, strict=True)
            )
            nobs = len(data.pairs(self._recipe.lookback, self._recipe.columns))
            return common(coefficients=bare, r_squared=None, nobs=nobs, remark=_NO_ERRORS)
        columns = (precision.standard_errors, precision.t, precision.pvalues)
        rows = zip(names, values, *(it.tolist() for it in columns), strict=True)
        return common(
            coefficients=tuple(Coefficient(*it) for it in rows),
            r_squared=precision.r_squared,
            nobs=precision.nobs,
            lags=precision.lags,
            critical=precision.critical,
        )


_NO_ERRORS = "estimated by other means than least squares: standard errors are not made"


def fit(
    model: str,
    data: "pd.Series[Any] | pd.DataFrame",
    *,
    horizons: Sequence[int] = HORIZONS,
    calendar: str | None = None,
    measure: str | None = None,
    kind: str | None = None,
    companions: Mapping[str, pd.DataFrame] | None = None,
    now: datetime | None = None,
) -> FittedModel:
    """Fit a model to a series of rv, and forecast its second half walk-forward.

    Parameters
    ----------
    model : ``har``, ``log_har``, ``calendar_log_har``, ``hexp`` or another without a network.
    data : rv by date, as :func:`roughcast.measure` makes it, or bars: models that look at returns,
        jumps or nights need these. 500 sessions or more: half to learn from, half for the errors
        that intervals are made of.
    horizons : sessions ahead; one session is always among them.
    calendar, kind : as for :func:`roughcast.measure`; else what ``attrs`` say, or the dates.
    measure : of rv; with bars, the one that is to be computed.
    companions : bars of other series by name, such as ``{"VIX": vix}``, for models that look at
        them.
    now : after which no session may close; the present if left out.

    Raises
    ------
    UnknownModel : there is none of the name, or it is none that is fitted to one series alone.
    HistoryTooShort, TooFewObservations : too few sessions, or too many are missing.
    InvalidInput : data that cannot be used; ``not_applicable``, the model sees more than rv.
    ExtraMissing : the extra ``training`` is not installed.

    Examples
    --------
    >>> import roughcast
    >>> rv = roughcast.measure(roughcast.dataset("ETH-USD"))
    >>> model = roughcast.fit("har", rv)
    >>> f"{model.summary().r_squared:.2f}"
    '0.1...'
    """
    require(TRAINING_EXTRA, "fit()", field="model")
    if model not in LINEAR:
        said = f"{model!r} is no model that is fitted to one series{did_you_mean(model, LINEAR)}"
        needed = f"one of {', '.join(LINEAR)}"
        raise UnknownModel(said, field="model", found=model, needed=needed)
    from training.publishing.opening import opened
    from training.publishing.retrain import train

    when, config = moment(now), read_config()
    first, *further = sorted({1, *checked(horizons)})
    described = Described(calendar, kind, measure)
    asset, notes = Question(data, described, companions, when).asset()
    known = TrainingSet(asset, {}, config.seed, first)
    for horizon in (first, *further):
        check_history(replace(known, horizon=horizon))
    recipe = fitting(make_recipe(model, config), asset, (first, *further))
    trained = train([recipe], known, jobs=1, further=further)
    [fitted] = trained.fitted
    return FittedModel(
        name=model,
        data=known,
        horizons=(first, *further),
        warnings=notes,
        _recipe=recipe,
        _fits=dict(fitted.fits),
        _model=opened(trained, fitted),
        _now=when,
    )
