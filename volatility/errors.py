"""The domain's errors.

::

    RoughcastError
    ├── InvalidInput
    │   ├── InvalidBars           prices or dates of bars; its code is that of its first finding
    │   ├── InvalidSeries         rv and dates given directly; each case has its code
    │   ├── HistoryTooShort
    │   ├── TooFewObservations    a day, or a sample, too small for an estimator
    │   ├── ConstantPrices
    │   ├── ImplausibleUnit
    │   ├── UnknownMeasure
    │   ├── UnknownCalendar
    │   ├── OutsideCalendar
    │   ├── UnsupportedHorizon
    │   ├── UnsupportedLevel
    │   └── UnsupportedQuantile
    ├── NotFound
    │   ├── UnknownAsset
    │   ├── UnknownModel
    │   ├── UnknownVersion
    │   └── NoHistory
    └── MisalignedForecasts

A room that alone raises an error adds it beside its own code, as a leaf of this tree. Nothing here
knows of HTTP. A message says what was found, where, and what is needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self


class RoughcastError(Exception):
    """Base of everything that Roughcast raises on purpose.

    Parameters
    ----------
    message : a sentence for a person: what was found, where, what is needed.
    code : machine-readable case, where one class covers several; else the class's own.
    field : the input at fault.
    found : its value, or a description of it.
    needed : what would be accepted.
    """

    code: str = "error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        field: str | None = None,
        found: object = None,
        needed: str | None = None,
    ) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
        self.field = field
        self.found = found
        self.needed = needed

    def with_field(self, field: str | None) -> Self:
        """The same error, of an input that the caller knows by another name."""
        error = type(self).__new__(type(self), *self.args)
        error.__dict__.update(self.__dict__)
        error.field = field
        return error


class InvalidInput(RoughcastError):
    """What the caller gave cannot be used."""

    code = "invalid_input"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or worth knowing, about bars or the series made from them.

    Parameters
    ----------
    code : machine-readable case.
    severity : an error makes the input unusable; a warning goes into the answer.
    field : the column concerned.
    found : what was found, where it was first.
    needed : what is needed.
    index : position of the first occurrence; None where there is no such place.
    count : occurrences.
    """

    code: str
    severity: Literal["error", "warning"]
    field: str
    found: str
    needed: str
    index: int | None = None
    count: int = 1

    def __str__(self) -> str:
        times = f" ({self.count} in all)" if self.count > 1 else ""
        return f"{self.field}: {self.found}{times}; needed: {self.needed}"


class InvalidBars(InvalidInput):
    """Bars that no realized measure can be computed from.

    Parameters
    ----------
    findings : every error found, the first giving ``code``, ``field``, ``found`` and ``needed``.
    """

    code = "invalid_bars"

    def __init__(self, findings: Sequence[Finding]) -> None:
        first = findings[0]
        super().__init__(
            "; ".join(str(finding) for finding in findings),
            code=first.code,
            field=first.field,
            found=first.found,
            needed=first.needed,
        )
        self.findings = tuple(findings)


class InvalidSeries(InvalidInput):
    """A series of daily rv, or its dates, that no forecast can be made from."""

    code = "invalid_series"


class HistoryTooShort(InvalidInput):
    """Fewer sessions than a model or transformation needs."""

    code = "history_too_short"


class TooFewObservations(InvalidInput):
    """Fewer observations than an estimator is defined for."""

    code = "too_few_observations"


class ConstantPrices(InvalidInput):
    """No session has a realized measure above zero."""

    code = "constant_prices"


class ImplausibleUnit(InvalidInput):
    """Values too large for a daily variance in decimal²: probably percent, or annualized."""

    code = "implausible_unit"


class UnknownMeasure(InvalidInput):
    """No realized measure has this name."""

    code = "unknown_measure"


class UnknownCalendar(InvalidInput):
    """No calendar has this name."""

    code = "unknown_calendar"


class OutsideCalendar(InvalidInput):
    """A date that the calendar does not cover."""

    code = "outside_calendar"


class UnsupportedHorizon(InvalidInput):
    """A horizon that the model does not forecast."""

    code = "unsupported_horizon"


class UnsupportedLevel(InvalidInput):
    """A level that the model has no intervals for."""

    code = "unsupported_level"


class UnsupportedQuantile(InvalidInput):
    """A probability that the past errors of a model do not tell the quantile of."""

    code = "unsupported_quantile"


class NotFound(RoughcastError):
    """What was asked for by name does not exist."""

    code = "not_found"


class UnknownAsset(NotFound):
    """No such asset."""

    code = "unknown_asset"


class UnknownModel(NotFound):
    """No such model for the asset."""

    code = "unknown_model"


class UnknownVersion(NotFound):
    """No such version of the model."""

    code = "unknown_version"


class NoHistory(NotFound):
    """The asset has no held history."""

    code = "no_history"


class MisalignedForecasts(RoughcastError):
    """Forecasts that are not keyed by their target date as they claim."""

    code = "misaligned_forecasts"
