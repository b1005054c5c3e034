"""Where models live between training and serving: a folder tree that is never half written.

::

    <asset>/<model>/<version>/   an artifact; see models_store.artifact
    <asset>/<model>/current      which version serves, its digest, and which served before
    <asset>/<model>/shadow       which version is on trial; see models_store.shadows
    <asset>/champion             the model that "auto" means
    .changed                     when a pointer was last put in the place of another

An artifact is written to a hidden folder beside its place, flushed to disk, opened and replayed,
and only then renamed into place. Pointers are replaced by renaming as well. So a reader, or a
writer killed at any instant, leaves the old state or the new one and nothing between.
"""

import os
import re
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from models_store import artifact, outgoing
from models_store.atomic import flush_folder, locked, unfinished, write_folder
from models_store.errors import ArtifactRefused, ArtifactUnreadable
from models_store.evidence import AnyEvidence, Evidence
from models_store.files import read_file, refusing_model
from models_store.manifest import Manifest
from models_store.names import (
    CHAMPION,
    CURRENT,
    check_asset_name,
    check_model_name,
    is_asset_name,
    is_model_name,
)
from models_store.pointers import Champion, Pointer
from models_store.runtime import LoadedModel
from models_store.signatures import NO_KEYS, TrustedKeys
from volatility.errors import RoughcastError, UnknownAsset, UnknownModel, UnknownVersion
from volatility.formats.reading import listed

