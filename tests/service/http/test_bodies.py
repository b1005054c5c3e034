"""Bodies that come in parts."""

import asyncio
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request

from service.http.bodies import read_bytes
from service.http.errors import UnsupportedMediaType
from service.http.json_lists import Content
from tests.errors import details

CSV = "text/csv"


def read(*parts: bytes | None, declared: str = CSV) -> Content:
    """A body of these parts; None for a client that is gone."""
    messages: list[dict[str, Any]] = [
        {"type": "http.disconnect"}
        if part is None
        else {"type": "http.request", "body": part, "more_body": number < len(parts)}
        for number, part in enumerate(parts, 1)
    ]
    left = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(left)

    headers = [(b"content-type", declared.encode())] if declared else []
    request = Request({"type": "http", "headers": headers}, receive)
    return asyncio.run(read_bytes(request, "application/json", CSV))


def test_a_body_in_one_part_is_not_copied() -> None:
    part = b"date,close"
    assert read(part) is part
    assert read(b"", part) is part


def test_a_body_in_several_parts_grows_in_place() -> None:
    """Joining each part to a copy of those before would take time with the square of its size."""
    content = read(b"a", b"b", b"", b"c")
    assert content == b"abc"
    assert isinstance(content, bytearray)


def test_a_body_of_a_client_that_is_gone_is_not_read() -> None:
    with pytest.raises(ClientDisconnect):
        read(b"a", None)


@pytest.mark.parametrize("declared", ["", "text/plain"])
def test_a_body_of_another_type_is_refused(declared: str) -> None:
    with pytest.raises(UnsupportedMediaType) as refused:
        read(b"a", declared=declared)
    assert details(refused.value) == ("content-type", declared, "application/json or text/csv")
    assert f"declared as {declared or 'nothing'}; this" in str(refused.value)
