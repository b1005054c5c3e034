"""Where universal models live: beside the assets, a folder a version.

::

    universal/<version>/     an artifact; see models_store.universal.artifact

Versions are in the order of what they have seen: each is fitted on the panel up to a later session,
as it was known then. The newest serves; an earlier one forecasts, in evaluations, what came after
it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from models_store.artifact import DamagedArtifact
from models_store.atomic import flush_folder, locked, unfinished, write_folder
from models_store.errors import ArtifactRefused
from models_store.signatures import NO_KEYS, TrustedKeys
from models_store.universal import artifact
from models_store.universal.model import NAME, UniversalModel
from volatility.errors import UnknownVersion

_CANNOT_SERVE = "its manifest does not say how it did on any kind of asset: it cannot serve"


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
        with locked(self.folder):
            version = max(self.versions(), default=0) + 1
            with unfinished(self.folder) as new:
                write_folder(new, files)
                self._open(new, version, NO_KEYS)  # it is signed where it stays
                new.rename(self.folder / str(version))
            flush_folder(self.folder)
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
                needed=f"one of {versions}",
            )
        return self._open(self.folder / str(version), version, self.trusted)

    def newest(self) -> tuple[UniversalModel | None, tuple[ArtifactRefused, ...]]:
        """The newest version that can serve, and why later ones do not.

        One that was made to be evaluated is passed over: until the last version of a retrain is
        published, the one before it serves.
        """
        refused: list[ArtifactRefused] = []
        for version in reversed(self.versions()):
            try:
                model = self._open(self.folder / str(version), version, self.trusted)
            except ArtifactRefused as error:
                refused.append(error)
                continue
            if model.manifest.by_kind:
                return model, tuple(refused)
        if self.versions() and not refused:
            refused.append(ArtifactRefused(NAME, NAME, self.versions()[-1], _CANNOT_SERVE))
        return None, tuple(refused)

    def _open(self, folder: Path, version: int, trusted: TrustedKeys) -> UniversalModel:
        try:
            return artifact.load(folder, version, trusted)
        except DamagedArtifact as error:
            raise ArtifactRefused(NAME, NAME, version, str(error)) from error
