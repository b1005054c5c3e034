r"""The model for every asset, bound to one: a network on what is scale-free in a history.

.. math:: \log \hat{rv}_{t,h} = s_t + g_h(x_t) + \log \frac{1}{h} \sum_{k=1}^{h} e^{c(t+k)}
          + a_h + b_h

with the slow mean s of log rv less the calendar's effects c, the network g of what
:mod:`volatility.scale_free` makes of the history, the scale a of the kind of asset, and the asset's
own scale b beyond that, which is zero where its outcomes are not known. The effects are those of
the kind of asset.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, FiniteFloat, PositiveInt

from models_store.predictors.pooled_graph import PooledGraph
from models_store.predictors.predictor import PredictorKind, PredictorSpec
from volatility.arrays import DAY, FloatArray, Prediction, Scale, Windows
from volatility.calendars import Calendar, get_calendar
from volatility.contributions import Part
from volatility.regressor_groups import group_of
from volatility.scale_free import (
    KINDS,
    REGRESSORS,
    Circumstances,
    ScaleFree,
    Seen,
    scale_free,
)
from volatility.seasonality import DAY_CLASSES, day_classes
from volatility.trailing import SESSIONS

RETURN, NIGHT, RANGE = "return", "overnight_return", "range_ratio"
# What `range_ratio`, Parkinson over Garman-Klass, says of the other measure over rv's own.
RANGE_SIGN: Mapping[str, float] = {"garman_klass": 1.0, "parkinson": -1.0}

_BLOCK = 128  # rows at a time: their 250 sessions of five columns stay in the processor's cache


class LookedAt(dict[str, FloatArray]):
    """Windows that the predictors of one network look at once, for all horizons.

    Attributes
    ----------
    relative : (batch, outputs) what the network says of them; None until it has been run.
    """

    def __init__(self, windows: Windows, relative: FloatArray | None = None) -> None:
        super().__init__(windows)
        self.relative = relative


@dataclass(frozen=True)
class PooledPredictor:
    """A model for every asset, bound to one at one horizon.

    Attributes
    ----------
    graph : the network.
    output : place of the horizon among the network's outputs.
    horizon : sessions ahead.
    asset_kind : one of :data:`volatility.scale_free.KINDS`.
    effects : of the calendar on log rv, by :data:`volatility.seasonality.DAY_CLASSES`.
    calendar_name : says which sessions come next, and which are half days.
    measure : of rv.
    columns : those of ``return``, ``overnight_return`` and ``range_ratio`` that the asset's bars
        give, sorted; what is missing counts as zero.
    kind_scale : of the asset's kind, in logs; see :mod:`volatility.kind_scale`.
    log_scale : the asset's own scale in logs, beyond that of its kind.
    """

    graph: PooledGraph
    output: int
    horizon: int
    asset_kind: str
    effects: Mapping[str, float]
    calendar_name: str
    measure: str
    columns: tuple[str, ...]
    kind_scale: float = 0.0
    log_scale: float = 0.0
    kind: ClassVar[str] = "pooled"
    scale: ClassVar[Scale] = "logs"
    lookback: ClassVar[int] = SESSIONS
    vectorized: ClassVar[bool] = True
    dated: ClassVar[bool] = True

    def predict(self, windows: Windows) -> Prediction:
        """Predict the log of mean rv from (batch, 22 to 250) windows of every column and the day.

        Raises
        ------
        OutsideCalendar : a day lies outside the calendar, or a session ahead of it does.
        """
        return Prediction(self.log_mean_rv(self.relative(windows), windows), {})

    def predict_together(self, horizons: Sequence[Self], windows: Windows) -> list[FloatArray]:
        """Predict all horizons, to the same bits, in one run of the network."""
        relative = self.relative(windows)
        return [it.log_mean_rv(relative, windows) for it in horizons]

    def explain(self, windows: Windows, usual_rv: float) -> list[Part]:
        """The slow mean, the regression by regressor, the encoders, the calendar and own scale.

        The slow mean counts from the log of the usual rv, a regressor from its mean over the panel.
        The encoders' part is what the network says beyond its regression; where the graph tells of
        none, the network is one part.
        """
        seen = self._scale_free(windows)
        said = self.graph.run(seen.regressors, seen.sequence)[:, self.output]
        usual = float(np.log(usual_rv))
        parts = [
            Part("baseline", "baseline", np.full(len(said), usual)),
            Part("slow_mean", "level", seen.level - usual, seen.level, usual),
        ]
        regression = self.graph.regression
        if regression is None:
            parts.append(Part("network", "network", said))
        else:
            regressors = seen.regressors.astype(np.float32)  # as the network sees them
            added = regression.added(regressors, self.output)
            intercept = np.full(len(said), regression.intercepts[self.output])
            parts += [
                Part("intercept", "baseline", intercept),
                *map(_part, REGRESSORS, added.T, regressors.T, regression.mean.tolist()),
                Part("encoders", "network", said - intercept - added.sum(axis=1)),
            ]
        parts.append(Part("calendar", "calendar", self._ahead(windows)))
        if self.kind_scale:
            parts.append(Part("kind_scale", "asset", np.full(len(said), self.kind_scale)))
        if self.log_scale:
            parts.append(Part("own_scale", "own_scale", np.full(len(said), self.log_scale)))
        return parts

    def log_mean_rv(self, relative: FloatArray, windows: Windows) -> FloatArray:
        """The log of mean rv, (batch,), from what :meth:`relative` says."""
        scale = self.kind_scale + self.log_scale
        return np.asarray(relative[:, self.output] + self._ahead(windows) + scale)

    def relative(self, windows: Windows) -> FloatArray:
        """Logs of mean rv without the calendar; (batch, outputs)."""
        if not isinstance(windows, LookedAt):
            return self._relative(windows)
        if windows.relative is None:
            windows.relative = self._relative(windows)
        return windows.relative

    def _relative(self, windows: Windows) -> FloatArray:
        parts = [np.empty((0, self.output + 1))]
        for at in range(0, len(windows["rv"]), _BLOCK):
            block = {name: it[at : at + _BLOCK] for name, it in windows.items()}
            level, regressors, sequence = self._scale_free(block)
            parts.append(level[:, None] + self.graph.run(regressors, sequence))
        return np.concatenate(parts[1:] or parts)

    def _scale_free(self, windows: Windows) -> ScaleFree:
        own = {name: windows[name] for name in ("rv", DAY, *self.columns)}
        seen, about = look(own, self.asset_kind, self.measure, self._by_class, self._calendar)
        return scale_free(seen, about)

    def _ahead(self, windows: Windows) -> FloatArray:
        newest = windows[DAY][:, -1]
        return log_mean_factor(newest, self.horizon, self._by_class, self._calendar)

    @cached_property
    def _calendar(self) -> Calendar:
        return get_calendar(self.calendar_name)

    @cached_property
    def _by_class(self) -> FloatArray:
        return np.array([self.effects[name] for name in DAY_CLASSES])


def _part(name: str, added: FloatArray, regressor: NDArray[np.float32], usual: float) -> Part:
    return Part(name, group_of(name), added, regressor.astype(np.float64), usual)


def look(
    windows: Windows, asset_kind: str, measure: str, effects: FloatArray, calendar: Calendar
) -> tuple[Seen, Circumstances]:
    """What a model for every asset sees of windows, the calendar taken out.

    Parameters
    ----------
    windows : (batch, n) of rv, of the day and of what there is of return, overnight return and
        range ratio. NaN where a history begins later; only the newest 250 sessions are looked at.
    asset_kind : one of :data:`volatility.scale_free.KINDS`.
    measure : of rv.
    effects : (8,) additions to log rv by class of session.
    calendar : of the asset.
    """
    newest = {name: _fitted(values) for name, values in windows.items()}
    there = ~np.isnan(newest["rv"])
    dates = np.where(there, newest[DAY], 0.0).astype(np.int64).view("datetime64[D]")
    classes = day_classes(dates, calendar)  # of any day where there is no session, and no rv
    log_rv = np.log(newest["rv"]) - effects[classes]
    nothing = np.where(there, 0.0, np.nan)
    next_class = day_classes(calendar.sessions_after(dates[:, -1], 1)[:, 0], calendar)
    kinds = np.full((len(there), len(KINDS)), [float(asset_kind == it) for it in KINDS])
    seen = Seen(
        log_rv,
        newest.get(RETURN, nothing),
        newest.get(NIGHT, nothing),
        RANGE_SIGN[measure] * newest[RANGE] if _has_range(newest, measure) else nothing,
    )
    of_range = np.full(len(there), measure == "parkinson")
    return seen, Circumstances(kinds, of_range, classes[:, -1], next_class)


def log_mean_factor(
    newest: FloatArray, horizon: int, effects: FloatArray, calendar: Calendar
) -> FloatArray:
    """Log of the mean of exp(effect) over the sessions after each of (n,) days; (n,)."""
    dates = newest.astype(np.int64).view("datetime64[D]")
    classes = day_classes(calendar.sessions_after(dates, horizon), calendar)
    factors = np.exp(effects)[classes]
    return np.asarray(np.log(np.add.reduce(factors, axis=-1) / horizon))


def _has_range(windows: Windows, measure: str) -> bool:
    return RANGE in windows and measure in RANGE_SIGN


def _fitted(values: FloatArray) -> FloatArray:
    """(batch, n) to (batch, SESSIONS): the newest, NaN before the first."""
    batch, count = values.shape
    if count == SESSIONS:
        return values
    fitted = np.full((batch, SESSIONS), np.nan)
    kept = min(count, SESSIONS)
    fitted[:, SESSIONS - kept :] = values[:, count - kept :]
    return fitted


class PooledPredictorSpec(PredictorSpec):
    """The model for every asset, bound to one, with its network in ``model.onnx``."""

    kind: Literal["pooled"] = "pooled"
    horizons: tuple[PositiveInt, ...] = Field(description="Of the network's outputs, in order.")
    asset_kind: str = Field(description="What the asset is taken for; volatility.scale_free.KINDS.")
    effects: dict[str, FiniteFloat] = Field(
        description="What each class of session adds to log rv of such an asset."
    )
    calendar: str
    measure: str
    columns: tuple[str, ...] = Field(description="What the asset's bars give besides rv.")
    kind_scales: dict[PositiveInt, FiniteFloat] = Field(
        default_factory=dict,
        description="The scale of its kind in logs, by horizon: what outcomes of the panel's "
        "assets of the kind say; 0 where it is not named.",
    )
    log_scales: dict[PositiveInt, FiniteFloat] = Field(
        description="The asset's own scale in logs, by horizon: what its outcomes before the end "
        "of training say of forecasts that were not fitted to it."
    )

    def kind_of_asset(self) -> str | None:
        """What the asset is taken for."""
        return self.asset_kind


def describe(predictors: Mapping[int, PooledPredictor]) -> PooledPredictorSpec:
    """What it is bound to."""
    first = next(iter(predictors.values()))
    outputs = {predictor.output: horizon for horizon, predictor in predictors.items()}
    return PooledPredictorSpec(
        horizons=tuple(outputs[place] for place in sorted(outputs)),
        asset_kind=first.asset_kind,
        effects=dict(first.effects),
        calendar=first.calendar_name,
        measure=first.measure,
        columns=first.columns,
        kind_scales={horizon: it.kind_scale for horizon, it in predictors.items()},
        log_scales={horizon: it.log_scale for horizon, it in predictors.items()},
    )


def write(
    predictors: Mapping[int, PooledPredictor],
    _spec: PooledPredictorSpec | None = None,
    _example: Windows | None = None,
) -> bytes:
    """The network's file."""
    return next(iter(predictors.values())).graph.content


def load(
    content: bytes, spec: PooledPredictorSpec, _scale: Scale, _lookback: int
) -> dict[int, PooledPredictor]:
    """Open ``model.onnx``, and bind it.

    Raises
    ------
    As :meth:`PooledGraph.of`.
    """
    graph = PooledGraph.of(content)
    return {
        horizon: PooledPredictor(
            graph=graph,
            output=output,
            horizon=horizon,
            asset_kind=spec.asset_kind,
            effects=spec.effects,
            calendar_name=spec.calendar,
            measure=spec.measure,
            columns=spec.columns,
            kind_scale=spec.kind_scales.get(horizon, 0.0),
            log_scale=spec.log_scales.get(horizon, 0.0),
        )
        for output, horizon in enumerate(spec.horizons)
    }


KIND = PredictorKind(PooledPredictorSpec, "model.onnx", describe, write, load)
