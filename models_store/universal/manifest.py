"""The schema of a universal model's ``manifest.json``."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, FiniteFloat, PositiveInt, model_validator

from models_store.manifest import (
    CalendarEffects,
    Evaluation,
    Horizon,
    Lookback,
    Measure,
    Record,
    TrainingData,
)
from volatility.scale_free import KINDS


def _a_kind(name: str) -> str:
    if name not in KINDS:
        raise ValueError(f"{name} is no kind of asset; there are {', '.join(KINDS)}")
    return name


Kind = Annotated[str, AfterValidator(_a_kind)]


class PanelAsset(TrainingData):
    """The series of one asset that the model was fitted on."""

    kind: Kind
    measure: str
    calendar: str


class KindRecord(Record):
    """How the model did at one horizon on the assets of a kind, each left out of its fit."""

    assets: PositiveInt
    log_har_change: FiniteFloat = Field(
        description="QLIKE against each asset's own bias-corrected log-HAR, mean over the assets: "
        "-0.07 is 7 % lower."
    )
    evaluation: Evaluation = Field(description="Means over the assets; `nobs` is their sum.")
    error_size: FiniteFloat = Field(gt=0, description="Mean absolute log residual.")
    error_quantiles: tuple[FiniteFloat, ...] = Field(
        description="Equally spaced quantiles of log residuals in units of their scale, increasing."
    )
    coverage_observed: dict[str, float] = Field(
        description="By nominal level: share of outcomes inside intervals made of the errors of "
        "the other assets of the kind alone, mean over the assets."
    )


class UniversalManifest(Record):
    """One version of the model for every asset: what it saw, and how it did on what it did not."""

    schema_version: Literal[1] = 1
    horizons: tuple[Horizon, ...] = Field(
        min_length=1, description="Sessions ahead of the network's outputs, in order."
    )
    minimum_sessions: PositiveInt
    lookback: Lookback = Field(description="Sessions beyond which a history is not looked at.")
    columns: tuple[str, ...] = Field(
        description="What it sees of a session besides rv, where bars give it."
    )
    measures: tuple[Measure, ...] = Field(description="Measures of rv that it was fitted on.")
    training_end: date = Field(description="The last session of any asset that the fit has seen.")
    assets: tuple[PanelAsset, ...] = Field(min_length=1)
    calendar_effects: dict[Kind, CalendarEffects] = Field(
        description="What each class of session adds to log rv, by kind of asset."
    )
    capped_means: tuple[FiniteFloat, ...] = Field(
        description="By horizon: mean of rv over forecast, each capped, over the assets; what an "
        "asset's own such mean is compared with."
    )
    kind_scales: dict[Kind, tuple[FiniteFloat, ...]] = Field(
        default_factory=dict,
        description="By kind of asset and horizon: log of what the network's forecasts are "
        "multiplied by; 0 for a kind that is not named.",
    )
    clip: tuple[float, float] = Field(description="Smallest and largest rv of any asset.")
    rv_medians: tuple[float, float] = Field(
        description="Lowest and highest median rv of 22 consecutive sessions of any asset."
    )
    by_kind: dict[Kind, dict[PositiveInt, KindRecord]] = Field(
        default_factory=dict,
        description="How such a model did out of sample, by kind of asset and horizon. Empty for "
        "one that was made to be evaluated, not to serve.",
    )
    short_histories: dict[Kind, dict[PositiveInt, dict[PositiveInt, KindRecord]]] = Field(
        default_factory=dict,
        description="The same of histories of so many sessions, the newest of each asset: by kind, "
        "sessions and horizon.",
    )
    hyperparameters: dict[str, float | int | str | bool | tuple[int, ...]]
    seed: int
    seeds: tuple[int, ...]
    code_version: str

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if len(self.capped_means) != len(self.horizons):
            raise ValueError("there is not one capped mean a horizon")
        if any(len(it) != len(self.horizons) for it in self.kind_scales.values()):
            raise ValueError("there is not one scale of a kind a horizon")
        if set(self.calendar_effects) != set(KINDS):
            raise ValueError(f"calendar_effects needs {', '.join(KINDS)}")
        if self.by_kind and set(self.by_kind) != set(KINDS):
            raise ValueError(f"by_kind needs {', '.join(KINDS)}, or nothing")
        short = [it for records in self.short_histories.values() for it in records.values()]
        if any(set(it) != set(self.horizons) for it in (*self.by_kind.values(), *short)):
            raise ValueError("a record of a kind does not have every horizon")
        return self

    def recorded_sessions(self, kind: str, sessions: int) -> int:
        """The longest histories with a record of their own that are not longer than ``sessions``.

        `lookback` for histories as long, and where no shorter ones have a record.
        """
        counts = [it for it in self.short_histories.get(kind, {}) if it <= sessions < self.lookback]
        return max(counts, default=self.lookback)

    def records(self, kind: str, sessions: int) -> Mapping[int, KindRecord]:
        """How such a model did on assets of a kind with histories of so many sessions, by horizon.

        Parameters
        ----------
        kind : one of :data:`volatility.scale_free.KINDS`.
        sessions : as :meth:`recorded_sessions` has them.
        """
        if sessions == self.lookback:
            return self.by_kind[kind]
        return self.short_histories[kind][sessions]
