"""Where models live between training and serving: a folder tree that is never half written.

::

    <asset>/<model>/<version>/   an artifact; see models_store.artifact
    <asset>/<model>/current      which version serves, its digest, and which served before
    <asset>/champion             the model that "auto" means

An artifact is written to a hidden folder beside its place, flushed to disk, opened and replayed,
and only then renamed into place. Pointers are replaced by renaming as well. So a reader, or a
writer killed at any instant, leaves the old state or the new one and nothing between.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError

from models_store import artifact
from models_store.artifact import DamagedArtifact
from models_store.atomic import flush_folder, locked, replace_file, unfinished, write_folder
from models_store.errors import ArtifactRefused
from models_store.manifest import Manifest, ModelName, Sha256
from models_store.names import check_asset_name, check_model_name, is_asset_name, is_model_name
from models_store.runtime import LoadedModel
from models_store.signatures import NO_KEYS, TrustedKeys
from volatility.errors import RoughcastError, UnknownAsset, UnknownModel, UnknownVersion

_CURRENT = "current"
CHAMPION = "champion"
_MAX_ROLL_BACKS = 100  # how many earlier versions a pointer remembers
_VERSION = re.compile(r"[1-9][0-9]*")


class _Pointer(BaseModel):
    """Content of ``current``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: PositiveInt
    sha256: Sha256
    promoted_at: datetime
    previous: tuple[PositiveInt, ...] = ()


