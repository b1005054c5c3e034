"""Examples in the description: for each operation a request that works, and what it is answered.

``examples.json`` has them by operation. Requests are written by hand; answers come from a service
with the shipped models and no more, by ``make openapi``, with long lists cut.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

JSON = "application/json"


@cache
def examples() -> Mapping[str, dict[str, Any]]:
    """By operation: ``path`` and ``query`` parameters, the ``body`` and the ``answer``."""
    text = resources.files("service.http").joinpath("examples.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, Any]] = json.loads(text)
    return found


def add_example(operation: dict[str, Any], example: Mapping[str, Any]) -> None:
    """Put an example into the description of its operation.

    Parameters
    ----------
    operation : of OpenAPI, which is changed.
    example : see :func:`examples`.
    """
    given = {"path": example.get("path", {}), "query": example.get("query", {})}
    for parameter in operation.get("parameters", ()):
        if parameter["name"] in given.get(parameter["in"], {}):
            parameter["example"] = given[parameter["in"]][parameter["name"]]
    if "body" in example:
        operation["requestBody"]["content"][JSON]["example"] = example["body"]
    for status, response in operation["responses"].items():
        content = response.get("content", {})
        if status.startswith("2") and "answer" in example:
            form = JSON if JSON in content else next(iter(content))
            content[form]["example"] = example["answer"]
