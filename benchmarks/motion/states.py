"""What may be answered: each question, by each version of the model and each of the last bars."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from models_store import Store, artifact
from models_store.predictors import linear
from models_store.signatures import SUMS
from volatility.datasets import load
from volatility.npz import encode_arrays, read_arrays

ASSET, MODEL = "BTC-USD", "har"
LARGER = 1.01  # forecasts of the second version, over those of the first
VERSIONS = (1, 2)
HIGHS = (1.0, 1.01, 1.02)  # of the last bar, over what is shipped; a session's revisions


class State(NamedTuple):
    """What an answer is of.

    Parameters
    ----------
    version : of the model that is exchanged.
    bar : place in :data:`HIGHS` of the last bar; None of an answer that is not from held bars.
    """

    version: int
    bar: int | None


Answers = dict[bytes, State]  # by the whole answer to one question


def publish_another(store: Store) -> None:
    """A second version of the model, whose forecasts one session ahead are a hundredth larger."""
    folder = store.root / ASSET / MODEL / "1"
    files = {it.name: it.read_bytes() for it in folder.iterdir() if it.name != SUMS}
    content = json.loads(files[linear.KIND.file])
    nearest = content["horizons"]["1"]
    nearest["intercept"] *= LARGER
    nearest["coefficients"] = {name: LARGER * it for name, it in nearest["coefficients"].items()}
    files[linear.KIND.file] = json.dumps(content).encode()
    for name in (artifact.REFERENCE, artifact.EVALUATION):
        arrays = dict(read_arrays(files[name]))
        arrays["forecast"] = arrays["forecast"] * LARGER
        files[name] = encode_arrays(arrays)
    store.publish(artifact.with_sums(files))


def questions() -> list[dict[str, Any]]:
    """What each client asks: two from held history, two with a history of their own."""
    records = _records(250)
    return [
        {"asset": ASSET, "model": MODEL},
        {"asset": ASSET},
        {"asset": ASSET, "model": MODEL, "history": {"rv": [1e-3, 2e-3] * 11}},
        {"asset": ASSET, "model": MODEL, "history": {"bars": records}},
    ]


def is_held(question: dict[str, Any]) -> bool:
    """Whether it is answered from held history."""
    return "history" not in question


def last_bar(place: int) -> dict[str, Any]:
    """The last bar that is held, with one of its highs."""
    [bar] = _records(1)
    return bar | {"high": bar["high"] * HIGHS[place]}


def known(found: Sequence[tuple[State, bytes]], held: bool) -> Answers:
    """The answers to one question, each of one state.

    Parameters
    ----------
    found : what was answered in each state.
    held : whether it depends on the held bars.

    Raises
    ------
    ValueError : two states answer alike, or one in two ways; or two forecasts have one id.
    """
    answers: Answers = {}
    for state, body in found:
        told = state if held else state._replace(bar=None)
        if answers.setdefault(body, told) != told:
            raise ValueError(f"{answers[body]} and {told} answer alike: {body!r}")
    if len(answers) != len(set(answers.values())):
        raise ValueError(f"one state answers in two ways: {sorted(answers)}")
    numbers: dict[str, object] = {}
    for answer in map(json.loads, answers):
        answer["skill"] = None  # how the model compares with others, whatever they are
        if numbers.setdefault(answer["forecast_id"], answer) != answer:
            raise ValueError(f"two answers have one forecast_id: {answer}")
    return answers


def _records(number: int) -> list[dict[str, Any]]:
    bars = load(ASSET).bars
    days = np.datetime_as_string(bars.dates[-number:], unit="D").tolist()
    names = ("open", "high", "low", "close")
    columns = [getattr(bars, name)[-number:].tolist() for name in names]
    return [dict(zip(("date", *names), it, strict=True)) for it in zip(days, *columns, strict=True)]