class _Champion(BaseModel):
    """Content of ``champion``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: ModelName


@dataclass(frozen=True)
class Store:
    """A model store in a local folder.

    Parameters
    ----------
    root : the folder; made by the first publication if absent.
    trusted : by whose keys an artifact must be signed to be loaded.
    """

    root: Path
    trusted: TrustedKeys = NO_KEYS

    def assets(self) -> list[str]:
        """Names of the assets that have models, sorted; a folder of another kind is passed over."""
        names = filter(is_asset_name, _folders(self.root))
        return [name for name in names if self.models(name)]

    def models(self, asset: str) -> list[str]:
        """Names of the models published for ``asset``, sorted; empty for an unknown one."""
        names = filter(is_model_name, _folders(self.root / check_asset_name(asset)))
        return [name for name in names if self.versions(asset, name)]

    def versions(self, asset: str, model: str) -> list[int]:
        """Published versions, ascending; empty for an unknown model."""
        names = filter(_VERSION.fullmatch, _folders(self._folder(asset, model)))
        return sorted(map(int, names))

    def current(self, asset: str, model: str) -> int | None:
        """The version that serves, or None while none was promoted.

        Raises
        ------
        ArtifactRefused : the pointer cannot be read.
        """
        return next(iter(self.served(asset, model)), None)

    def served(self, asset: str, model: str) -> tuple[int, ...]:
        """The version that serves, then those that served before, newest first.

        Raises
        ------
        ArtifactRefused : the pointer cannot be read.
        """
        pointer = self._pointer(asset, model)
        return (pointer.version, *pointer.previous) if pointer else ()

    def champion(self, asset: str) -> str | None:
        """The model that ``auto`` means for ``asset``, or None while none is named.

        Raises
        ------
        ArtifactRefused : the pointer cannot be read.
        """
        path = self.root / check_asset_name(asset) / CHAMPION
        try:
            return _Champion.model_validate_json(path.read_bytes()).model
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise ArtifactRefused(asset, CHAMPION, None, f"unreadable pointer: {error}") from error

    def publish(self, files: Mapping[str, bytes], promote: bool = False) -> int:
        """Add a version from the files of :func:`models_store.artifact.encode`.

        Parameters
        ----------
        files : by name.
        promote : whether it is to serve at once; otherwise not until :meth:`promote` says so.

        Returns
        -------
        The new version's number.

        Raises
        ------
        ArtifactRefused : the files fail the checks of loading; nothing is published.
        """
        manifest = Manifest.model_validate_json(files[artifact.MANIFEST])
        asset, model = manifest.asset, manifest.model
        folder = self._folder(asset, model)
        with locked(folder):
            version = max(self.versions(asset, model), default=0) + 1
            with unfinished(folder) as new:
                write_folder(new, files)
                try:
                    loaded = artifact.load(new, version)
                except DamagedArtifact as error:
                    raise ArtifactRefused(asset, model, version, str(error)) from error
                new.rename(folder / str(version))
            flush_folder(folder)
            if promote:
                self._let_serve(folder, loaded)
        return version

    def find(self, asset: str, model: str, sha256: str) -> int | None:
        """The newest version with this digest that passes its checks, serving or not, if any."""
        for version in reversed(self.versions(asset, model)):
            try:
                if self._load_version(asset, model, version).sha256 == sha256:
                    return version
            except ArtifactRefused:
                continue
        return None

    def promote(self, asset: str, model: str, version: int) -> None:
        """Let ``version`` serve.

        A pointer that cannot be read is replaced, and its memory of earlier versions lost.

        Raises
        ------
        UnknownVersion : it was never published.
        ArtifactRefused : it fails its checks.
        """
        with self._locked_model(asset, model) as folder:
            self._let_serve(folder, self.load(asset, model, version))

    def roll_back(self, asset: str, model: str) -> int:
        """Let the version serve again that served before the current one; return its number.

        Raises
        ------
        UnknownVersion : no earlier version served.
        ArtifactRefused : the earlier version fails its checks.
        """
        with self._locked_model(asset, model) as folder:
            before = self._pointer(asset, model)
            if before is None or not before.previous:
                raise UnknownVersion(
                    f"{asset}/{model} has no earlier version to roll back to",
                    field="version",
                    found=before.version if before else None,
                    needed="a version that served before the current one",
                )
            version, *older = before.previous
            self._point(folder, self.load(asset, model, version), tuple(older))
        return version

    def set_champion(self, asset: str, model: str) -> None:
        """Make ``model`` what ``auto`` means for ``asset``.

        Raises
        ------
        UnknownModel : no version of it serves.
        """
        if self.current(asset, model) is None:
            raise self._unknown_model(asset, model)
        folder = self.root / asset
        with locked(folder):
            content = _Champion(model=model).model_dump_json(indent=2)
            replace_file(folder / CHAMPION, content)

    def verify(self, asset: str, model: str, version: int) -> Manifest:
        """Run every check of loading on one version; return its manifest.

        Raises
        ------
        UnknownVersion, ArtifactRefused : as :meth:`load`.
        """
        return self.load(asset, model, version).manifest

    def load(self, asset: str, model: str, version: int | None = None) -> LoadedModel:
        """Open one version, by default the one that serves.

        Raises
        ------
        UnknownAsset, UnknownModel, UnknownVersion : no such thing is published or promoted.
        ArtifactRefused : it fails its checks.
        """
        pointer = None
        if version is None:
            pointer = self._pointer(asset, model)
            if pointer is None:
                raise self._unknown_model(asset, model)
            version = pointer.version
        loaded = self._load_version(asset, model, version)
        if pointer and pointer.sha256 != loaded.sha256:
            reason = f"its digest is not the promoted one, {pointer.sha256[:12]}…"
            raise ArtifactRefused(asset, model, version, reason)
        return loaded

    def _load_version(self, asset: str, model: str, version: int) -> LoadedModel:
        if version not in self.versions(asset, model):
            raise self._unknown_version(asset, model, version)
        try:
            loaded = artifact.load(self._folder(asset, model) / str(version), version, self.trusted)
        except DamagedArtifact as error:
            raise ArtifactRefused(asset, model, version, str(error)) from error
        named = (loaded.manifest.asset, loaded.manifest.model)
        if named != (asset, model):
            reason = f"its manifest is that of {named[0]}/{named[1]}"
            raise ArtifactRefused(asset, model, version, reason)
        return loaded

    def _folder(self, asset: str, model: str) -> Path:
        return self.root / check_asset_name(asset) / check_model_name(model)

    @contextmanager
    def _locked_model(self, asset: str, model: str) -> Iterator[Path]:
        folder = self._folder(asset, model)
        if not folder.is_dir():
            raise self._unknown_model(asset, model)
        with locked(folder):
            yield folder

    def _pointer(self, asset: str, model: str) -> _Pointer | None:
        path = self._folder(asset, model) / _CURRENT
        try:
            return _Pointer.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            reason = f"its pointer {_CURRENT!r} cannot be read: {error}"
            raise ArtifactRefused(asset, model, None, reason) from error

    def _let_serve(self, folder: Path, loaded: LoadedModel) -> None:
        """Point to a version that was opened; the folder is locked."""
        try:
            before = self._pointer(loaded.manifest.asset, loaded.manifest.model)
        except ArtifactRefused:
            before = None
        if before and before.version == loaded.version:
            if before.sha256 != loaded.sha256:  # restored from elsewhere, and now accepted
                self._point(folder, loaded, before.previous)
            return
        previous = (before.version, *before.previous)[:_MAX_ROLL_BACKS] if before else ()
        self._point(folder, loaded, previous)

    def _point(self, folder: Path, model: LoadedModel, previous: tuple[int, ...]) -> None:
        pointer = _Pointer(
            version=model.version,
            sha256=model.sha256,
            promoted_at=datetime.now(UTC),
            previous=previous,
        )
        replace_file(folder / _CURRENT, pointer.model_dump_json(indent=2))

    def _unknown_model(self, asset: str, model: str) -> RoughcastError:
        if asset not in self.assets():
            return UnknownAsset(
                f"no models are published for asset {asset!r}",
                field="asset",
                found=asset,
                needed=f"one of {self.assets()}",
            )
        return UnknownModel(
            f"asset {asset} has no model {model!r} in service",
            field="model",
            found=model,
            needed=f"one of {self.models(asset)}",
        )

    def _unknown_version(self, asset: str, model: str, version: int) -> RoughcastError:
        versions = self.versions(asset, model)
        if not versions:
            return self._unknown_model(asset, model)
        return UnknownVersion(
            f"{asset}/{model} has no version {version}",
            field="version",
            found=version,
            needed=f"one of {versions}",
        )


def _folders(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if path.is_dir())
