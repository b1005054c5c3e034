"""What only a store, or a model out of it, can refuse."""

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


class ArtifactUnreadable(ArtifactRefused):
    """An artifact or a pointer cannot be read at present, and may be later."""


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


class computing:  # noqa: N801 - reads as what it does; a generator takes three times as long
    """Let whatever a predictor raises come out as `PredictionFailed`.

    What it refuses, such as a day outside of the calendar, stays the error that it is.

    Parameters
    ----------
    model : its name.
    """

    __slots__ = ("_model",)

    def __init__(self, model: str) -> None:
        self._model = model

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _traceback: object
    ) -> None:
        if isinstance(error, Exception) and not isinstance(error, RoughcastError):
            raise PredictionFailed(self._model, type(error).__name__) from error
