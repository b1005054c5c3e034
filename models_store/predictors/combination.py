r"""Several models as one: ``members.zip``, with what each is and the file that holds its numbers.

.. math:: \log \hat{rv} = \frac{1}{K} \sum_{k=1}^K \log \hat{rv}^{(k)}

where each member's forecast is moved to the mean, and bounded, as it would be alone.
"""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, PositiveInt

from models_store.predictors.calendar_adjusted import CalendarAdjustedPredictor, without_calendar
from models_store.predictors.explaining import parts_of_rv
from models_store.predictors.predictor import (
    Predictor,
    PredictorKind,
    PredictorSpec,
    PredictsTogether,
    any_spec,
)
from models_store.predictors.single import SINGLE_KINDS
from volatility.archives import read_member
from volatility.arrays import FloatArray, Prediction, Scale, Windows
from volatility.contributions import Part
from volatility.series import Bounds, to_rv

# Of every entry of the archive, so that it has the same bytes. None is compressed, since what zlib
# makes of one differs between its versions.
_AGES = (1980, 1, 1, 0, 0, 0)

if TYPE_CHECKING:
    AnyMemberSpec = PredictorSpec
else:
    AnyMemberSpec = any_spec(SINGLE_KINDS)


@dataclass(frozen=True)
class Member:
    """One model of a combination, at one horizon."""

    model: str
    predictor: Predictor
    residual_variance: float
    bounds: Bounds

    def rv(self, windows: Windows) -> FloatArray:
        """Mean rv from (batch, lookback or more) windows; (batch,)."""
        values = self.predictor.predict(self._newest(windows)).values
        return to_rv(values, self.predictor.scale, self.residual_variance, self.bounds)[0]

    def rv_together(self, horizons: Sequence[Self], windows: Windows) -> list[FloatArray]:
        """The same of each horizon of one model, of which this is one."""
        if not isinstance(self.predictor, PredictsTogether):
            return [it.rv(windows) for it in horizons]
        predictors = [it.predictor for it in horizons]
        said = self.predictor.predict_together(predictors, self._newest(windows))
        return [
            to_rv(values, it.predictor.scale, it.residual_variance, it.bounds)[0]
            for it, values in zip(horizons, said, strict=True)
        ]

    def explain(self, windows: Windows) -> list[Part]:
        """Parts of log rv; one of a member that works in levels, whose parts are no logs."""
        if self.predictor.scale == "levels":
            return [Part("whole", "other", np.log(self.rv(windows)))]
        newest = self._newest(windows)
        return parts_of_rv(self.predictor, newest, self.residual_variance, self.bounds)

    def _newest(self, windows: Windows) -> Windows:
        needed = self.predictor.lookback
        return {name: values[:, -needed:] for name, values in windows.items()}


@dataclass(frozen=True)
class CombinedPredictor:
    """The mean of logs of its members."""

    members: Sequence[Member]
    kind: ClassVar[str] = "combination"
    scale: ClassVar[Scale] = "logs"
    vectorized: ClassVar[bool] = True
    dated: ClassVar[bool] = True

    @cached_property
    def lookback(self) -> int:
        """The longest of the members'."""
        return max(member.predictor.lookback for member in self.members)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Those of all members, sorted."""
        return tuple(sorted({name for it in self.members for name in it.predictor.columns}))

    def predict(self, windows: Windows) -> Prediction:
        """Predict the log of mean rv from (batch, lookback) windows; shows each member's rv."""
        said = {member.model: member.rv(windows) for member in self.members}
        total = np.log(next(iter(said.values())))
        for rv in list(said.values())[1:]:
            total = total + np.log(rv)
        shown = {f"rv_{model}": rv[:, None] for model, rv in said.items()}
        return Prediction(total / len(said), shown)

    def predict_together(self, horizons: Sequence[Self], windows: Windows) -> list[FloatArray]:
        """Predict all horizons; members that can do so by one run each."""
        said = [
            member.rv_together([it.members[place] for it in horizons], windows)
            for place, member in enumerate(self.members)
        ]
        return [np.mean([np.log(rv) for rv in rvs], axis=0) for rvs in zip(*said, strict=True)]

    def explain(self, windows: Windows, _usual_rv: float) -> list[Part]:
        """The parts of each member, counting by its share."""
        count = len(self.members)
        return [
            part._replace(added=part.added / count, member=member.model)
            for member in self.members
            for part in member.explain(windows)
        ]


