"""Where universal models live: beside the assets, a folder a version.

::

    universal/<version>/     an artifact; see models_store.universal.artifact

Versions are in the order of what they have seen: each is fitted on the panel up to a later session,
as it was known then. The newest serves; an earlier one forecasts, in evaluations, what came after
it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from models_store.atomic import flush_folder, locked, unfinished, write_folder
from models_store.errors import ArtifactRefused, ArtifactUnreadable
from models_store.files import DamagedArtifact, read_file, refusing_model
from models_store.outgoing import add_version, note, refresh
from models_store.place import Refusal
from models_store.signatures import NO_KEYS, SUMS, TrustedKeys
from models_store.universal import artifact
from models_store.universal.model import NAME, UniversalModel
from volatility.errors import UnknownVersion
from volatility.formats.reading import listed

_CANNOT_SERVE = "its manifest does not say how it did on any kind of asset: it cannot serve"


@dataclass(frozen=True)
class Newest:
    """The newest version that can serve, and what is known of others.

    Attributes
    ----------
    model : verified and opened; None where none can serve.
    refused : why later versions do not.
    is_lost : whether one of these, or the folder, cannot be read at present.
    passed_over : versions that were made to be evaluated.
    """

    model: UniversalModel | None = None
    refused: tuple[Refusal, ...] = ()
    is_lost: bool = False
    passed_over: frozenset[int] = frozenset()


@dataclass(frozen=True)
class UniversalStore:
    """The universal models of a store.

    Parameters
    ----------
    root : the store's folder.
    trusted : by whose keys an artifact must be signed to be loaded.
    """

    root: Path
    trusted: TrustedKeys = NO_KEYS

    @property
    def folder(self) -> Path:
        """Where their versions are."""
        return self.root / NAME

    def versions(self) -> list[int]:
        """Published versions, ascending."""
        if not self.folder.is_dir():
            return []
        return sorted(int(it.name) for it in self.folder.iterdir() if it.name.isdecimal())

    def publish(self, files: Mapping[str, bytes]) -> int:
        """Add a version from the files of :func:`models_store.universal.artifact.encode`.

        Returns
        -------
        The new version's number.

        Raises
        ------
        ArtifactRefused : the files fail the checks of loading; nothing is published.
        """
        refresh(self.root, NAME, self.trusted)
        with locked(self.folder):
            version = max(self.versions(), default=0) + 1
            with unfinished(self.folder) as new:
                write_folder(new, files)
                self._open(new, version, NO_KEYS)  # it is signed where it stays
                version = add_version(self.root, self.folder, version, files)
                new.rename(self.folder / str(version))
            flush_folder(self.folder)
        note(self.root, NAME)
        return version

    def load(self, version: int) -> UniversalModel:
        """Open one version.

        Raises
        ------
        UnknownVersion : it was never published.
        ArtifactRefused : it fails its checks.
        """
        versions = self.versions()
        if version not in versions:
            raise UnknownVersion(
                f"{NAME} has no version {version}",
                field="version",
                found=version,
                needed=f"one of {listed(versions) or 'none'}",
            )
        return self._open(self.folder / str(version), version, self.trusted)

    def newest(self) -> tuple[UniversalModel | None, tuple[Refusal, ...]]:
        """The newest version that can serve, and why later ones do not.

        One that was made to be evaluated is passed over: until the last version of a retrain is
        published, the one before it serves.
        """
        found = self.after(Newest())
        return found.model, found.refused

    def after(self, known: Newest) -> Newest:
        """The newest version that can serve, which is the one that is known unless a later one can.

        Parameters
        ----------
        known : what was found before. What it passed over is not opened again.
        """
        try:
            with refusing_model(NAME, NAME, None, "its folder cannot be read: "):
                listed = self.versions()
        except ArtifactUnreadable as error:
            return replace(known, refused=(_refusal(error, known.model),), is_lost=True)
        errors: list[ArtifactRefused] = []
        model, passed_over = known.model, set(known.passed_over)
        first = self._first_later(model) if model else 1
        for version in sorted({it for it in listed if it >= first} - passed_over, reverse=True):
            try:
                found = self._open(self.folder / str(version), version, self.trusted)
            except ArtifactRefused as error:
                errors.append(error)
                continue
            if found.manifest.by_kind:
                model = found
                break
            passed_over.add(version)
        if listed and model is None and not errors:
            errors.append(ArtifactRefused(NAME, NAME, max(listed), _CANNOT_SERVE))
        is_lost = any(isinstance(it, ArtifactUnreadable) for it in errors)
        refused = tuple(_refusal(it, model) for it in errors)
        return Newest(model, refused, is_lost, frozenset(passed_over))

    def _first_later(self, served: UniversalModel) -> int:
        """The first version that counts as later: the one that serves, if it is another by now."""
        try:
            sums = read_file(self.folder / str(served.version) / SUMS)
        except (OSError, DamagedArtifact):
            return served.version + 1
        is_same = hashlib.sha256(sums).hexdigest() == served.sha256
        return served.version + is_same

    def _open(self, folder: Path, version: int, trusted: TrustedKeys) -> UniversalModel:
        with refusing_model(NAME, NAME, version):
            return artifact.load(folder, version, trusted)


def _refusal(error: ArtifactRefused, served: UniversalModel | None) -> Refusal:
    version = served.version if served else None
    return Refusal(NAME, NAME, error.version, error.reason, version)
