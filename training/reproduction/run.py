"""The whole reproduction: train what is not at hand yet, then write everything down."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import joblib  # type: ignore[import-untyped]

from training.config import Config, FittingConfig
from training.evaluation.finished_units import FinishedUnits
from training.evaluation.workers import worker_pool
from training.reproduction.answers import Answer
from training.reproduction.data import PaperData
from training.reproduction.forecasts import Results
from training.reproduction.output import write_output
from training.reproduction.samples import samples_of
from training.reproduction.units import Unit, UnitResult, units_of

PARTS = "parts"
QUICK_EPOCHS = 6
Advance = Callable[[str], None]


class Reproduction:
    """A run that can be stopped at any time and goes on where it was.

    Parameters
    ----------
    data : the paper's files.
    config : how networks are trained.
    seeds : of each network.
    folder : of the results; finished networks are kept in its ``parts``.
    """

    def __init__(self, data: PaperData, config: Config, seeds: Sequence[int], folder: Path) -> None:
        self.data = data
        self.config = config
        self.seeds = seeds
        self.folder = folder
        self.parts = kept_networks(folder)
        self.units = units_of(samples_of(data).values(), config, seeds)

    def pending(self) -> list[Unit]:
        """What is left to train, about the longest first."""
        return [unit for unit in self.units if trained(unit, self.parts) is None]

    def train(self, pending: Sequence[Unit], jobs: int, advance: Advance) -> None:
        """Train ``pending``, keeping each network as soon as it is finished.

        Parameters
        ----------
        jobs : processes; -1 is one a core, and 1 runs everything here.
        advance : called with a network's name when it is kept.
        """
        work = (joblib.delayed(finish)(unit, unit.digest, self.folder) for unit in pending)
        for name in worker_pool(jobs)(work):
            advance(name)

    def write(self, *, quick: bool) -> list[Answer]:
        """Write tables, figures and reports; all networks have to be there."""
        finished = [(unit, there) for unit in self.units if (there := trained(unit, self.parts))]
        assert len(finished) == len(self.units), "some networks are not trained"
        results = Results.of(self.data, self.config, self.seeds, finished)
        return write_output(results, self.folder, quick=quick)


def kept_networks(folder: Path) -> FinishedUnits[UnitResult]:
    """Trained networks among the results of a run; as JSON, since results are handed on."""
    return FinishedUnits(
        folder / PARTS,
        encode=lambda it: json.dumps(it.to_json()).encode(),
        decode=lambda content: UnitResult.from_json(json.loads(content)),
    )


def trained(unit: Unit, parts: FinishedUnits[UnitResult]) -> UnitResult | None:
    """What came of a unit; None where it is not finished, or its file is damaged."""
    found = parts.read(unit.name, unit.digest)
    return found if found and len(found.forecasts) == len(unit.test) else None


def finish(unit: Unit, digest: str, folder: Path) -> str:
    """Run a unit that had ``digest`` when the run began, and keep what comes of it; its name."""
    kept_networks(folder).write(unit.name, digest, unit.run())
    return unit.name


def quick_config(config: Config) -> Config:
    """Configuration with at most :data:`QUICK_EPOCHS` epochs of pre-training and fine-tuning."""
    return replace(
        config, pretraining=_quick(config.pretraining), fine_tuning=_quick(config.fine_tuning)
    )


def _quick(fitting: FittingConfig) -> FittingConfig:
    return replace(fitting, epochs=min(fitting.epochs, QUICK_EPOCHS))
