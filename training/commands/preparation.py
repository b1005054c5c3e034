"""From the options of an evaluation or a retrain to configuration, recipes and data."""

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from models_store.outgoing import check_writable as check_remote
from training.commands.arguments import ALL_CORES, DROP, PANEL_SOURCE
from training.commands.bars_options import is_given, options_of
from training.commands.console import introduce
from training.config import Config, read_config
from training.data.assets import AssetData, TrainingSet
from training.data.bars_file import MINIMUM_SESSIONS, BarsFile, load_asset
from training.data.companions import CompanionFile, load_companions, with_companions
from training.data.held_bars import BarsService
from training.evaluation.study import Study, applicable, check_history
from training.evaluation.workers import workers_at
from training.models.recipe import Recipe
from training.models.registry import recipes
from volatility.datasets import NAMES
from volatility.errors import Finding, HistoryTooShort, InvalidInput, TooFewObservations

REFUSED = 1  # exit status: something was not promoted


@dataclass(frozen=True)
class Target:
    """An asset to forecast, and what is worth knowing about its bars."""

    data: AssetData
    notes: tuple[Finding, ...]


class Loaded(NamedTuple):
    """The data of all targets, and of the sources by name."""

    targets: Sequence[Target]
    sources: Mapping[str, AssetData]


@dataclass(frozen=True)
class Preparation:
    """What the options ask for.

    Attributes
    ----------
    assets : names of the targets.
    file : bars of the only target, where they are the user's own.
    service : where the bars of all targets come from, if it is one; where no target was named, it
        says which there are.
    config : the configuration with what the options override.
    recipes : the models asked for, with the benchmarks.
    companions : other series that every target is given.
    options : as given.
    """

    assets: tuple[str, ...]
    file: BarsFile | None
    service: BarsService | None
    config: Config
    recipes: tuple[Recipe, ...]
    companions: tuple[CompanionFile, ...]
    options: argparse.Namespace

    @classmethod
    def of(cls, options: argparse.Namespace) -> "Preparation":
        """Check the options, and make the recipes; reads no data.

        Raises
        ------
        InvalidInput : options that do not go together, or an invalid configuration.
        UnknownModel, ExtraMissing : a model that there is not, or not without an extra.
        """
        assets, file = _assets_of(options)
        config = config_of(options)
        chosen = tuple(recipes(options.models, config))
        beside = tuple(map(CompanionFile.of, options.companion))
        service = BarsService.at(options.from_service) if options.from_service else None
        return cls(tuple(assets), file, service, config, chosen, beside, options)

    def load(self) -> Loaded:
        """Read the data of all targets and sources.

        Raises
        ------
        InvalidInput, UnknownAsset : see :meth:`load_targets` and :meth:`load_sources`.
        """
        now = datetime.now(UTC)
        return Loaded(self.load_targets(now), self.load_sources(now))

    def introduce_studies(
        self, loaded: Loaded, console: Console, horizons: Sequence[int] = (1,)
    ) -> list[Study]:
        """Print what the data are, and make a study of each target at each horizon.

        All histories are checked before any is fitted: that one is too short should not come to
        light hours later.

        Raises
        ------
        HistoryTooShort, TooFewObservations : see :func:`training.evaluation.study.check_history`.
        """
        studies = []
        targets = loaded.targets
        if not self.assets:
            for asset, why in self._held().items():
                if why:
                    console.print(f"left out: {asset}: {why}", markup=False)
            targets = _long_enough(targets, horizons, console)
        for target in targets:
            introduce(target.data, target.notes, self.recipes, console, horizons)
            studies += [self.study(target.data, loaded.sources, horizon) for horizon in horizons]
        for study in studies:
            check_history(study.data)
        return studies

    def load_targets(self, now: datetime) -> list[Target]:
        """Read the targets' bars, all of them before any is fitted, and their companions'.

        Raises
        ------
        InvalidInput : an unreadable file or service, or invalid bars; a target that is its own
            companion.
        UnknownAsset : a target or a companion without a file that is not shipped.
        """
        companions = load_companions(self.companions, now)
        if self.service is None:
            loaded = [load_asset(asset, self.file, now) for asset in self.assets]
        else:
            names = self.assets or [it for it, why in self._held().items() if not why]
            loaded = [self.service.load(asset, now) for asset in names]
        return [Target(with_companions(data, companions), notes) for data, notes in loaded]

    def _held(self) -> dict[str, str]:
        """Every asset of the service, and why it is no target; empty where it is one.

        Raises
        ------
        HistoryTooShort : none is.
        """
        assert self.service is not None
        beside = {it.name for it in self.companions}
        held = {
            asset: "it is a companion"
            if asset in beside
            else f"it has {sessions} sessions"
            if sessions < MINIMUM_SESSIONS
            else ""
            for asset, sessions in self.service.sessions().items()
        }
        if all(held.values()):
            raise HistoryTooShort(
                f"the service holds no asset with {MINIMUM_SESSIONS} sessions",
                field="from_service",
                found=held,
                needed=f"an asset with at least {MINIMUM_SESSIONS} sessions",
            )
        return held

    def load_sources(self, now: datetime) -> dict[str, AssetData]:
        """The shipped assets that the models learn from, besides the target.

        Raises
        ------
        InvalidInput : a source is named, and no model has a use for it.
        UnknownAsset : a source that is not shipped.
        """
        names = {name for recipe in self.recipes for name in recipe.sources}
        if self.options.source is not None and not names:
            raise InvalidInput(
                "--source goes with models that are pre-trained on another asset; "
                f"none of {list(self.options.models)} is",
                field="source",
            )
        return {name: load_asset(name, None, now)[0] for name in sorted(names)}

    def study(self, target: AssetData, sources: Mapping[str, AssetData], horizon: int = 1) -> Study:
        """A target at one horizon, with the models that can be fitted for it."""
        data = TrainingSet(target, sources, self.config.seed, horizon)
        return Study(data, applicable(self.recipes, target, (horizon,)))


