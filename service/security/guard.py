"""The gate in front of every route: hosts, keys, scopes and quotas."""

import ipaddress
from dataclasses import dataclass
from functools import lru_cache

from starlette.types import ASGIApp, Receive, Scope, Send

from service.http.errors import Forbidden, HostNotAllowed, ServiceError, Unauthorized
from service.http.problems import problem_response
from service.security.keys import ApiKey, KeyRing
from service.security.quotas import Quotas
from service.security.scopes import needed_for

KEY = "roughcast.key"  # of the scope: the key that a request was let in by, or None
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
_SCHEME = "bearer "


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
        names = allowed_hosts or (_LOOPBACK_NAMES if is_loopback(host) and not required else ())
        return cls(required, frozenset(name.lower() for name in names))


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
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            client = self._admit(scope)
        except ServiceError as error:
            await problem_response(error, scope["path"])(scope, receive, send)
            return
        try:
            await self.app(scope, receive, send)
        finally:
            if self.quotas is not None:
                self.quotas.end(client)

    def _admit(self, scope: Scope) -> str:
        """The client that a request is counted to.

        Raises
        ------
        HostNotAllowed, Unauthorized, Forbidden, RateLimited, TooManyAtOnce
        """
        headers = dict(scope["headers"])
        if self.policy.hosts:
            self._check_host(headers.get(b"host", b"").decode("latin-1"))
        key = self._key_of(scope, headers)
        scope[KEY] = key
        address = scope["client"][0] if scope.get("client") else ""
        client = key.id if key else address
        if self.quotas is not None:
            self.quotas.begin(client)
        return client

    def _check_host(self, host: str) -> None:
        if _without_port(host) not in self.policy.hosts:
            raise HostNotAllowed(
                f"this service is not called {host or 'nothing'}",
                field="host",
                found=host,
                needed="a name that ROUGHCAST_ALLOWED_HOSTS lists",
            )

    def _key_of(self, scope: Scope, headers: dict[bytes, bytes]) -> ApiKey | None:
        if not self.policy.keys_required:
            return None
        needed = needed_for(scope["method"], scope["path"])
        if needed is None:
            return None
        ring: KeyRing = scope["state"]["keys"]
        given = headers.get(b"authorization", b"").decode("latin-1")
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
def _without_port(host: str) -> str:
    name = host.strip().lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0]


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from the machine itself alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
