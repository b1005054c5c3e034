"""Where a service is, and by which key it is asked."""

import httpx
import pytest

from tests.errors import details
from training.data.feeds.service_target import IngestingService
from training.data.held_bars import BarsService
from training.data.running_service import KEY, RunningService, UnusableService

BOTH = pytest.mark.parametrize("kind", [BarsService, IngestingService])


@BOTH
@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1:8000",
        "ftp://there",
        "http://",
        "",
        "http://me:secret@there",
        "http://[::1",
        "http://there:secret",
        "http://there:0",
        "http://there/?token=secret",
    ],
)
def test_an_address_that_is_none_is_refused(address: str, kind: type[RunningService]) -> None:
    option = kind.option.replace("_", "-")
    with pytest.raises(UnusableService, match=f"^--{option} is no address") as refused:
        kind.at(address)
    assert refused.value.field == kind.option
    assert "secret" not in str(refused.value)
    assert "secret" not in str(refused.value.found)


@BOTH
def test_the_key_comes_from_the_environment(
    kind: type[RunningService], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY, "rc_secret")
    service = kind.at("https://there")
    assert "rc_secret" not in repr(service)
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("authorization"))
        return httpx.Response(200, json={})

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lambda _, request: answer(request))
    assert service.ask("/assets").json() == {}
    monkeypatch.delenv(KEY)
    assert kind.at("https://there").ask("/assets").json() == {}
    assert asked == ["Bearer rc_secret", None]


@BOTH
@pytest.mark.parametrize("key", ["rc_sëcret", "rc_\nsecret", "rc_\x00secret"])
def test_a_key_that_is_none_is_refused_and_not_shown(
    key: str, kind: type[RunningService], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.environ", {KEY: key})
    with pytest.raises(UnusableService) as refused:
        kind.at("https://there")
    needed = "a key as `python -m service keys` makes it"
    assert details(refused.value) == (kind.option, "a key that is not shown here", needed)
    assert "cret" not in str(refused.value)
    monkeypatch.setattr("os.environ", {KEY: "rc_secret\n"})  # as a file ends
    assert kind.at("https://there").key == "rc_secret"


@pytest.mark.parametrize(
    ("kind", "vain", "scopes"),
    [
        (BarsService, "no bars can be had from", "the scope forecast"),
        (IngestingService, "bars cannot be put to", "the scopes forecast and ingest"),
    ],
)
def test_what_a_key_lacks_is_told(kind: type[RunningService], vain: str, scopes: str) -> None:
    answers = httpx.MockTransport(lambda _: httpx.Response(403, json={"detail": "no"}))
    with pytest.raises(UnusableService, match=f"^{vain} http://there: it refuses with 403") as it:
        kind("http://there", transport=answers).ask("/assets")
    assert it.value.needed == f"in {KEY} a key with {scopes}"


def test_of_a_long_answer_the_beginning_is_told() -> None:
    answers = httpx.MockTransport(lambda _: httpx.Response(404, text="x" * 500))
    with pytest.raises(UnusableService) as refused:
        BarsService("http://there", transport=answers).ask("/assets")
    assert str(refused.value).endswith(f"it answers 404 to /assets: {'x' * 200}")


@BOTH
def test_a_minute_is_waited_for_an_answer(kind: type[RunningService]) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={})

    kind("http://there", transport=httpx.MockTransport(answer)).ask("/assets")
    assert set(asked[0].extensions["timeout"].values()) == {60.0}


@BOTH
def test_an_address_that_only_looks_like_one_is_refused(kind: type[RunningService]) -> None:
    with pytest.raises(UnusableService, match="it does not answer: Invalid") as refused:
        kind("http://the\x00re").ask("/assets")
    assert (refused.value.code, refused.value.field) == ("unusable_service", kind.option)
    assert refused.value.needed == "a running service"