def _long_enough(
    targets: Sequence[Target], horizons: Sequence[int], console: Console
) -> list[Target]:
    """Of targets that nobody named those that can be fitted; the others are told with the reason.

    Raises
    ------
    HistoryTooShort, TooFewObservations : none can; of the last of them.
    """
    kept, refused = [], None
    for target in targets:
        try:
            for horizon in horizons:
                check_history(TrainingSet(target.data, {}, 0, horizon))
        except (HistoryTooShort, TooFewObservations) as error:
            refused = error
            console.print(f"left out: {target.data.asset}: {error}", markup=False)
        else:
            kept.append(target)
    if refused is not None and not kept:
        raise refused
    return kept


def check_writable(folder: Path) -> None:
    """Make a folder where it is not there, and try to write: before hours of work, not after.

    Raises
    ------
    OSError : it cannot be made or written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        check_remote(folder)


def check_panel_alone(options: argparse.Namespace) -> None:
    """Refuse options of single assets beside ``--panel``.

    Raises
    ------
    InvalidInput : one is given.
    """
    own = ("asset", "bars", "from_service", "to_service", "calendar", "measure", "outside_sessions")
    for option in own:
        found = getattr(options, option, None)  # to evaluate puts nothing anywhere
        if found is not None:
            name = f"--{option.replace('_', '-')}"
            raise InvalidInput(
                f"{name} goes with single assets; a panel's table names its own",
                field=option,
                found=found,
                needed=f"either --panel or {name}",
            )
    if is_given(options):
        raise InvalidInput("how a file is written goes with --bars", field="bars")


def workers_of(options: argparse.Namespace) -> AbstractContextManager[None]:
    """Where fits run, as the options ask for.

    Raises
    ------
    InvalidInput : options that do not go together.
    """
    dask = options.backend == "dask"
    if dask != (options.scheduler is not None):
        raise InvalidInput(
            "--backend dask and --scheduler ADDRESS go together",
            field="scheduler",
            found=options.scheduler,
            needed="the address of a Dask scheduler, such as tcp://10.0.0.5:8786, or neither",
        )
    if dask and options.jobs != ALL_CORES:
        raise InvalidInput(
            "--jobs counts processes of this machine: a Dask cluster uses all of its own",
            field="jobs",
            found=options.jobs,
            needed=f"{ALL_CORES}, the default, with --backend dask",
        )
    return workers_at(options.scheduler)


def _assets_of(options: argparse.Namespace) -> tuple[list[str], BarsFile | None]:
    """The assets that are asked for, and the file of the one whose bars are the user's own.

    Raises
    ------
    InvalidInput : options that do not go together.
    """
    shipped = () if options.from_service else NAMES
    assets = list(dict.fromkeys(options.asset or shipped))
    if options.source == PANEL_SOURCE:
        raise InvalidInput(
            f"--source {PANEL_SOURCE} goes with evaluate --panel DIR: transfer from all assets of "
            "a panel to each other one",
            field="source",
            found=PANEL_SOURCE,
            needed="--panel DIR, or a shipped asset as the source",
        )
    if options.source in assets:
        raise InvalidInput(
            f"{options.source} is both source and target; nothing can be transferred from an "
            "asset to itself",
            field="source",
            found=options.source,
            needed="another asset",
        )
    if options.bars is not None and options.from_service is not None:
        raise InvalidInput(
            "--bars and --from-service both say where bars come from",
            field="from_service",
            found=str(options.bars),
            needed="one of them",
        )
    if options.bars is None:
        if options.calendar or options.measure or options.outside_sessions or is_given(options):
            raise InvalidInput(
                "--calendar, --measure, --outside-sessions and what says how a file is written "
                "go with --bars",
                field="bars",
            )
        return assets, None
    if not options.asset or len(assets) != 1:
        raise InvalidInput("--bars needs exactly one --asset to belong to", field="asset")
    drop = options.outside_sessions == DROP
    file = BarsFile(options.bars, options.calendar, options.measure, drop)
    return assets, replace(file, written=options_of(options))


def config_of(options: argparse.Namespace) -> Config:
    """The configuration with what the options override."""
    config = read_config(options.config)
    config = replace(
        config,
        seed=config.seed if options.seed is None else options.seed,
        seeds=config.seeds if options.seeds is None else options.seeds,
    )
    if options.source is not None:
        config = replace(config, transfer=replace(config.transfer, source=options.source))
    return config


def with_horizons(config: Config, horizons: Sequence[int] | None) -> Config:
    """The configuration with the horizons that were asked for, if any were."""
    return replace(config, horizons=tuple(sorted(set(horizons)))) if horizons else config


def check_alone(chosen: Sequence[Recipe]) -> None:
    """Refuse models that learn from another asset, where there is a panel.

    Raises
    ------
    InvalidInput : one of them does.
    """
    for recipe in chosen:
        if recipe.sources:
            raise InvalidInput(
                f"{recipe.name} learns from another asset, which a panel has none of",
                field="models",
                found=recipe.name,
                needed="models that learn from their asset alone",
            )
