"""A running service, asked over HTTP for bars or given some."""

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, NoReturn, Self

from volatility.addresses import is_address
from volatility.errors import InvalidInput

if TYPE_CHECKING:
    import httpx

KEY = "ROUGHCAST_API_KEY"  # in the environment, where no list of processes shows it
CSV, JSON = "text/csv", "application/json"
_WITHIN = 60.0  # seconds, for each answer


class UnusableService(InvalidInput):
    """Bars can neither be had from a service nor be put to it."""

    code = "unusable_service"


@dataclass(frozen=True)
class RunningService:
    """A running service.

    Parameters
    ----------
    url : where it answers, such as ``https://volatility.example``.
    key : that it is asked with, where it needs one.
    transport : what carries requests; None for the network.

    Attributes
    ----------
    option : of the command line, by which the address is given.
    vain : what cannot be done, as messages begin.
    scopes : that a key needs.
    """

    url: str
    key: str | None = field(default=None, repr=False)
    transport: "httpx.BaseTransport | None" = None

    option: ClassVar[str]
    vain: ClassVar[str]
    scopes: ClassVar[str]

    @classmethod
    def at(cls, url: str) -> Self:
        """The service at an address, asked with the key that the environment has, if any.

        Raises
        ------
        UnusableService : it is no address of HTTP, or one with a password or a query in it; or the
            key cannot be one.
        """
        if not is_address(url):
            # Without what was given: there may be a password in it.
            raise UnusableService(
                f"--{cls.option.replace('_', '-')} is no address of a service",
                field=cls.option,
                found="something else",
                needed="http:// or https://, a host and perhaps a port, such as "
                "http://127.0.0.1:8000",
            )
        key = os.environ.get(KEY, "").strip()
        if not (key.isascii() and key.isprintable()):
            raise UnusableService(
                f"{KEY} is no key: it has characters that no key has",
                field=cls.option,
                found="a key that is not shown here",
                needed="a key as `python -m service keys` makes it",
            )
        return cls(url, key or None)

    def ask(self, path: str, accept: str = JSON) -> "httpx.Response":
        """What it answers to a ``GET``.

        Raises
        ------
        UnusableService : it does not answer, or refuses.
        """
        import httpx  # takes a quarter of a second, and few commands need it

        try:
            response = self.send("GET", path, {"accept": accept})
        except httpx.HTTPError as error:
            self.refuse(f"it does not answer: {error}", "a running service")
        return self.accepted(response, path)

    def send(
        self, method: str, path: str, headers: dict[str, str], content: bytes | None = None
    ) -> "httpx.Response":
        """Send one request, whatever is answered.

        Raises
        ------
        httpx.HTTPError : nothing is answered.
        UnusableService : the address is none.
        """
        import httpx

        if self.key:
            headers = {**headers, "authorization": f"Bearer {self.key}"}
        try:
            # A redirect is not followed: it would take the key elsewhere.
            with httpx.Client(
                base_url=self.url, timeout=_WITHIN, transport=self.transport
            ) as client:
                return client.request(method, path, headers=headers, content=content)
        except (httpx.InvalidURL, UnicodeError) as error:
            self.refuse(f"it does not answer: {error}", "a running service")

    def accepted(self, response: "httpx.Response", path: str) -> "httpx.Response":
        """The same answer, if it is one of success.

        Raises
        ------
        UnusableService : it is none.
        """
        if response.status_code in {401, 403}:
            needed = f"in {KEY} a key with {self.scopes}"
            self.refuse(f"it refuses with {response.status_code}", needed)
        if response.status_code != 200:
            told = detail(response)
            self.refuse(f"it answers {response.status_code} to {path}: {told}", "status 200")
        return response

    def not_ours(self, error: Exception) -> NoReturn:
        """Refuse an answer that a service of this project does not give."""
        self.refuse(
            f"what it answers is not understood: {error!r}", "a service of the same version"
        )

    def refuse(
        self, why: str, needed: str, where: str | None = None, found: str | None = None
    ) -> NoReturn:
        """Say why it is of no use.

        Raises
        ------
        UnusableService : always.
        """
        raise UnusableService(
            f"{self.vain} {self.url}: {why}",
            field=where or self.option,
            found=self.url if found is None else found,
            needed=needed,
        )


def detail(response: "httpx.Response") -> str:
    """What a problem says, or how the body begins."""
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return response.text[:200]
