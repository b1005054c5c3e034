"""The gate in front of every route: hosts, keys, scopes and quotas."""

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache

from starlette.types import ASGIApp, Receive, Scope, Send

from service.http.errors import Forbidden, HostNotAllowed, ServiceError, Unauthorized
from service.http.middleware import KEY_ID
from service.http.problems import problem_response
from service.security.keys import ApiKey, KeyRing
from service.security.quotas import Quotas
from service.security.scopes import PROBES, needed_for

KEY = "roughcast.key"  # of the scope: the key that a request was let in by, or None
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
_SCHEME = "bearer "
_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^\[\]:]+))(?::[0-9]*)?")


@dataclass(frozen=True)
class Policy:
    """Who is let in.

    Attributes
    ----------
    keys_required : whether a request needs a key.
    hosts : names that the service may be called by, without ports; empty for any.
    """

    keys_required: bool
    hosts: frozenset[str]

    @classmethod
    def of(cls, host: str, authentication: str, allowed_hosts: tuple[str, ...]) -> "Policy":
        """What an address to listen on and the settings come to.

        Listening on the machine itself alone, the service needs no keys; since any page in a
        browser on that machine can have a name of its own point to it, it then answers to the
        machine's own names only.
        """
        required = authentication == "keys" or (authentication == "auto" and not is_loopback(host))
        if not allowed_hosts and (required or not is_loopback(host)):
            return cls(required, frozenset())
        # Probes, in the container or on the machine, come by its own names.
        return cls(required, frozenset(map(name_of, (*allowed_hosts, *_LOOPBACK_NAMES, host))))


class Guard:
    """Middleware inside of the one that counts and logs.

    Parameters
    ----------
    app : the application inside.
    policy : who is let in.
    quotas : how often and how much at once.
    """

    def __init__(self, app: ASGIApp, policy: Policy, quotas: Quotas | None) -> None:
        self.app = app
        self.policy = policy
        self.quotas = quotas

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with what it lacks."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._guard(scope, receive, send)

    async def _guard(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            client = self._admit(scope)
        except ServiceError as error:
            await problem_response(error, scope["path"])(scope, receive, send)
            return
        try:
            await self.app(scope, receive, send)
        finally:
            if client is not None and self.quotas is not None:
                self.quotas.end(client)

    def _admit(self, scope: Scope) -> str | None:
        """The client that a request is counted to; None for one that is not.

        Raises
        ------
        HostNotAllowed, Unauthorized, Forbidden, RateLimited, TooManyAtOnce
        """
        if self.policy.hosts:
            self._check_host(_only(scope, b"host") or "")
        try:
            scope[KEY] = key = self._key_of(scope)
            scope[KEY_ID] = key.id if key else None
        except Unauthorized:
            self._count(address_of(scope))
            raise
        if self.quotas is None or scope["path"] in PROBES:  # counted to nobody
            return None
        client = key.id if key else address_of(scope)
        self.quotas.begin(client)
        return client

    def _count(self, client: str) -> None:
        """Count a request that is refused: keys are not to be guessed at any rate."""
        if self.quotas is not None:
            self.quotas.begin(client)
            self.quotas.end(client)

    def _check_host(self, host: str) -> None:
        if name_of(host) not in self.policy.hosts:
            raise HostNotAllowed(
                f"this service is not called {host or 'nothing'}",
                field="host",
                found=host,
                needed="a name that ROUGHCAST_ALLOWED_HOSTS lists",
            )

    def _key_of(self, scope: Scope) -> ApiKey | None:
        if not self.policy.keys_required:
            return None
        needed = needed_for(scope["method"], scope["path"])
        if needed is None:
            return None
        ring: KeyRing = scope["state"]["keys"]
        given = _only(scope, b"authorization") or ""
        is_bearer = given[: len(_SCHEME)].lower() == _SCHEME
        key = ring.find(given[len(_SCHEME) :].strip()) if is_bearer else None
        if key is None:
            raise Unauthorized(
                "the key is not known" if is_bearer else "no key is given",
                field="authorization",
                needed="Authorization: Bearer KEY, with a key that is not revoked",
            )
        if needed not in key.scopes:
            raise Forbidden(
                f"the key {key.id} may not do this",
                field="authorization",
                found=" ".join(sorted(key.scopes)),
                needed=f"a key with the scope {needed}",
            )
        return key


@lru_cache(maxsize=256)
def name_of(host: str) -> str:
    """The name in a ``Host`` header or a setting: without port, brackets and the root's dot."""
    found = _HOST.fullmatch(host.strip().lower())
    if found is None:
        return host.strip().lower() if host.count(":") > 1 else ""  # an IPv6 address in a setting
    return (found[1] or found[2]).removesuffix(".")


def address_of(scope: Scope) -> str:
    """Where a connection comes from."""
    return scope["client"][0] if scope.get("client") else ""


def _only(scope: Scope, name: bytes) -> str | None:
    """The value of a header; None where it is missing, or given more than once."""
    found = [value for key, value in scope["headers"] if key == name]
    return found[0].decode("latin-1") if len(found) == 1 else None


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from the machine itself alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
