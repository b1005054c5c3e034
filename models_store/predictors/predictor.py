"""What every fitted model can do, and what a kind of them has to say of itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol, Union, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field

from volatility.arrays import FloatArray, Prediction, Scale, Windows
from volatility.contributions import Part


class Predictor(Protocol):
    """A model fitted for one horizon, before bias correction and clipping."""

    @property
    def kind(self) -> str:
        """How it is described, written and loaded: a name of the table of kinds."""

    @property
    def scale(self) -> Scale:
        """Whether :meth:`predict` returns rv or log rv."""

    @property
    def lookback(self) -> int:
        """Sessions of history in one window."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the windows need besides rv, sorted."""

    @property
    def vectorized(self) -> bool:
        """Whether predicting hundreds of windows takes little longer than predicting one."""

    @property
    def dated(self) -> bool:
        """Whether the windows hold the day."""

    def predict(self, windows: Windows) -> Prediction:
        """Predict the mean of the sessions ahead from (batch, lookback) windows."""


@runtime_checkable
class Explains(Protocol):
    """A predictor that tells what its prediction is made of; see :mod:`.explaining`."""

    def explain(self, windows: Windows, usual_rv: float) -> list[Part]:
        """Parts of :meth:`Predictor.predict`, on its scale, that sum to it for each row.

        Parameters
        ----------
        windows : as for :meth:`Predictor.predict`.
        usual_rv : what contributions count from, decimal² per day: the mean rv of training, or
            the middle of the panel's range where an asset was in no training.
        """


@runtime_checkable
class PredictsTogether(Protocol):
    """A predictor that is many times faster, and not the same to the last bit, on all at once."""

    def predict_together(self, horizons: Sequence[Any], windows: Windows) -> list[FloatArray]:
        """What each of them says of (batch, lookback) windows, but for last bits.

        Parameters
        ----------
        horizons : the predictors of an artifact, of which this is one.
        windows : as for :meth:`Predictor.predict`.
        """


Predictors = Mapping[int, Predictor]  # of one artifact, by horizon; the first is judged by


class PredictorSpec(BaseModel):
    """What a manifest says of a predictor; each kind adds its own fields and a literal ``kind``."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    kind: str

    def kind_of_asset(self) -> str | None:
        """What the predictor takes its asset for, of volatility.scale_free.KINDS, if it matters."""
        return None


@dataclass(frozen=True)
class PredictorKind:
    """One kind of predictor.

    Attributes
    ----------
    spec : its description in the manifest, with a literal ``kind``.
    file : the file of an artifact that holds its numbers.
    describe : from predictors to their description.
    write : from predictors, their description and (n, lookback) example windows to the content of
        ``file``. Raises what makes the predictors unfit to be written.
    load : from the content of ``file``, the description, the scale and the lookback to the
        predictors. Raises whatever the content provokes.

    Predictors are given by horizon, as one file holds them.
    """

    spec: type[PredictorSpec]
    file: str
    describe: Callable[[Any], PredictorSpec]
    write: Callable[[Any, Any, Windows], bytes]
    load: Callable[[bytes, Any, Scale, int], Predictors]


def any_spec(kinds: Mapping[str, PredictorKind]) -> Any:
    """The type of the description of any of these kinds; its field ``kind`` tells which it is."""
    specs = tuple(kind.spec for kind in kinds.values())
    return Annotated[Union[specs], Field(discriminator="kind")]  # noqa: UP007 - made of a table
