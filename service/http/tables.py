"""Answers as CSV beside JSON, for spreadsheets and whoever else asks for a table."""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from service.http.accepting import preferred
from service.http.bodies import JSON

CSV = "text/csv"

TableQuery = Annotated[
    Literal["json", "csv"] | None,
    Query(
        alias="format",
        description="Form of the answer, for what sends no header `Accept`, such as a spreadsheet.",
    ),
]


def or_table(example: str) -> dict[int | str, dict[str, Any]]:
    """What a route's description says of its answer as CSV, by an example of it."""
    return {200: {"content": {CSV: {"schema": {"type": "string"}, "example": example}}}}


def wants_table(request: Request, form: str | None) -> bool:
    """Whether an answer is to be CSV: by the query, or else by the header ``Accept``."""
    return form == "csv" if form else preferred(request, JSON, CSV) == CSV


def table(rows: Iterable[Mapping[str, object]]) -> Response:
    """Rows below a line of headings, of which a row need not have all.

    Lines end as RFC 4180 has it, numbers have the digits that they have in JSON, and what is null
    is empty.
    """
    known = list(rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in known for name in row)))
    writer.writeheader()
    writer.writerows(known)
    return Response(text.getvalue(), media_type=CSV)
