"""The schema of ``manifest.json``: everything that is known about one version of one model.

A manifest holds no clock time, so that two trainings on the same data with the same seed write
the same bytes. When a version came into service is written beside it, in the ``current`` pointer.
"""

from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    PositiveInt,
    model_validator,
)

from models_store.limits import check_calendar, check_horizon, check_lookback, check_measure
from models_store.names import check_asset_name, check_model_name
from models_store.predictors.kinds import KINDS
from models_store.predictors.predictor import PredictorSpec, any_spec
from volatility.arrays import Scale
from volatility.measures.columns import companion_of
from volatility.seasonality import DAY_CLASSES


def _one_for_each_class(effects: dict[str, float]) -> dict[str, float]:
    if sorted(effects) != sorted(DAY_CLASSES):
        raise ValueError(f"there are effects of {sorted(effects)}; needed: of {list(DAY_CLASSES)}")
    return effects


Measure = Annotated[str, AfterValidator(check_measure)]
CalendarName = Annotated[str, AfterValidator(check_calendar)]
Horizon = Annotated[PositiveInt, AfterValidator(check_horizon)]
Lookback = Annotated[PositiveInt, AfterValidator(check_lookback)]
AssetName = Annotated[str, AfterValidator(check_asset_name)]
ModelName = Annotated[str, AfterValidator(check_model_name)]
CalendarEffects = Annotated[dict[str, FiniteFloat], AfterValidator(_one_for_each_class)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Record(BaseModel):
    """An immutable record in which an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


if TYPE_CHECKING:
    AnyPredictorSpec = PredictorSpec
else:
    AnyPredictorSpec = any_spec(KINDS)


class TrainingData(Record):
    """The series that a model was fitted on."""

    asset: AssetName
    source: str = Field(description="Where the bars came from: a shipped dataset or a file's name.")
    start: date
    end: date = Field(description="Training cut-off: the last session the fit has seen.")
    nobs: PositiveInt
    missing_sessions: int = Field(ge=0)
    sha256: Sha256 = Field(
        description="Digest of measure, dates, rv and the columns used, as RealizedSeries.sha256."
    )


class CompanionData(TrainingData):
    """The series of a companion that a model was fitted with."""

    measure: str
    calendar: str
    bar_interval: PositiveInt = Field(description="Seconds that one bar of it spans.")


class LossHistory(Record):
    """Mean squared errors of log rv in one phase of a network's training."""

    training_losses: tuple[FiniteFloat, ...] = Field(description="One an epoch.")
    validation_losses: tuple[FiniteFloat, ...] = Field(description="One an epoch.")
    best_epoch: int = Field(ge=0, description="The epoch whose weights were kept, from 0.")


class IntervalCalibration(Record):
    """Conformal offsets of one nominal level, and how such intervals have done out of sample."""

    level: float = Field(gt=0, lt=1, description="Nominal coverage.")
    lower: FiniteFloat = Field(
        description="Log offset of the lower bound of rv from the forecast, at the end of training."
    )
    upper: FiniteFloat = Field(
        description="Log offset of the upper bound of rv from the forecast, at the end of training."
    )
    calibration_nobs: PositiveInt = Field(description="Residuals behind the offsets.")
    coverage_observed: float = Field(
        ge=0,
        le=1,
        description="Share of the test part inside intervals made from earlier residuals alone.",
    )
    nobs: PositiveInt = Field(description="Test forecasts behind coverage_observed.")


class Margin(Record):
    """How far a model is from another on the test part."""

    qlike_ratio: FiniteFloat = Field(description="Its QLIKE over the other's; below 1 is better.")
    dm_pvalue: float = Field(
        ge=0, le=1, description="Of equal QLIKE, two-sided (Diebold-Mariano, fixed-b)."
    )


class Evaluation(Record):
    """Walk-forward results of this model on its own test part, out of sample."""

    protocol: str
    refit_every: PositiveInt = Field(description="Sessions between two fits.")
    selection_start: date | None = Field(
        default=None,
        description="First session of the part by which `auto` is chosen; it ends before the test "
        "part begins. Unknown of artifacts made before there was one.",
    )
    test_start: date
    test_end: date
    nobs: PositiveInt
    qlike_loss: FiniteFloat
    rmse_volatility: FiniteFloat
    mae_volatility: FiniteFloat
    r_squared_log: FiniteFloat
    correlation_log: FiniteFloat
    qlike_loss_by_seed: tuple[FiniteFloat, ...] = Field(
        default=(),
        description="QLIKE that each seed alone had on the same sessions, in the order of `seeds`.",
    )
    margins: dict[str, Margin] = Field(
        default_factory=dict,
        description="Distance from each benchmark that was evaluated beside it, by name.",
    )


ResidualVariance = Annotated[
    float,
    Field(
        ge=0,
        allow_inf_nan=False,
        description="Variance of log residuals; half of it moves a log forecast to the mean. "
        "Zero on the levels scale.",
    ),
]
Clip = Annotated[
    tuple[float, float],
    Field(
        description="Smallest and largest rv seen in training, a mean where several sessions are "
        "forecast: the range a forecast may take."
    ),
]
MeanRv = Annotated[
    FiniteFloat,
    Field(
        gt=0,
        description="Mean rv seen in training, which stands in for a negative forecast in levels.",
    ),
]
Learned = Annotated[
    dict[str, FiniteFloat],
    Field(
        default_factory=dict,
        description="Learned quantities worth reading, such as the hybrid's alpha; of several "
        "seeds their mean.",
    ),
]


class HorizonRecord(Record):
    """What a model has learned of one horizon, and how it did there."""

    residual_variance: ResidualVariance
    clip: Clip
    mean_rv: MeanRv
    intervals: tuple[IntervalCalibration, ...]
    evaluation: Evaluation
    learned: Learned


class Manifest(Record):
    """One version of one model: what it is, what it saw, and what it may be asked."""

    schema_version: Literal[1] = 1
    asset: AssetName
    model: ModelName
    predictor: AnyPredictorSpec
    scale: Scale = Field(description="Whether the predictor works on rv or on log rv.")
    lookback: Lookback = Field(
        description="Sessions of history that one forecast looks at, and needs unless "
        "`minimum_sessions` are fewer."
    )
    minimum_sessions: PositiveInt | None = Field(
        default=None, description="Sessions of history that do, where fewer than `lookback` do."
    )
    columns: tuple[str, ...] = Field(
        default=(),
        description="What the model sees of each session besides rv; see "
        "volatility.measures.columns.",
    )
    measure: Measure
    calendar: CalendarName
    periods_per_year: PositiveInt
    bar_interval: PositiveInt = Field(description="Seconds that one bar of the source spans.")
    horizons: tuple[Horizon, ...] = Field(
        default=(1,),
        min_length=1,
        description="Sessions ahead that it may be asked for. It was judged by the first, which "
        "`residual_variance`, `clip`, `mean_rv`, `intervals`, `evaluation` and `learned` are "
        "about.",
    )
    by_horizon: dict[PositiveInt, HorizonRecord] = Field(
        default_factory=dict, description="The same of each further horizon."
    )
    training: TrainingData
    sources: tuple[TrainingData, ...] = Field(
        default=(), description="Other assets' series used in pre-training."
    )
    companions: tuple[CompanionData, ...] = Field(
        default=(),
        description="Series beside the asset's own that it looks at, each as it was known at the "
        "time of a forecast; see volatility.companions.",
    )
    stand_in: str | None = Field(
        default=None,
        description="The model of the asset that answers where a companion is not known. Null for "
        "one that has no companions.",
    )
    calendar_effects: CalendarEffects | None = Field(
        default=None,
        description="What each class of session adds to log rv: divided out of what the predictor "
        "sees, and multiplied back into what it says. Null for a model that knows no calendar.",
    )
    residual_variance: ResidualVariance
    clip: Clip
    mean_rv: MeanRv
    rv_medians: tuple[float, float] | None = Field(
        default=None,
        description="Lowest and highest median rv of 22 consecutive sessions in training: a "
        "history far outside is in another unit. Null in artifacts older than this field.",
    )
    intervals: tuple[IntervalCalibration, ...]
    evaluation: Evaluation
    hyperparameters: dict[str, float | int | str | bool | tuple[int, ...]]
    learned: Learned
    histories: dict[str, LossHistory] = Field(
        default_factory=dict,
        description="How the losses of a network went, by phase of its training; of several seeds "
        "with the seed's place in `seeds`, as in `training_1`.",
    )
    seed: int
    seeds: tuple[int, ...] = Field(
        default=(), description="Of a network: the seeds whose fits it is the mean of, in logs."
    )
    code_version: str

    @model_validator(mode="after")
    def _has_all_horizons(self) -> Self:
        if self.horizons[1:] != tuple(self.by_horizon):
            raise ValueError(
                f"by_horizon has {list(self.by_horizon)}; needed: {list(self.horizons[1:])}"
            )
        return self

    @model_validator(mode="after")
    def _has_a_stand_in(self) -> Self:
        if self.companions and self.stand_in in (None, "", self.model):
            raise ValueError(
                f"stand_in is {self.stand_in!r} of a model with companions; needed: the name of "
                "another model, without them"
            )
        return self

    @cached_property
    def own_columns(self) -> tuple[str, ...]:
        """Those of :attr:`columns` that the asset's own bars give."""
        return tuple(it for it in self.columns if companion_of(it) is None)

    def at(self, horizon: int) -> HorizonRecord:
        """What is known of one of :attr:`horizons`.

        Raises
        ------
        KeyError : it is none of them.
        """
        if horizon != self.horizons[0]:
            return self.by_horizon[horizon]
        return HorizonRecord(**{name: getattr(self, name) for name in HorizonRecord.model_fields})