class MemberRecord(BaseModel):
    """What moves and bounds a member's forecast at one horizon."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    residual_variance: float = Field(ge=0, allow_inf_nan=False)
    clip: tuple[float, float]
    mean_rv: FiniteFloat


class MemberSpec(BaseModel):
    """One member of a combination."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    model: str
    predictor: AnyMemberSpec
    scale: Scale
    lookback: PositiveInt
    calendar: str | None = Field(description="Whose sessions and half days it knows, if any.")
    calendar_effects: dict[str, FiniteFloat] | None
    by_horizon: dict[PositiveInt, MemberRecord]


class CombinedPredictorSpec(PredictorSpec):
    """A mean of the logs of its members, whose numbers are in ``members.zip``."""

    kind: Literal["combination"] = "combination"
    members: tuple[MemberSpec, ...] = Field(min_length=1)

    def kind_of_asset(self) -> str | None:
        """What a member takes the asset for."""
        kinds = (member.predictor.kind_of_asset() for member in self.members)
        return next((kind for kind in kinds if kind), None)


def describe(predictors: Mapping[int, CombinedPredictor]) -> CombinedPredictorSpec:
    """What each member is."""
    first = next(iter(predictors.values()))
    specs = [_member_spec(place, predictors) for place in range(len(first.members))]
    return CombinedPredictorSpec(members=tuple(specs))


def write(
    predictors: Mapping[int, CombinedPredictor], spec: CombinedPredictorSpec, example: Windows
) -> bytes:
    """An archive with the file of each member, in a folder of its name."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for place, member in enumerate(spec.members):
            kind = SINGLE_KINDS[member.predictor.kind]
            own = _without_calendar(place, predictors)
            file = zipfile.ZipInfo(f"{member.model}/{kind.file}", _AGES)
            archive.writestr(file, kind.write(own, member.predictor, example))
    return content.getvalue()


def load(
    content: bytes, spec: CombinedPredictorSpec, _scale: Scale, _lookback: int
) -> dict[int, CombinedPredictor]:
    """Open every member.

    Raises
    ------
    Whatever the archive, or the loading of a member, raises.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [_load_member(it, archive) for it in spec.members]
    horizons = spec.members[0].by_horizon
    return {horizon: CombinedPredictor([it[horizon] for it in members]) for horizon in horizons}


def _load_member(spec: MemberSpec, archive: zipfile.ZipFile) -> dict[int, Member]:
    kind = SINGLE_KINDS[spec.predictor.kind]
    content = read_member(archive, f"{spec.model}/{kind.file}")
    predictors = kind.load(content, spec.predictor, spec.scale, spec.lookback)
    return {
        horizon: Member(
            spec.model,
            _with_calendar(predictors[horizon], spec, horizon),
            record.residual_variance,
            Bounds(*record.clip, record.mean_rv),
        )
        for horizon, record in spec.by_horizon.items()
    }


def _with_calendar(predictor: Predictor, spec: MemberSpec, horizon: int) -> Predictor:
    if spec.calendar_effects is None or spec.calendar is None:
        return predictor
    return CalendarAdjustedPredictor(predictor, spec.calendar_effects, spec.calendar, horizon)


def _member_spec(place: int, predictors: Mapping[int, CombinedPredictor]) -> MemberSpec:
    members = {horizon: it.members[place] for horizon, it in predictors.items()}
    first = next(iter(members.values()))
    inner, effects = without_calendar(first.predictor)
    return MemberSpec(
        model=first.model,
        predictor=SINGLE_KINDS[inner.kind].describe(_without_calendar(place, predictors)),
        scale=inner.scale,
        lookback=inner.lookback,
        calendar=_calendar_of(first.predictor),
        calendar_effects=None if effects is None else dict(effects),
        by_horizon={
            horizon: MemberRecord(
                residual_variance=it.residual_variance,
                clip=(float(it.bounds.low), float(it.bounds.high)),
                mean_rv=float(it.bounds.mean),
            )
            for horizon, it in members.items()
        },
    )


def _without_calendar(place: int, predictors: Mapping[int, CombinedPredictor]) -> dict[int, Any]:
    return {
        horizon: without_calendar(it.members[place].predictor)[0]
        for horizon, it in predictors.items()
    }


def _calendar_of(predictor: Predictor) -> str | None:
    return predictor.calendar_name if isinstance(predictor, CalendarAdjustedPredictor) else None


KIND = PredictorKind(CombinedPredictorSpec, "members.zip", describe, write, load)
