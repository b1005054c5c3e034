"""One request and its repetitions, without sending anything: who drives it sends and waits.

:func:`exchange` is a generator. It yields what is to be done, a request to be sent or a time to be
waited, and is given what came of it; what it returns is the result. So there is one implementation
for programs that wait and for those that do not.
"""

import json
import random
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from roughcast.client.problems import NotUnderstood, Problem, Unreachable
from roughcast.client.requests import Call

if TYPE_CHECKING:
    import httpx

Answer = TypeVar("Answer")

BUSY = frozenset({429, 503})  # statuses that may be others soon
RETRIES = 3  # repetitions of a request
FIRST_DELAY = 0.5  # seconds before the first repetition, then twice as long each time
LONGEST = 60.0  # seconds that are waited because an answer asks for it


class Wait(NamedTuple):
    """Seconds to be waited."""

    seconds: float


class Failed(NamedTuple):
    """No answer came.

    Attributes
    ----------
    error : why.
    was_sent : whether the request may have arrived.
    """

    error: Exception
    was_sent: bool


Step = Call[Any] | Wait
Exchange = Generator[Step, "httpx.Response | Failed | None", Answer]


@dataclass(frozen=True)
class Retries:
    """How often a request is repeated, and after how long.

    Attributes
    ----------
    most : repetitions.
    """

    most: int

    def delay(self, call: Call[Any], outcome: "httpx.Response | Failed", done: int) -> float | None:
        """Seconds until the request is repeated; None where it is not.

        Parameters
        ----------
        call : the request.
        outcome : what came of it.
        done : repetitions so far.
        """
        if done >= self.most:
            return None
        patience: float = FIRST_DELAY * 2**done * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        if isinstance(outcome, Failed):
            return patience if call.repeatable or not outcome.was_sent else None
        if outcome.status_code not in BUSY or not call.repeatable:
            return None
        asked = told_delay(outcome.headers.get("retry-after"))
        if asked is not None and asked > LONGEST:
            return None
        return max(patience, asked or 0.0)


def exchange(call: Call[Answer], retries: Retries, url: str) -> Exchange[Answer]:
    """Send a request until it is answered, and those of further pages.

    Parameters
    ----------
    call : the request.
    retries : how often, and after how long, it is repeated.
    url : of the service, as messages name it.

    Returns
    -------
    The result, made of all pages.

    Raises
    ------
    Problem, Unreachable, NotUnderstood : the service does not answer what it is asked for.
    """
    found: list[Answer] = []
    page: Call[Answer] | None = call
    while page is not None:
        response = yield from _answered(page, retries, url)
        content = _content(response, url)
        try:
            found.append(page.read(content))
            page = page.further(content)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _not_ours(url, response, repr(error)) from error
    return call.join(found)


def _answered(call: Call[Any], retries: Retries, url: str) -> Exchange["httpx.Response"]:
    done = 0
    while True:
        outcome = yield call
        assert outcome is not None  # a request was sent
        if not isinstance(outcome, Failed) and outcome.is_success:
            return outcome
        delay = retries.delay(call, outcome, done)
        if delay is None:
            raise _refusal(outcome, url, done)
        yield Wait(delay)
        done += 1


def told_delay(retry_after: str | None) -> float | None:
    """Seconds of a header ``Retry-After``, which may be a date; None where it says nothing."""
    if retry_after is None:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _content(response: "httpx.Response", url: str) -> Any:
    try:
        return response.json()
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise _not_ours(url, response, str(error)) from error


def _refusal(outcome: "httpx.Response | Failed", url: str, done: int) -> Exception:
    tries = "" if not done else f", asked {done + 1} times"
    if isinstance(outcome, Failed):
        said = str(outcome.error) or type(outcome.error).__name__
        return Unreachable(
            f"{url} does not answer: {said}{tries}",
            field="url",
            found=said,
            needed="a running service",
        )
    try:
        document = outcome.json()
        assert isinstance(document["code"], str)
    except (ValueError, KeyError, TypeError, AssertionError):
        return _not_ours(url, outcome, f"status {outcome.status_code}")
    after = told_delay(outcome.headers.get("retry-after"))
    return Problem(outcome.status_code, document, after)


def _not_ours(url: str, response: "httpx.Response", why: str) -> NotUnderstood:
    return NotUnderstood(
        f"what {url} answers to {response.request.url.path} is not understood: {why}",
        field="url",
        found=response.text[:200],
        needed="a service of the same version",
    )
