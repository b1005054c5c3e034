"""What an operator can set: environment variables that begin with ``ROUGHCAST_``."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Seed = Literal["auto", "always", "never"]
LogLevel = Literal["debug", "info", "warning", "error"]
Authentication = Literal["auto", "keys", "none"]


def _separated(text: object) -> object:
    if not isinstance(text, str):
        return text
    found = [it.strip() for it in text.split(",") if it.strip()]
    if text and not found:
        raise ValueError("something is given, and nothing named")
    return found


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_separated)]
Paths = Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_separated)]


def _place(store: object) -> object:
    return Path(store) if isinstance(store, str) and "://" not in store else store


class Settings(BaseSettings):
    """Settings of one service, read once at the start; the text below a field is its reference."""

    model_config = SettingsConfigDict(
        env_prefix="ROUGHCAST_", frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    store: Annotated[Path | str, BeforeValidator(_place)] = Path("var/store")
    """Folder of the model store, or the URL of one in a bucket, such as ``s3://bucket/prefix``,
    which needs the extra ``s3``. If there is none or it is empty, the shipped models are copied
    there."""

    store_mirror: Path | None = None
    """Folder in which a store that is named by a URL is mirrored, and which is served: by default
    one for each URL in ``var/mirrors``. Processes of one machine may share it."""

    seed: Seed = "auto"
    """Whether the shipped models and bars are put where there are none. ``auto``: on a first start.
    Where something is missing that has been there, the service does not start: no models though
    bars have been put into the database, or no bars though the store has been served with this
    database. ``always``: whenever there are none. ``never``: the service does not start without."""

    trusted_keys: Paths = ()
    """PEM files with public ed25519 keys, separated by commas. If any are given, only artifacts
    that one of them has signed are served; ``python -m training sign`` signs."""

    follow_seconds: float = Field(default=5.0, ge=0, le=3600)
    """Most seconds between two looks at the store, by which what was promoted there comes to serve.
    It is also looked at when it notes that it was promoted. 0: none is made but by
    ``POST /admin/reload``, and after commands by HTTP."""

    max_open_models: int = Field(default=128, ge=1)
    """Most models that are kept open, those that were asked for last; ``auto`` of an asset counts
    as one more. A network takes 3 MB, any other half of one. One that is not open is when it is
    asked for, which takes 2 to 25 ms of CPU once it has been verified, and a network or a
    combination up to 120 ms where the machine is busy."""

    database_url: str = Field(default="sqlite:///var/history.sqlite3", repr=False)
    """SQLAlchemy URL of the held history: ``sqlite:///folder/file`` or
    ``postgresql://user:password@host/name``. An empty database is filled with the shipped bars."""

    database_connect_timeout: int = Field(default=2, ge=2, le=3600)
    """Seconds to wait for a connection to PostgreSQL, at each address that its name has, and for
    the answers that readiness asks for."""

    database_statement_timeout: float = Field(default=10.0, gt=0, le=3600)
    """Seconds that one statement may take in PostgreSQL. Adding bars takes several."""

    database_lock_timeout: float = Field(default=5.0, gt=0, le=3600)
    """Seconds to wait for a lock that another transaction holds, such as that of another process
    which adds bars of the same asset, or in SQLite of any."""

    host: str = "127.0.0.1"
    """Address to listen on."""

    port: int = Field(default=8000, ge=0, le=65_535)
    """Port to listen on; 0 lets the operating system choose one."""

    drain_seconds: float = Field(default=1.0, ge=0, le=3600)
    """Seconds after SIGTERM in which new requests are still answered, each with
    ``Connection: close``, while readiness says 503: as long as whatever sends requests here needs
    to learn of it."""

    shutdown_timeout: int = Field(default=7, ge=0, le=3600)
    """Seconds after those that requests under way may take to end, before their connections are
    cut. Docker kills a container 10 seconds after SIGTERM."""

    authentication: Authentication = "auto"
    """``keys``: every request but those for health and documentation needs an API key, which
    ``python -m service keys make`` makes. ``none``: none does. ``auto``: none does on a loopback
    address, every one does on others, and without any key the service does not start there."""

    allowed_hosts: Names = ()
    """Names that the service may be called by (the ``Host`` of a request, without its port),
    separated by commas. None given: those of the machine itself where it listens on a loopback
    address and needs no keys, and any elsewhere."""

    cors_origins: Names = ()
    """Origins, such as ``https://desk.example.com``, whose pages may call the service from a
    browser, separated by commas; ``*`` for any."""

    rate_limit: float | None = Field(default=None, gt=0)
    """Requests a second that one client may make: one key or, where none is needed, one address.
    Beyond it the answer is 429. Not limited by default."""

    concurrency_limit: int | None = Field(default=None, ge=1)
    """Requests of one client that may be under way at once. Not limited by default."""

    max_stale_sessions: int | None = Field(default=None, ge=0)
    """Sessions that may have closed since the last one of a history. A forecast from an older one
    is refused with 422, and readiness warns of held ones. Not limited by default."""

    max_missing_sessions: int | None = Field(default=None, ge=0)
    """Sessions that may be missing between those that a model sees. A forecast from a history that
    lacks more is refused with 422. Not limited by default."""

    max_body_bytes: int = Field(default=16 * 1024 * 1024, ge=1)
    """Largest request body accepted, in bytes; a larger one is answered with 413. The default holds
    a batch of 10,000 histories of 22 values, or 100,000 bars."""

    max_body_values: int = Field(default=1_000_000, ge=1)
    """Most values in one request body, told by its commas and opening brackets while it is read; a
    body of more is answered with 413. 100,000 bars have 600,000."""

    max_held_bytes: int = Field(default=24 * 1024 * 1024, ge=1)
    """Most bytes of request bodies in memory at one time, or about to be, those of 64 kB and less
    apart; what comes beyond is answered with 503. To accept the largest body it must not be less
    than ``ROUGHCAST_MAX_BODY_BYTES``."""

    max_url_bytes: int = Field(default=8 * 1024, ge=1)
    """Longest URL accepted, in bytes; a longer one is answered with 414."""

    max_header_bytes: int = Field(default=16 * 1024, ge=1)
    """Most bytes of a request's headers; more are answered with 431."""

    max_headers: int = Field(default=64, ge=1)
    """Most headers of a request; more are answered with 431."""

    max_connections: int = Field(default=1_000, ge=1)
    """Most connections at one time; one more is answered with 503 and closed. Each takes a file
    descriptor, of which a process often has 1,024."""

    header_timeout: float = Field(default=10.0, gt=0)
    """Seconds in which the headers of a request must have come, from the opening of its connection
    or the end of the answer before; a connection that is slower is closed, as is an idle one."""

    body_timeout: float = Field(default=30.0, gt=0)
    """Seconds in which a request's body must have come, from its headers on; one that is slower is
    answered with 408."""

    write_timeout: float = Field(default=30.0, gt=0)
    """Seconds for which a caller may read nothing of an answer before its connection is closed."""

    work_threads: int = Field(default=2, ge=1)
    """Threads for long bodies, batches and long forecasts, as many for forecasts whose model is
    not open yet, and as many for issued forecasts that are read."""

    max_waiting_work: int = Field(default=100, ge=1)
    """Most requests that wait for these threads; more are answered with 503."""

    ingest_threads: int = Field(default=2, ge=1)
    """Threads for bars that are added to the held history, which no other request waits for."""

    max_waiting_ingests: int = Field(default=32, ge=1)
    """Most requests that wait for these threads; more are answered with 503."""

    ledger_days: int = Field(default=3_650, ge=1)
    """Days for which issued forecasts of a time to come are kept."""

    ledger_replay_days: int = Field(default=30, ge=1)
    """The same of those that replay a day, or are of one that was over."""

    max_recorded: int = Field(default=5_000_000, ge=1)
    """Most forecasts that are kept, 2 kB each; beyond, the oldest are deleted, once an hour."""

    max_waiting_records: int = Field(default=100_000, ge=1)
    """Most answers that wait to be recorded, as while the database does not answer; what comes
    beyond is answered and not recorded, which is counted."""

    log_level: LogLevel = "info"
    """Least severe log line written to standard error. ``info`` has one line for each request;
    ``warning`` has none for requests that succeed."""

    @property
    def store_folder(self) -> Path:
        """The folder that is served: the store's, or its mirror's."""
        from models_store.mirror import mirror_of  # which loads all that models need

        mirror = mirror_of(self.store, self.store_mirror)
        return Path(self.store) if mirror is None else mirror.root
