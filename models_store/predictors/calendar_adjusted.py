r"""Any predictor on a series without the calendar: what days do is divided out and put back.

.. math:: \hat{rv}_{t,h} = f(rv_t e^{-s_{c(t)}}, rv_{t-1} e^{-s_{c(t-1)}}, \dots)
          \cdot \frac{1}{h} \sum_{k=1}^{h} e^{s_{c(t+k)}}

with the predictor f, the class c of each session and the effects s of
:mod:`volatility.seasonality`. The sessions ahead are the calendar's, so that a forecast on a Friday
knows whether Saturday or Monday comes next, and whether that is a half day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models_store.predictors.explaining import parts_of
from models_store.predictors.predictor import Predictor
from volatility.arrays import DAY, FloatArray, Prediction, Scale, Windows
from volatility.calendars import Calendar, get_calendar
from volatility.contributions import Part, total
from volatility.seasonality import DAY_CLASSES, day_classes

UNDATED = (
    "the history has no dates, so the calendar is not accounted for: the model knows what weekdays "
    "and half days do to volatility; send dates with rv, and the forecast follows them"
)


@dataclass(frozen=True)
class CalendarAdjustedPredictor:
    """A predictor that sees rv without the effects of the calendar.

    Other columns than rv stay as they are.

    Attributes
    ----------
    inner : what predicts rv, or its logarithm, without the calendar.
    effects : additions to log rv, one for each of :data:`volatility.seasonality.DAY_CLASSES`.
    calendar_name : of the calendar that says which sessions come next, and which are half days.
    horizon : sessions ahead whose mean is predicted.
    """

    inner: Predictor
    effects: Mapping[str, float]
    calendar_name: str
    horizon: int

    @property
    def kind(self) -> str:
        """How :attr:`inner` is described, written and loaded; the effects are in the manifest."""
        return self.inner.kind

    @property
    def scale(self) -> Scale:
        """That of :attr:`inner`."""
        return self.inner.scale

    @property
    def lookback(self) -> int:
        """That of :attr:`inner`."""
        return self.inner.lookback

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of :attr:`inner`; windows hold the day besides."""
        return self.inner.columns

    @property
    def vectorized(self) -> bool:
        """That of :attr:`inner`."""
        return self.inner.vectorized

    @property
    def dated(self) -> bool:
        """It needs to know which session is which."""
        return True

    def predict(self, windows: Windows) -> Prediction:
        """Predict from (batch, lookback) windows; (batch,) on ``scale``.

        A row that ends on a day that is not known is predicted as if no day had an effect.

        Raises
        ------
        OutsideCalendar : a day lies outside the calendar, or a session ahead of it does.
        """
        without, ahead = self._without(windows)
        values, diagnostics = self.inner.predict(without)
        moved = values + np.log(ahead) if self.scale == "logs" else values * ahead
        return Prediction(moved, diagnostics)

    def explain(self, windows: Windows, usual_rv: float) -> list[Part]:
        """The parts of :attr:`inner`, and what the sessions ahead add to them."""
        without, ahead = self._without(windows)
        parts = parts_of(self.inner, without, usual_rv)
        if self.scale == "logs":
            return [*parts, Part("calendar", "calendar", np.log(ahead))]
        return [*parts, Part("calendar", "calendar", total(parts) * (ahead - 1.0))]

    def _without(self, windows: Windows) -> tuple[Windows, FloatArray]:
        """Windows without the calendar, and the mean factor of the sessions ahead, (batch,)."""
        calendar, days = self._calendar, windows[DAY]
        seen, ahead = np.ones(days.shape), np.ones(len(days))
        known = ~np.isnan(days[:, -1])  # a history has dates, or none
        if known.any():
            dates = days[known].astype(np.int64).view("datetime64[D]")
            seen[known] = self._factors[day_classes(dates, calendar)]
            ahead[known] = self._mean_ahead(dates[:, -1], calendar)
        return {**windows, "rv": windows["rv"] / seen}, ahead

    @cached_property
    def _calendar(self) -> Calendar:
        return get_calendar(self.calendar_name)

    @cached_property
    def _factors(self) -> FloatArray:
        """What a session of each class is multiplied by, (8,)."""
        return np.exp([self.effects[name] for name in DAY_CLASSES])

    def _mean_ahead(self, as_of: np.ndarray, calendar: Calendar) -> FloatArray:
        """Mean factor of the sessions that follow each of (n,) days; (n,)."""
        classes = day_classes(calendar.sessions_after(as_of, self.horizon), calendar)
        return np.asarray(np.add.reduce(self._factors[classes], axis=-1) / self.horizon)


def without_calendar(predictor: Predictor) -> tuple[Predictor, Mapping[str, float] | None]:
    """What predicts, and the effects that are divided out before it, if any."""
    if isinstance(predictor, CalendarAdjustedPredictor):
        return predictor.inner, predictor.effects
    return predictor, None
