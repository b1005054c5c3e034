"""What the Open Inference Protocol says over HTTP, as far as it is spoken here."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from service.forecasts.requests import MAX_BATCH
from service.http.fields import DECIMALS, MAX_NAME, MAX_VALUES, RequestBody

MAX_TENSORS = 16
MAX_ELEMENTS = 1_000_000  # of one tensor in JSON
_LONGEST_ID = 200
_LONGEST_NAME = 2 * MAX_NAME + 1  # of an asset and a model, with what is between them

Datatype = Literal["FP64", "BYTES"]
ModelName = Annotated[
    str,
    Field(
        max_length=_LONGEST_NAME,
        description="An asset and a model of it, `auto` and `universal` among them; or `universal` "
        "for any asset.",
        examples=["SPX~log_har", "BTC-USD~auto", "universal"],
    ),
]


class TensorParameters(RequestBody):
    """How an input is sent."""

    binary_data_size: Annotated[
        int | None,
        Field(ge=0, description="Bytes of it behind the JSON, where it is sent as binary data."),
    ] = None


class InferTensor(RequestBody):
    """One input."""

    name: Annotated[str, Field(max_length=MAX_NAME, examples=["rv"])]
    shape: Annotated[
        list[int],
        Field(max_length=8, description="Rows, and sessions of each.", examples=[[1, 22]]),
    ]
    datatype: Annotated[str, Field(max_length=MAX_NAME, examples=["FP64"])]
    parameters: TensorParameters | None = None
    data: Annotated[
        list[Any] | None,
        Field(
            max_length=MAX_ELEMENTS,
            description="Values row by row, or a list of them for each row; none where they are "
            "sent as binary data.",
        ),
    ] = None


class OutputParameters(RequestBody):
    """How an output is wanted."""

    binary_data: Annotated[
        bool | None, Field(description="As binary data; by default as `binary_data_output` says.")
    ] = None


class RequestedOutput(RequestBody):
    """One output that is wanted."""

    name: Annotated[str, Field(max_length=MAX_NAME, examples=["rv"])]
    parameters: OutputParameters | None = None


class InferParameters(RequestBody):
    """What is asked."""

    horizon: Annotated[int, Field(description="As in `POST /forecast`.", examples=[5])] = 1
    levels: Annotated[
        Annotated[str, DECIMALS] | None,
        Field(
            description="Coverages of the intervals, in text, since a parameter is no list; "
            "0.8,0.95 if left out.",
            examples=["0.8,0.95"],
        ),
    ] = None
    held: Annotated[
        bool, Field(description="Whether to forecast from held history, with no inputs.")
    ] = False
    binary_data_output: Annotated[
        bool, Field(description="Whether outputs are wanted as binary data.")
    ] = False


class InferRequest(RequestBody):
    """Forecasts asked for with tensors, one a row."""

    model_config = ConfigDict(
        protected_namespaces=(),
        json_schema_extra={
            "examples": [
                {"inputs": [], "parameters": {"held": True}},
                {
                    "inputs": [
                        {
                            "name": "rv",
                            "shape": [1, 3],
                            "datatype": "FP64",
                            "data": [1e-4, 2e-4, 1e-4],
                        }
                    ],
                    "parameters": {"levels": "0.8"},
                },
            ]
        },
    )

    id: Annotated[
        str | None, Field(max_length=_LONGEST_ID, description="Comes back with the answer.")
    ] = None
    model_name: Annotated[
        str | None,
        Field(
            max_length=_LONGEST_NAME,
            description="That of the URL, which KServe's client says twice.",
        ),
    ] = None
    parameters: InferParameters | None = None
    inputs: Annotated[
        list[InferTensor],
        Field(
            max_length=MAX_TENSORS,
            description="`rv`, with or without `date`; or `date`, `open`, `high`, `low` and "
            f"`close`. All have the same shape: at most {MAX_BATCH:,} rows of at most "
            f"{MAX_VALUES:,} sessions, oldest first.",
        ),
    ] = Field(default_factory=list)
    outputs: Annotated[
        list[RequestedOutput] | None,
        Field(max_length=MAX_TENSORS, description="Those that are wanted; all if left out."),
    ] = None


class AnsweredParameters(TypedDict):
    """How an output is sent."""

    binary_data_size: Annotated[int, Field(description="Bytes of it behind the JSON.")]


class AnsweredTensor(TypedDict):
    """One output."""

    name: Annotated[str, Field(examples=["rv"])]
    shape: Annotated[list[int], Field(description="Rows, and intervals of each.", examples=[[1]])]
    datatype: Datatype
    parameters: NotRequired[AnsweredParameters]
    data: NotRequired[
        Annotated[list[float | str], Field(description="Values row by row.", examples=[[0.00163]])]
    ]


class InferAnswer(TypedDict):
    """Forecasts as tensors."""

    model_name: ModelName
    model_version: NotRequired[
        Annotated[str, Field(description="Of the model that answered, if one answered all rows.")]
    ]
    id: NotRequired[str]
    outputs: list[AnsweredTensor]


class TensorDescription(TypedDict):
    """One tensor that a model takes or gives."""

    name: str
    datatype: Datatype
    shape: Annotated[list[int], Field(description="-1 for any number.", examples=[[-1, -1]])]


class ModelDescription(TypedDict):
    """A model, and its tensors."""

    name: ModelName
    versions: list[str]
    platform: Annotated[str, Field(examples=["roughcast"])]
    inputs: list[TensorDescription]
    outputs: list[TensorDescription]


class ServerDescription(TypedDict):
    """The service, and what of the protocol's extensions it knows."""

    name: Literal["roughcast"]
    version: str
    extensions: Annotated[list[str], Field(examples=[["binary_tensor_data"]])]


class LiveServer(TypedDict):
    """The process answers."""

    live: Literal[True]


class ReadyServer(TypedDict):
    """The service can forecast."""

    ready: Literal[True]


class ReadyModel(TypedDict):
    """The model can forecast."""

    name: ModelName
    ready: Literal[True]


class IndexRequest(RequestBody):
    """Which models to list."""

    ready: Annotated[bool, Field(description="Whether to leave out what was refused.")] = False


class IndexedModel(TypedDict):
    """One model of the store."""

    name: ModelName
    version: str
    state: Literal["READY", "UNAVAILABLE"]
    reason: Annotated[str, Field(description="Why it, or its newest version, does not serve.")]
