"""Forecasts as output tensors of the Open Inference Protocol."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Self

from pydantic_core import to_json

from service.forecasts.encoding import Counted, flags_of
from service.forecasts.forecaster import IssuedForecast
from service.http.errors import Fault, InvalidRequest
from service.http.problems import presentable
from service.protocols.names import Named
from service.protocols.schemas import Datatype, InferRequest
from service.protocols.tensors import Output

_SENT_AT_ONCE = 64  # rows, of some tens of kilobytes


class Column(NamedTuple):
    """An output, of one row.

    Parameters
    ----------
    datatype : of its values.
    of : the values of a forecast.
    by_level : whether there is one for each interval.
    """

    datatype: Datatype
    of: Callable[[IssuedForecast], Sequence[float] | Sequence[str]]
    by_level: bool = False


def _said(issued: IssuedForecast) -> str:
    return "\n".join([*filter(None, [issued.degraded_reason]), *issued.warnings])


COLUMNS: dict[str, Column] = {
    "rv": Column("FP64", lambda it: [it.forecast.rv]),
    "volatility_annualized": Column("FP64", lambda it: [it.forecast.volatility_annualized]),
    "lower": Column("FP64", lambda it: [part.rv[0] for part in it.forecast.intervals], True),
    "upper": Column("FP64", lambda it: [part.rv[1] for part in it.forecast.intervals], True),
    "forecast_id": Column("BYTES", lambda it: [it.forecast_id]),
    "model": Column("BYTES", lambda it: [str(Named(it.asset, it.forecast.model))]),
    "as_of": Column("BYTES", lambda it: [str(it.forecast.as_of or "")]),
    "target_date": Column("BYTES", lambda it: [str(it.forecast.target_date or "")]),
    "warnings": Column("BYTES", lambda it: [_said(it)]),
}


class Wanted(NamedTuple):
    """Which outputs are wanted, and how.

    Attributes
    ----------
    in_binary : by name, whether as binary data.
    levels : how many intervals each row has.
    request_id : that comes back; None where none was sent.
    """

    in_binary: dict[str, bool]
    levels: int
    request_id: str | None

    @classmethod
    def of(cls, body: InferRequest, levels: Sequence[float]) -> Self:
        """What a request wants.

        Raises
        ------
        InvalidRequest : an output does not exist, or is named twice.
        """
        usual = body.parameters.binary_data_output if body.parameters else False
        if not body.outputs:
            return cls(dict.fromkeys(COLUMNS, usual), len(levels), body.id)
        in_binary: dict[str, bool] = {}
        for it in body.outputs:
            if it.name not in COLUMNS or it.name in in_binary:
                raise _refused(it.name, twice=it.name in in_binary)
            chosen = it.parameters.binary_data if it.parameters else None
            in_binary[it.name] = usual if chosen is None else chosen
        return cls(in_binary, len(levels), body.id)


class Encoded(NamedTuple):
    """An answer.

    Attributes
    ----------
    parts : of the body.
    json_length : bytes of its JSON; None where that is all of it.
    forecasts : how many of each asset, model and flags.
    """

    parts: list[bytes]
    json_length: int | None
    forecasts: Counter[Counted]


class Answer:
    """The outputs that are wanted, filled row by row.

    Parameters
    ----------
    name : of the model that was asked.
    wanted : of them.
    """

    def __init__(self, name: str, wanted: Wanted) -> None:
        self._name, self._wanted, self._rows = name, wanted, 0
        self._values: dict[str, list[Any]] = {it: [] for it in wanted.in_binary}
        self._versions: set[tuple[str, int]] = set()
        self._forecasts: Counter[Counted] = Counter()

    def add(self, forecasts: Iterable[IssuedForecast]) -> None:
        """Add the forecasts of the next rows."""
        columns = [(COLUMNS[name].of, values) for name, values in self._values.items()]
        for it in forecasts:
            said = it.forecast
            self._versions.add((said.model, said.model_version))
            self._forecasts[said.asset, said.model, flags_of([it])] += 1
            self._rows += 1
            for of, values in columns:
                values.extend(of(it))

    def encoded(self) -> Encoded:
        """All of it as JSON, and what is wanted as binary data behind that."""
        said: dict[str, object] = {"model_name": self._name}
        if len(self._versions) == 1:
            [(_, version)] = self._versions
            said["model_version"] = str(version)
        if self._wanted.request_id is not None:
            said["id"] = self._wanted.request_id
        described, binary = [], []
        for name, is_binary in self._wanted.in_binary.items():
            output = self._output(name)
            if is_binary:
                head, values = output.in_binary
                described.append(head)
                binary.append(values)
            else:
                described.append(output.in_json)
        between = [part for it in described for part in (b",", it)][1:]
        json = [to_json(said)[:-1] + b',"outputs":[', *between, b"]}"]
        length = sum(map(len, json)) if binary else None
        parts = [*json, *binary]
        if self._rows <= _SENT_AT_ONCE:  # each part is a turn of the event loop
            parts = [b"".join(parts)]
        return Encoded(parts, length, self._forecasts)

    def _output(self, name: str) -> Output:
        column = COLUMNS[name]
        shape = (self._rows, self._wanted.levels) if column.by_level else (self._rows,)
        return Output(name, column.datatype, shape, self._values[name])


def _refused(name: str, twice: bool) -> InvalidRequest:
    code, needed = (
        ("duplicate_field", "each output once")
        if twice
        else (
            "unknown_field",
            f"one of {', '.join(COLUMNS)}",
        )
    )
    detail = f"outputs: found {presentable(name)}{' twice' if twice else ''}; needed: {needed}"
    return InvalidRequest([Fault(code, detail, "outputs", name, needed)])