_MAX_ROLL_BACKS = 100  # how many earlier versions a pointer remembers
_VERSION = re.compile(r"[1-9][0-9]*")


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

    def listing(self) -> dict[str, list[str]]:
        """Names of the models published, by asset, sorted; other folders are passed over.

        An asset whose folder cannot be read has none.
        """
        found: dict[str, list[str]] = {}
        for name in filter(is_asset_name, _folders(self.root)):
            try:
                models = self.models(name)
            except OSError:
                found[name] = []
            else:
                found |= {name: models} if models else {}
        return found

    def assets(self) -> list[str]:
        """Names of the assets that have models, sorted; a folder of another kind is passed over."""
        return list(self.listing())

    def models(self, asset: str) -> list[str]:
        """Names of the models published for ``asset``, sorted; empty for an unknown one.

        One whose versions cannot be read at present is among them.
        """
        names = filter(is_model_name, _folders(self.root / check_asset_name(asset)))
        return [name for name in names if self._may_have_versions(asset, name)]

    def versions(self, asset: str, model: str) -> list[int]:
        """Published versions, ascending; empty for an unknown model.

        Raises
        ------
        ArtifactUnreadable : its folder cannot be read.
        """
        folder = self._folder(asset, model)
        with refusing_model(asset, model, None, "its folder cannot be read: "):
            names = filter(_VERSION.fullmatch, _folders(folder))
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
        pointer = self.pointer(asset, model)
        return (pointer.version, *pointer.previous) if pointer else ()

    def pointer(self, asset: str, model: str) -> Pointer | None:
        """Which version serves and which served before, or None while none was promoted.

        Raises
        ------
        ArtifactRefused : the pointer cannot be read.
        """
        path = self._folder(asset, model, CURRENT)
        with refusing_model(asset, model, None, f"its pointer {CURRENT!r} cannot be read: "):
            try:
                return Pointer.model_validate_json(read_file(path))
            except FileNotFoundError:
                return None

    def champion(self, asset: str) -> str | None:
        """The model that ``auto`` means for ``asset``, or None while none is named.

        Raises
        ------
        ArtifactRefused : the pointer cannot be read.
        """
        path = self.root / check_asset_name(asset) / CHAMPION
        with refusing_model(asset, CHAMPION, None, "unreadable pointer: "):
            try:
                return Champion.model_validate_json(read_file(path)).model
            except FileNotFoundError:
                return None

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
        outgoing.refresh(self.root, f"{asset}/{model}", self.trusted)
        with locked(folder):
            version = max(self.versions(asset, model), default=0) + 1
            with unfinished(folder) as new:
                write_folder(new, files)
                with refusing_model(asset, model, version):
                    loaded = artifact.load(new, version)
                version = outgoing.add_version(self.root, folder, version, files)
                new.rename(folder / str(version))
            flush_folder(folder)
            if promote:
                self._let_serve(folder, replace(loaded, version=version))
        return version

    def find(self, asset: str, model: str, sha256: str) -> int | None:
        """The newest version with this digest that passes its checks, serving or not, if any."""
        for version in reversed(self.versions(asset, model)):
            try:
                if self.load(asset, model, version).sha256 == sha256:
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
        with self.locked_model(asset, model) as folder:
            self._let_serve(folder, self.load(asset, model, version))

    def roll_back(self, asset: str, model: str) -> int:
        """Let the version serve again that served before the current one; return its number.

        Raises
        ------
        UnknownVersion : no earlier version served.
        ArtifactRefused : the earlier version fails its checks.
        """
        with self.locked_model(asset, model) as folder:
            before = self.pointer(asset, model)
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
        outgoing.refresh(self.root, f"{asset}/{model}", self.trusted)
        if self.current(asset, model) is None:
            raise self._unknown_model(asset, model)
        folder = self.root / asset
        with locked(folder):
            content = Champion(model=model).model_dump_json(indent=2)
            outgoing.put_file(self.root, folder / CHAMPION, content)
        outgoing.note(self.root, asset)

    def verify(self, asset: str, model: str, version: int) -> Manifest:
        """Run every check of loading on one version; return its manifest.

        Raises
        ------
        UnknownVersion, ArtifactRefused : as :meth:`load`.
        """
        return self.load(asset, model, version).manifest

    def load(
        self,
        asset: str,
        model: str,
        version: int | None = None,
        sha256: str | None = None,
        replayed: Container[str] = (),
    ) -> LoadedModel:
        """Open one version, by default the one that serves.

        Parameters
        ----------
        asset, model, version : which.
        sha256 : the digest that it must have; by default that of its pointer, where that says
            which.
        replayed : digests of artifacts that need not be replayed; see
            :func:`models_store.artifact.load`.

        Raises
        ------
        UnknownAsset, UnknownModel, UnknownVersion : no such thing is published or promoted.
        ArtifactUnreadable : it cannot be read at present.
        ArtifactRefused : it fails its checks.
        """
        if version is None:
            pointer = self.pointer(asset, model)
            if pointer is None:
                raise self._unknown_model(asset, model)
            version, sha256 = pointer.version, pointer.sha256
        read = partial(artifact.load, version=version, trusted=self.trusted, replayed=replayed)
        return self._checked(read, asset, model, version, sha256)

    def evidence(self, asset: str, model: str, version: int, sha256: str | None = None) -> Evidence:
        """Read what one version says of itself and how it did, without opening the model.

        Raises
        ------
        UnknownModel, UnknownVersion : no such thing is published.
        ArtifactRefused : its files fail their checks; whether it replays is not checked.
        """
        read = partial(artifact.read_evidence, version=version, trusted=self.trusted)
        return self._checked(read, asset, model, version, sha256)

    def _checked(
        self,
        read: Callable[[Path], AnyEvidence],
        asset: str,
        model: str,
        version: int,
        sha256: str | None = None,
    ) -> AnyEvidence:
        with refusing_model(asset, model, version):
            if version not in self.versions(asset, model):
                raise self._unknown_version(asset, model, version)
            found = read(self._folder(asset, model) / str(version))
        named = (found.manifest.asset, found.manifest.model)
        if named != (asset, model):
            reason = f"its manifest is that of {named[0]}/{named[1]}"
            raise ArtifactRefused(asset, model, version, reason)
        if sha256 not in (None, found.sha256):
            reason = f"its digest is not the promoted one, {sha256[:12]}…"
            raise ArtifactRefused(asset, model, version, reason)
        return found

    def _may_have_versions(self, asset: str, model: str) -> bool:
        try:
            return bool(self.versions(asset, model))
        except ArtifactUnreadable:
            return True

    def _folder(self, asset: str, model: str, *file: str) -> Path:
        """A model's folder, or a file in it; joined at once, since a start makes thousands."""
        return self.root.joinpath(check_asset_name(asset), check_model_name(model), *file)

    @contextmanager
    def locked_model(self, asset: str, model: str) -> Iterator[Path]:
        """Keep everybody else from changing a model's versions and pointer; their folder."""
        folder = self._folder(asset, model)
        outgoing.refresh(self.root, f"{asset}/{model}", self.trusted)
        if not folder.is_dir():
            raise self._unknown_model(asset, model)
        with locked(folder):
            yield folder

    def _let_serve(self, folder: Path, loaded: LoadedModel) -> None:
        """Point to a version that was opened; the folder is locked."""
        try:
            before = self.pointer(loaded.manifest.asset, loaded.manifest.model)
        except ArtifactRefused:
            before = None
        if before and before.version == loaded.version:
            if before.sha256 != loaded.sha256:  # restored from elsewhere, and now accepted
                self._point(folder, loaded, before.previous)
            else:  # it may be damaged or lost where this folder's remote is
                outgoing.put_folder(self.root, folder / str(loaded.version))
                if outgoing.put_again(self.root, folder / CURRENT):
                    outgoing.note(self.root, loaded.manifest.asset)
            return
        previous = (before.version, *before.previous)[:_MAX_ROLL_BACKS] if before else ()
        self._point(folder, loaded, previous)

    def _point(self, folder: Path, model: LoadedModel, previous: tuple[int, ...]) -> None:
        pointer = Pointer(
            version=model.version,
            sha256=model.sha256,
            promoted_at=datetime.now(UTC),
            previous=previous,
        )
        version = folder / str(model.version)
        outgoing.put_folder(self.root, version)
        outgoing.put_file(self.root, folder / CURRENT, pointer.model_dump_json(indent=2))
        outgoing.put_folder(self.root, version)  # whoever prunes may not have seen the pointer
        outgoing.note(self.root, model.manifest.asset)

    def _unknown_model(self, asset: str, model: str) -> RoughcastError:
        if asset not in self.assets():
            return UnknownAsset(
                f"no models are published for asset {asset!r}",
                field="asset",
                found=asset,
                needed=f"one of {listed(self.assets()) or 'none'}",
            )
        return UnknownModel(
            f"asset {asset} has no model {model!r} in service",
            field="model",
            found=model,
            needed=f"one of {listed(self.models(asset)) or 'none'}",
        )

    def _unknown_version(self, asset: str, model: str, version: int) -> RoughcastError:
        versions = self.versions(asset, model)
        if not versions:
            return self._unknown_model(asset, model)
        return UnknownVersion(
            f"{asset}/{model} has no version {version}",
            field="version",
            found=version,
            needed=f"one of {listed(versions)}",
        )


def _folders(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:  # which knows without a look at each what is a folder
            return sorted([entry.name for entry in entries if entry.is_dir()])
    except (FileNotFoundError, NotADirectoryError):
        return []
