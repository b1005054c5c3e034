"""What the pointers of a store say: which version serves, which is on trial, what `auto` means."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, PositiveInt

from models_store.manifest import ModelName, Sha256


class Pointer(BaseModel):
    """Content of ``current``: which version serves, its digest, and which served before."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: PositiveInt
    sha256: Sha256
    promoted_at: datetime
    previous: tuple[PositiveInt, ...] = ()


class Shadow(BaseModel):
    """Content of ``shadow``: which version is on trial, and its digest; neither once that ended."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: PositiveInt | None
    sha256: Sha256 | None


class Champion(BaseModel):
    """Content of ``champion``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: ModelName
