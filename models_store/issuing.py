"""What belongs beside a forecast that is issued: what the model has seen before, and its id."""

import hashlib
from datetime import date

from models_store.forecast import Forecast, ForecastInput
from models_store.names import UNIVERSAL
from models_store.runtime import LoadedModel
from volatility.series import DatedSeries

Span = tuple[date, date]


def in_sample_warnings(
    model: LoadedModel, asset: str | None, fitted_on: Span | None, as_of: date
) -> tuple[str, ...]:
    """Say so where a model has seen the outcome of what it is asked, or what others did later.

    Parameters
    ----------
    model : that is asked.
    asset : that it is asked about, if it has a name.
    fitted_on : first and last session of an asset of this name that it was fitted on, if of any.
    as_of : last session of the history.
    """
    end = model.manifest.training.end
    own = fitted_on_it(model, asset, fitted_on, as_of)
    if own or as_of >= end:  # on the last session of training the target is still to come
        return own
    seen = f"in-sample: {model.manifest.model} was fitted on"
    on_that_day = "one made on that day could have been"
    if model.manifest.asset == UNIVERSAL:
        seen += f" other assets' sessions up to {end}"
        return (f"{seen}, so a forecast from {as_of} may be better than {on_that_day}",)
    return (f"{seen} sessions up to {end}, so a replay of {as_of} is better than {on_that_day}",)


def fitted_on_it(
    model: LoadedModel, asset: str | None, fitted_on: Span | None, as_of: date
) -> tuple[str, ...]:
    """Say so where a model was fitted on an asset of the same name, and on this day."""
    if fitted_on is None:
        return ()
    start, end = fitted_on
    if not start <= as_of <= end:
        return ()
    warning = (
        f"in-sample: {model.manifest.model} was fitted on {asset} itself, sessions from {start} to "
        f"{end}; it has seen {as_of}, and is better there than on what it has not seen"
    )
    return (warning,)


def forecast_id(
    model: LoadedModel, asset: str | None, given: ForecastInput, forecast: Forecast
) -> str:
    """Digest of artifact, asset, window, its dates, past errors, and what was asked for.

    The same question has the same id, 32 hex digits.
    """
    history, levels, horizon, quantiles = given[0], given.levels, given.horizon, given.quantiles
    count = model.window_sessions
    asked = f"{horizon} {levels} {quantiles}" if quantiles else f"{horizon} {levels}"
    digest = hashlib.sha256(f"{model.identity} {asset} {asked}".encode())
    digest.update(history.rv[-count:].tobytes())
    for name in model.manifest.columns:
        digest.update(history.columns[name][-count:].tobytes())
    if isinstance(history, DatedSeries):
        digest.update(history.dates[-count:].tobytes())
    digest.update(forecast.calibration.content)
    return digest.hexdigest()[:32]
