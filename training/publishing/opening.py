"""A trained model as it would be if it were published."""

from pathlib import Path
from tempfile import TemporaryDirectory

from models_store import artifact
from models_store.runtime import LoadedModel
from training.publishing.artifacts import FittedModel, to_files
from training.publishing.retrain import TrainedModels

UNPUBLISHED = 0  # the version of what no store has


def opened(trained: TrainedModels, fitted: FittedModel) -> LoadedModel:
    """One of some trained models, opened from the files that would be published.

    Its forecasts are those that a service would give, to the last bit.

    Raises
    ------
    DamagedArtifact : the files fail the checks of loading.
    """
    files = to_files(fitted, trained.data, trained.tracks_of(fitted), trained.parts)
    with TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in files.items():
            (folder / file).write_bytes(content)
        return artifact.load(folder, UNPUBLISHED)
