"""Comparisons made when models were published, so that nobody waits for one.

::

    <asset>/_comparisons/<key>/comparison.json   how models compare at one horizon
    <asset>/_comparisons/<key>/SHA256SUMS        its digest; signed as an artifact is

The key is the digest of all that a comparison depends on: the digests of the models, the champion,
the horizon, and how comparisons are made. So what is read is about exactly the versions that are
asked about, however often they are promoted and rolled back. What is not there is compared anew.
"""

import hashlib
import json
import shutil
from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic_core import to_jsonable_python

from models_store.artifact import with_sums
from models_store.atomic import flush_folder, locked, unfinished, write_folder
from models_store.comparison import (
    JUDGED,
    AssetComparison,
    Compared,
    Excluded,
    compare_at,
    excluded_as_refused,
)
from models_store.evidence import Evidence
from models_store.files import ArtifactFiles
from models_store.names import COMPARISONS
from models_store.outgoing import put_folder, remove_folder
from models_store.place import Refusal
from models_store.store import Store
from volatility.errors import RoughcastError
from volatility.evaluation.compare import Comparison, ComparisonRow
from volatility.evaluation.diebold_mariano import DieboldMariano
from volatility.evaluation.influence import Influence

FILE = "comparison.json"
# How comparisons are made, and written. With another number all are made anew: to be raised when
# `models_store.comparison` or `volatility.evaluation` finds something else of the same forecasts.
PROCEDURE = 2
_KEPT = 64  # of an asset: some versions of all its horizons

Versions = Mapping[str, tuple[int, str]]  # number and digest, by model


class Judged(NamedTuple):
    """What has just been published, which need not be read again.

    Parameters
    ----------
    models : by name.
    comparison : of them, and no others, at the horizon that models are judged by; of their
        forecasts in order of name. None where that has not been made.
    """

    models: Mapping[str, Evidence]
    comparison: Comparison | None


def recall(
    store: Store,
    asset: str,
    versions: Versions,
    champion: str | None,
    refused: Iterable[Refusal],
    horizons: Iterable[int],
) -> Compared | None:
    """How models compare, as far as it is in the store.

    Parameters
    ----------
    store : it; what none of its trusted keys has signed counts as absent, as does what is damaged.
    asset : whose.
    versions : of the models that serve.
    champion, refused : as in :func:`models_store.comparison.compare_models`.
    horizons : sessions ahead.

    Returns
    -------
    Comparisons of those horizons that are there; None where none is.
    """
    found: Compared | None = None
    comparisons: dict[int, AssetComparison] = {}
    left_out = tuple(map(excluded_as_refused, refused))
    for horizon in horizons:
        inputs = _inputs(versions, champion, horizon)
        folder = _folder(store, asset) / _key(inputs)
        try:
            files = ArtifactFiles.read(folder, store.trusted)
            files.check_names((FILE,))
            read = json.loads(files[FILE])
            if read["inputs"] != inputs:
                continue
            comparison = _decoded(read["comparison"], versions)
            found = Compared(tuple(read["horizons"]), read["kind"], comparisons)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            continue
        comparisons[horizon] = replace(comparison, others=(*comparison.others, *left_out))
    return found


def record(store: Store, asset: str, judged: Judged | None = None) -> int:
    """Compare what is to serve of an asset, at all horizons, and write what is not there yet.

    Parameters
    ----------
    store : it.
    asset : whose.
    judged : what need not be read, or compared, again.

    Returns
    -------
    How many were written; 0 where a model of the asset cannot be read, or none serves.
    """
    try:
        versions = promoted(store, asset)
        champion = store.champion(asset)
        known = judged.models if judged else {}
        models = {
            model: known[model]
            if model in known and known[model].sha256 == digest
            else store.evidence(asset, model, version, digest)
            for model, (version, digest) in versions.items()
        }
    except RoughcastError:
        return 0
    horizons = sorted({it for model in models.values() for it in model.manifest.horizons})
    return keep(store, asset, _compared(models, champion, horizons, judged), versions, champion)


def keep(
    store: Store, asset: str, compared: Compared, versions: Versions, champion: str | None
) -> int:
    """Write comparisons that are not there yet; an asset's oldest make room for them.

    Parameters
    ----------
    store : it.
    asset : whose.
    compared : how models compare, nothing refused among them.
    versions, champion : of which it is.

    Returns
    -------
    How many were written; 0 where the store cannot be, as whoever needs one can do without.
    """
    folder, new = _folder(store, asset), {}
    by_horizon = {it: _inputs(versions, champion, it) for it in compared.comparisons}
    for horizon, comparison in compared.comparisons.items():
        inputs = by_horizon[horizon]
        encoded = _encoded(comparison)
        if encoded is not None and not (folder / _key(inputs)).exists():
            about = {"inputs": inputs, "horizons": compared.horizons, "kind": compared.kind}
            content = json.dumps(about | {"comparison": encoded}) + "\n"
            new[_key(inputs)] = with_sums({FILE: content.encode()})
    try:
        if new:
            _write(store.root, folder, new, set(map(_key, by_horizon.values())))
    except OSError:
        return 0
    return len(new)


