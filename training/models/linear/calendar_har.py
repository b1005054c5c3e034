r"""Log-HAR on a series without the effects of weekday and half day.

.. math:: \log RV_{t+1} - s_{t+1} = \beta_0 + \sum_{k \in \{1, 5, 22\}}
          \beta_k \overline{(\log RV - s)}_t^{(k)} + \varepsilon_{t+1}

with the effect s of each session's class; see :mod:`volatility.seasonality`.
"""

from training.config import Config
from training.models.calendar_adjusted import CalendarAdjusted
from training.models.linear.har import log_har


def calendar_log_har(config: Config) -> CalendarAdjusted:
    """Log-HAR that knows the calendar."""
    return CalendarAdjusted("calendar_log_har", log_har(config))
