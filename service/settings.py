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

    database_url: str = "sqlite:///var/history.sqlite3"
    """SQLAlchemy URL of the held history. An empty database is filled with the shipped bars."""

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
