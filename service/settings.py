"""What an operator can set: environment variables that begin with ``ROUGHCAST_``."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

LogLevel = Literal["debug", "info", "warning", "error"]


class Settings(BaseSettings):
    """Settings of one service, read once at the start; the text below a field is its reference."""

    model_config = SettingsConfigDict(
        env_prefix="ROUGHCAST_", frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    store: Path = Path("var/store")
    """Folder of the model store. If it does not exist, the shipped models are copied there."""

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

    max_body_bytes: int = Field(default=16 * 1024 * 1024, ge=1)
    """Largest request body accepted, in bytes; a larger one is answered with 413. The default holds
    a batch of 10,000 histories of 22 values, or 100,000 bars."""

    log_level: LogLevel = "info"
    """Least severe log line written to standard error. ``info`` has one line for each request;
    ``warning`` has none for requests that succeed."""
