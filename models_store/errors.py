"""What only a store, or a model out of it, can refuse."""

from collections.abc import Iterator
from contextlib import contextmanager

from volatility.errors import RoughcastError


class ArtifactRefused(RoughcastError):
    """An artifact or a pointer failed its checks, and is not served."""

    code = "artifact_refused"

    def __init__(self, asset: str, model: str, version: int | None, reason: str) -> None:
        what = f"{asset}/{model}" + (f"/{version}" if version is not None else "")
        super().__init__(f"{what} is refused: {reason}", found=reason)
        self.asset = asset
        self.model = model
        self.version = version
        self.reason = reason


class PredictionFailed(RoughcastError):
    """A model that passed its checks could not be computed, or said what is no number.

    Attributes
    ----------
    model : its name.
    """

    code = "prediction_failed"

    def __init__(self, model: str, reason: str) -> None:
        super().__init__(f"{model} failed to forecast: {reason}", found=reason)
        self.model = model


@contextmanager
def computing(model: str) -> Iterator[None]:
    """Let whatever a predictor raises come out as `PredictionFailed`.

    What it refuses, such as a day outside of the calendar, stays the error that it is.
    """
    try:
        yield
    except RoughcastError:
        raise
    except Exception as error:
        raise PredictionFailed(model, type(error).__name__) from error
