"""Several models as one: the mean of the logs of their forecasts."""

from collections.abc import Sequence

import numpy as np

from volatility.evaluation.tracks import ForecastTrack, align


def combine(model: str, members: Sequence[ForecastTrack]) -> ForecastTrack:
    r"""The mean in logs of several models' forecasts, on the dates that all of them have.

    Parameters
    ----------
    model : the combination's name.
    members : at least one, at one horizon.

    Raises
    ------
    MisalignedForecasts, TooFewObservations : see :func:`volatility.evaluation.tracks.align`.

    Notes
    -----
    .. math:: \log f_t = \frac{1}{K} \sum_{k=1}^K \log f_t^{(k)}
    """
    together = align(members)
    first = members[0]
    at = np.searchsorted(first.target_dates, together.target_dates)
    logs = [np.log(together.forecasts[it.model]) for it in members]
    return ForecastTrack(
        model=model,
        as_of=first.as_of[at],
        target_dates=together.target_dates,
        forecast=np.exp(np.mean(logs, axis=0)),
        rv=together.rv,
        horizon=together.horizon,
    )