def _write(
    root: Path, folder: Path, new: Mapping[str, Mapping[str, bytes]], needed: Container[str]
) -> None:
    """Write comparisons; those that were written or brought first make room for them.

    Parameters
    ----------
    root, folder : of the store and of an asset's comparisons.
    new : files by name, by key.
    needed : keys that stay: a mirror may have brought them before all others.
    """
    with locked(folder):
        for key, files in new.items():
            put_folder(root, folder / key, files)
            with unfinished(folder) as written:
                write_folder(written, files)
                if not (folder / key).exists():  # else another process was first
                    written.rename(folder / key)
        there = [it for it in folder.glob("[!.]*") if it.is_dir()]
        there.sort(key=lambda it: (it.name in needed, it.stat().st_mtime_ns))
        for old in there[:-_KEPT]:
            remove_folder(root, old)
            shutil.rmtree(old)
        flush_folder(folder)


def promoted(store: Store, asset: str) -> dict[str, tuple[int, str]]:
    """Which version of each model is to serve.

    Raises
    ------
    ArtifactRefused : a pointer cannot be read.
    """
    pointers = {model: store.pointer(asset, model) for model in store.models(asset)}
    return {model: (it.version, it.sha256) for model, it in pointers.items() if it}


def folders(store: Store, asset: str) -> list[Path]:
    """Where the comparisons of an asset are, sorted."""
    folder = _folder(store, asset)
    return sorted(it for it in folder.glob("[!.]*") if it.is_dir())


def _compared(
    models: Mapping[str, Evidence],
    champion: str | None,
    horizons: list[int],
    judged: Judged | None,
) -> Compared:
    known = judged.comparison if judged and _digests(judged.models) == _digests(models) else None
    return compare_at(models, champion, (), horizons, {JUDGED: known} if known else {})


def _digests(models: Mapping[str, Evidence]) -> dict[str, str]:
    return {model: it.sha256 for model, it in models.items()}


def _inputs(versions: Versions, champion: str | None, horizon: int) -> dict[str, Any]:
    return {
        "procedure": PROCEDURE,
        "models": {model: digest for model, (_, digest) in sorted(versions.items())},
        "champion": champion,
        "horizon": horizon,
    }


def _key(inputs: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:32]


def _folder(store: Store, asset: str) -> Path:
    return store.root / asset / COMPARISONS


def _encoded(comparison: AssetComparison) -> dict[str, Any] | None:
    """A comparison without numbers of versions; None of one that could not be made."""
    if isinstance(comparison.result, RoughcastError):
        return None
    result = comparison.result
    return {
        "measure": comparison.measure,
        "protocol": comparison.protocol,
        "result": to_jsonable_python(result, fallback=_plain),
        "misaligned": [[it.model, it.reason] for it in comparison.misaligned],
        "others": [[it.model, it.reason] for it in comparison.others],
        "refit_every": dict(comparison.refit_every),
    }


def _decoded(read: Mapping[str, Any], versions: Versions) -> AssetComparison:
    result = read["result"]
    first, last = map(np.datetime64, result["span"])
    rows = tuple(map(_row, result["rows"]))
    numbers = {model: version for model, (version, _) in versions.items()}

    def excluded(model: str, reason: str) -> Excluded:
        return Excluded(model, numbers[model], reason)

    return AssetComparison(
        measure=read["measure"],
        protocol=read["protocol"],
        result=Comparison(**{**result, "span": (first, last), "rows": rows}),
        misaligned=tuple(excluded(*it) for it in read["misaligned"]),
        others=tuple(excluded(*it) for it in read["others"]),
        versions=numbers,
        refit_every=read["refit_every"],
    )


_BY_LEVEL = ("interval_loss_log", "coverage", "coverage_after_breaks")


def _row(read: dict[str, Any]) -> ComparisonRow:
    terciles = read["coverage_by_tercile"].items()
    seeds = read["qlike_loss_by_seed"].items()
    return ComparisonRow(
        **{
            **read,
            **{name: {float(at): it for at, it in read[name].items()} for name in _BY_LEVEL},
            "coverage_by_tercile": {float(level): tuple(it) for level, it in terciles},
            "diebold_mariano": {
                model: DieboldMariano(**it) for model, it in read["diebold_mariano"].items()
            },
            "influence": {model: _influence(**it) for model, it in read["influence"].items()},
            "qlike_loss_by_seed": {int(seed): loss for seed, loss in seeds},
        }
    )


def _influence(share: float, date: str | None, qlike_ratio_without: float) -> Influence:
    return Influence(share, None if date is None else np.datetime64(date), qlike_ratio_without)


def _plain(value: np.generic) -> object:
    """What JSON knows of one of numpy's values: a date as text."""
    return str(value) if isinstance(value, np.datetime64) else value.item()
