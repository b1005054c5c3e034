"""What goes wrong when a service is asked.

::

    RoughcastError
    └── ServiceError
        ├── Problem          it answers that it cannot: a problem document, RFC 9457
        ├── Unreachable      it does not answer
        └── NotUnderstood    what it answers is not of this project, or of another version
"""

from collections.abc import Mapping
from typing import Any

from volatility.errors import RoughcastError


class ServiceError(RoughcastError):
    """A service did not answer what it was asked for."""


class Problem(ServiceError):
    """A problem document; branch on ``code``, show the message to people.

    Attributes
    ----------
    status : of HTTP.
    code, field, found, needed : as in the document.
    errors : each of several faults, as the document has them.
    retry_after : seconds after which the same request may succeed, where the service says so.
    """

    def __init__(
        self, status: int, document: Mapping[str, Any], retry_after: float | None = None
    ) -> None:
        super().__init__(
            str(document.get("detail", "")),
            code=str(document.get("code", "")),
            field=document.get("field"),
            found=document.get("found"),
            needed=document.get("needed"),
        )
        self.status = status
        self.errors: tuple[Mapping[str, Any], ...] = tuple(document.get("errors", ()))
        self.retry_after = retry_after


class Unreachable(ServiceError):
    """No answer came, or not in time."""

    code = "unreachable"


class NotUnderstood(ServiceError):
    """The answer is none that a service of this version gives."""

    code = "not_understood"
