"""An inference of the Open Inference Protocol: forecasts asked for with tensors, one a row."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, Self

from pydantic import ValidationError

from service.forecasts.requests import MAX_BATCH, ForecastRequest, HistoryInput
from service.http.errors import Fault, InvalidRequest
from service.http.fields import MAX_VALUES
from service.http.json_lists import Content
from service.http.limits import BodyLimits
from service.http.problems import from_validation, presentable
from service.protocols.names import Named
from service.protocols.outputs import Wanted
from service.protocols.reading import read_inputs
from service.protocols.schemas import (
    MAX_TENSORS,
    Datatype,
    InferParameters,
    InferRequest,
    InferTensor,
)
from service.protocols.tensors import Tensor, read_tensors, shape_of
from volatility.bars import PRICES

RV, DATE = "rv", "date"
INPUTS: dict[str, Datatype] = {RV: "FP64", DATE: "BYTES", **dict.fromkeys(PRICES, "FP64")}
_FORMS = ({RV}, {RV, DATE}, {DATE, *PRICES})
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Target(NamedTuple):
    """What the URL asks for.

    Attributes
    ----------
    name : of the model, as it is in the URL.
    version : of it; None for the one that serves.
    """

    name: str
    version: int | None = None

    def request(self, parameters: InferParameters | None = None) -> ForecastRequest:
        """What is asked of held history.

        Raises
        ------
        UnknownModel : the name is none.
        InvalidRequest : a parameter is not as in ``POST /forecast``.
        """
        named, given = Named.of(self.name), parameters or InferParameters()
        asked: dict[str, Any] = {"asset": named.asset, "model": named.model}
        if self.version is not None:
            asked["model_version"] = self.version
        if given.levels is not None:
            asked["levels"] = tuple(map(float, given.levels.split(",")))
        try:
            return ForecastRequest(**asked, horizon=given.horizon)
        except ValidationError as error:
            raise from_validation(error.errors(include_url=False), ForecastRequest) from error


class Inference(NamedTuple):
    """What is asked, in as many rows as the tensors have.

    Attributes
    ----------
    request : of each row, without its history.
    rows : how many.
    tensors : by name; none where held history is asked about.
    wanted : which outputs, and how they are to be sent.
    """

    request: ForecastRequest
    rows: int
    tensors: Mapping[str, Tensor]
    wanted: Wanted

    @classmethod
    def of(
        cls, target: Target, content: Content, json_length: int | None, limits: BodyLimits
    ) -> Self:
        """Read what is asked.

        Parameters
        ----------
        target : of the URL.
        content : JSON and, behind it, binary data.
        json_length : bytes of the JSON; None for all of it.
        limits : how many values there may be.

        Raises
        ------
        UnknownModel : the name of the model is none.
        MalformedJson, InvalidRequest : the content is not JSON, or not as the protocol has it.
        BodyTooLarge : it has too many values.
        """
        if json_length is not None and json_length > len(content):
            raise _refused("body", f"{len(content)} bytes", f"{json_length} bytes of JSON at least")
        end = len(content) if json_length is None else json_length
        body = read_inputs(InferRequest, InferTensor, MAX_TENSORS, content[:end])
        if body.model_name not in (None, target.name):
            raise _refused("model_name", body.model_name, f"{target.name}, as in the URL")
        given = body.parameters or InferParameters()
        request, rows = target.request(given), _rows_of(body.inputs, given, limits)
        tensors = read_tensors(body.inputs, INPUTS, memoryview(content)[end:])
        return cls(request, rows, tensors, Wanted.of(body, request.levels))

    def requests(self) -> Iterator[ForecastRequest]:
        """What each row asks, as ``POST /forecast`` does.

        Raises
        ------
        InvalidRequest : a date is none.
        """
        if not self.tensors:
            yield self.request
            return
        for row in range(self.rows):
            yield self.request.model_copy(update={"history": self._history(row)})

    def _history(self, row: int) -> HistoryInput:
        days = list(_days(self.tensors[DATE], row)) if DATE in self.tensors else None
        numbers = {
            name: it.numbers[row].tolist()
            for name, it in self.tensors.items()
            if it.numbers is not None
        }
        if RV in numbers:
            return HistoryInput.model_construct(rv=numbers[RV], dates=days)
        bars = [
            {DATE: day, "open": opened, "high": high, "low": low, "close": close}
            for day, opened, high, low, close in zip(
                days or (), *(numbers[it] for it in PRICES), strict=True
            )
        ]
        return HistoryInput.model_construct(bars=bars)  # type: ignore[arg-type]


def _rows_of(inputs: Sequence[InferTensor], parameters: InferParameters, limits: BodyLimits) -> int:
    """How many rows the tensors have, which must go together; before any of them is read."""
    names = [it.name for it in inputs]
    if parameters.held or not inputs:
        if parameters.held and not inputs:
            return 1
        needed = "either inputs, or the parameter held and no inputs"
        raise _refused("inputs", ", ".join(names) or "none", needed)
    if set(names) not in _FORMS:
        needed = f"{RV}, {RV} and {DATE}, or {DATE}, {', '.join(PRICES)}"
        raise _refused("inputs", ", ".join(names), needed)
    shapes = {it.name: shape_of(it) for it in inputs}
    if len(set(shapes.values())) > 1:
        found = ", ".join(f"{name} {list(shape)}" for name, shape in shapes.items())
        raise _refused("inputs", found, "one shape of all of them", "length_mismatch")
    rows, length = shapes[names[0]]
    if rows > MAX_BATCH or length > MAX_VALUES:
        needed = f"at most {MAX_BATCH} rows of at most {MAX_VALUES} sessions"
        raise _refused("inputs", f"[{rows}, {length}]", needed, "too_many_items")
    limits.check_values(rows * length * len(inputs))
    return rows


def _days(dates: Tensor, row: int) -> Iterator[date]:
    first = row * dates.length
    for at, text in enumerate(dates.texts[first : first + dates.length]):
        try:
            if _DATE.fullmatch(text):
                yield date.fromisoformat(text)
                continue
        except ValueError:
            pass
        raise _refused(f"{DATE}[{row}, {at}]", text, "a date written YYYY-MM-DD", "invalid_date")


def _refused(place: str, found: object, needed: str, code: str = "invalid_value") -> InvalidRequest:
    detail = f"{place}: found {presentable(found)}; needed: {needed}"
    return InvalidRequest([Fault(code, detail, place, found, needed)])
