"""All forecasts of a run, and how each protocol pairs them with what happened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np

from training.config import Config
from training.reproduction.data import PaperData
from training.reproduction.protocol import Paired, Track, by_position, by_time, common_times
from training.reproduction.samples import Sample, samples_of
from training.reproduction.simple_forecasts import SIMPLE_FORECASTS
from training.reproduction.units import STANDARDIZED, Unit, UnitResult
from volatility.arrays import DateArray


class ScoringProtocol(StrEnum):
    """How a number was made."""

    SAME = "same protocol"
    ALIGNED = "aligned"
    PROPER = "proper measure"


@dataclass(frozen=True)
class Network:
    """One network with one seed.

    Attributes
    ----------
    seed : of every random choice.
    track : its forecasts.
    trained : what else is kept of it.
    """

    seed: int
    track: Track
    trained: UnitResult

    @classmethod
    def of(cls, unit: Unit, trained: UnitResult) -> "Network":
        """What a finished unit says, with the times that it says it for."""
        return cls(unit.seed, Track(unit.test.times, np.array(trained.forecasts)), trained)


@dataclass(frozen=True)
class SampleResults:
    """Forecasts of one sample's test part.

    Attributes
    ----------
    sample : what was forecast.
    networks : by name, one for each seed, in the order of seeds.
    """

    sample: Sample
    networks: Mapping[str, Sequence[Network]]

    @cached_property
    def outcome(self) -> Track:
        """Everything that happened in the test part."""
        return self.sample.target.partition(1).test.track

    @cached_property
    def benchmarks(self) -> Mapping[str, Track]:
        """Forecasts that need no network."""
        return {name: forecast(self.sample.target) for name, forecast in SIMPLE_FORECASTS.items()}

    @cached_property
    def har_targets(self) -> Track:
        """What HAR forecasts, which the published code scores all models against."""
        times = self.benchmarks["har"].times
        return Track(times, self.outcome.at(times))

    @cached_property
    def common(self) -> DateArray:
        """The times that every model forecasts."""
        networks = [one.track for network in self.networks.values() for one in network]
        return common_times([self.outcome, *self.benchmarks.values(), *networks])

    def tracks(self, model: str) -> tuple[Track, ...]:
        """Forecasts of one model: one track a seed, or one alone where nothing is random."""
        if model in self.benchmarks:
            return (self.benchmarks[model],)
        return tuple(network.track for network in self.networks[model])

    def baseline(self, model: str) -> Track:
        """The HAR that Table 5 compares a model with."""
        return self.benchmarks["har_of_training_part" if model in STANDARDIZED else "har"]


@dataclass(frozen=True)
class Results:
    """Everything that the tables and figures are made from.

    Attributes
    ----------
    data : the paper's files.
    config : how networks were trained.
    seeds : of each network.
    published, daily : forecasts on the paper's series and on a daily measure without overlap.
    """

    data: PaperData
    config: Config
    seeds: Sequence[int]
    published: SampleResults
    daily: SampleResults

    @classmethod
    def of(
        cls,
        data: PaperData,
        config: Config,
        seeds: Sequence[int],
        finished: Sequence[tuple[Unit, UnitResult]],
    ) -> "Results":
        """Sort finished units by sample, network and seed."""
        samples = {
            name: SampleResults(sample, _networks(name, finished))
            for name, sample in samples_of(data).items()
        }
        return cls(data, config, seeds, samples["published"], samples["daily"])

    def on(self, protocol: ScoringProtocol) -> SampleResults:
        """The forecasts that a protocol is about."""
        return self.daily if protocol is ScoringProtocol.PROPER else self.published

    def pair(self, track: Track, protocol: ScoringProtocol) -> Paired:
        """Forecasts and what the protocol compares them with."""
        sample = self.on(protocol)
        if protocol is ScoringProtocol.SAME:
            return by_position(track, sample.har_targets)
        return by_time(track, sample.outcome, sample.common)

    def pairs(self, model: str, protocol: ScoringProtocol) -> tuple[Paired, ...]:
        """The same for all seeds of a model."""
        return tuple(self.pair(track, protocol) for track in self.on(protocol).tracks(model))

    def scores(self, model: str, protocol: ScoringProtocol, name: str) -> tuple[float, ...]:
        """One of the scores of section 3.6, by seed."""
        return tuple(pair.scores()[name] for pair in self.pairs(model, protocol))


def _networks(
    sample: str, finished: Sequence[tuple[Unit, UnitResult]]
) -> dict[str, tuple[Network, ...]]:
    chosen = [(unit, trained) for unit, trained in finished if unit.sample == sample]
    networks: dict[str, list[Network]] = {}
    for unit, trained in sorted(chosen, key=lambda one: one[0].seed):
        networks.setdefault(unit.recipe.name, []).append(Network.of(unit, trained))
    return {name: tuple(several) for name, several in networks.items()}
