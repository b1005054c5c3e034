"""On which dates the model for every asset is fitted, and what each fit may see."""

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models_store.universal.artifact import REFERENCE_CALENDAR
from models_store.universal.store import UniversalStore
from tests.models_store.universal.small import HORIZONS, small_graph, small_manifest
from tests.simulated_panel import TINY, simulated_asset
from tests.training.simulated import asset_of
from training.config import flatten, seeds_from
from training.data.assets import AssetData
from training.models.pooled.rows import COLUMNS
from training.models.pooled.zero_shot import ExportedPooled
from training.publishing.kind_records import PanelRecords
from training.publishing.universal import (
    LONG,
    Vintage,
    reference_histories,
    to_files,
    vintages,
)
from volatility.calendars import get_calendar
from volatility.scale_free import KINDS, MINIMUM
from volatility.series import DatedSeries
from volatility.trailing import SESSIONS


def asset(name: str, first: str, nobs: int) -> AssetData:
    dates = np.datetime64(first) + np.arange(nobs)
    return asset_of(name, DatedSeries(np.full(nobs, 1e-4), "garman_klass", dates))


def told(found: list[Vintage]) -> list[str]:
    return [str(it.cut_off) for it in found]


LONGER = asset("A", "2015-01-01", 1_400)  # its thousandth session is 2017-09-26
LATER = asset("B", "2015-06-01", 1_100)  # 2018-02-24; ends 2018-06-04


@pytest.mark.parametrize(
    ("months", "fewest", "expected"),
    [
        (12, 1, ["2017-12-31", "2018-10-31"]),
        (6, 1, ["2017-12-31", "2018-06-30", "2018-10-31"]),
        (12, 2, ["2018-10-31"]),
        (12, 3, ["2018-10-31"]),
    ],
)
def test_fits_are_at_ends_of_years_and_of_their_parts_and_at_the_end(
    months: int, fewest: int, expected: list[str]
) -> None:
    assert told(vintages([LATER, LONGER], months, fewest)) == expected


@pytest.mark.parametrize(("nobs", "first"), [(LONG, "2017-12-31"), (LONG - 1, None)])
def test_an_asset_counts_from_its_thousandth_session_on(nobs: int, first: str | None) -> None:
    short = asset("C", "2015-01-01", nobs)
    other = asset("D", "2018-01-05", 60)
    found = told(vintages([short, other], 12, 1))
    assert found == [*([first] if first else []), "2018-03-05"]


def test_a_cut_on_the_last_day_of_a_panel_is_made_the_day_after_alone() -> None:
    """A year that ends with the panel has no first of January in it."""
    whole = asset("A", "2015-01-01", 1_096)  # until 2017-12-31
    assert told(vintages([whole], 12, 1)) == ["2017-12-31"]
    assert told(vintages([asset("A", "2015-01-01", 1_097)], 12, 1)) == ["2017-12-31", "2018-01-01"]


@pytest.mark.parametrize(("begins", "sees"), [("2017-12-09", True), ("2017-12-10", False)])
def test_a_fit_sees_what_was_known_of_assets_with_enough_of_it(begins: str, sees: bool) -> None:
    young = asset("Y", begins, 200)
    first, last = vintages([LONGER, young], 12, 1)
    names = [it.asset for it in first.assets]
    assert names == (["A", "Y"] if sees else ["A"])
    assert all(it.series.dates[-1] == first.cut_off for it in first.assets)
    assert len(first.assets[-1].series) == (MINIMUM + 1 if sees else 1_096)
    assert [len(it.series) for it in last.assets] == [1_400, 200]


def test_reference_histories_are_of_22_to_250_sessions_of_a_stock_in_new_york() -> None:
    found = reference_histories()
    assert set(found) == {"rv", "return", "overnight_return", "range_ratio", "day"}
    lengths = np.isfinite(found["rv"]).sum(axis=1)
    assert (lengths[0], lengths[-1], len(lengths)) == (MINIMUM, SESSIONS, 20)
    assert (np.diff(lengths) > 0).all()
    for values in found.values():
        np.testing.assert_array_equal(np.isfinite(values), np.isfinite(found["rv"]))
        assert np.isfinite(values[:, -1]).all()  # newest last
    days: Any = found["day"][-1].astype(np.int64).astype("datetime64[D]")
    assert days[0] == np.datetime64("2015-01-02")
    assert (np.diff(get_calendar(REFERENCE_CALENDAR).positions(days)) == 1).all()
    repeated = reference_histories()
    assert all((repeated[it][-1] == found[it][-1]).all() for it in found)


def test_a_version_is_what_the_fit_has_seen_and_says(tmp_path: Path) -> None:
    """Read back from the store, where it serves."""
    share = simulated_asset("SHARE", "stock", "XNYS", 120, 1)
    coin = simulated_asset("COIN", "crypto", "24/7", 90, 2, "parkinson")
    gap = np.ones(120, dtype=bool)
    gap[50:53] = False
    share = replace(share, series=share.series.part(gap))
    known = small_manifest()
    exported = ExportedPooled(
        small_graph(1.0),
        HORIZONS,
        {kind: np.array([*it.values()]) for kind, it in known.calendar_effects.items()},
        np.array(known.capped_means),
        {"crypto": np.array([0.2, 0.1, 0.05, 0.0])},
    )
    end = coin.series.dates[-1]
    short = {
        sessions: {kind: known.short_histories[kind][sessions] for kind in KINDS}
        for sessions in (22, 60)
    }
    records = PanelRecords(known.by_kind, short)
    store = UniversalStore(tmp_path)
    config = replace(TINY, seed=5, universal=replace(TINY.universal, seeds=3))
    files = to_files(Vintage(end, (share, coin)), exported, config, records)
    found = store.load(store.publish(files)).manifest
    rv = np.concatenate([share.series.rv, coin.series.rv])
    assert (found.seed, found.seeds, found.hyperparameters) == (
        5,
        seeds_from(5, 3),
        flatten(config.universal),
    )
    assert found.code_version == version("roughcast")
    assert found.clip == (rv.min(), rv.max())
    low, high = found.rv_medians
    assert rv.min() < low < high < rv.max()
    assert found.measures == ("garman_klass", "parkinson")
    assert found.training_end == max(share.series.dates[-1], end).item()
    same = ("horizons", "minimum_sessions", "lookback", "columns", "calendar_effects")
    for name in (*same, "capped_means", "kind_scales", "by_kind", "short_histories"):
        assert getattr(found, name) == getattr(known, name), name
    told = [(it.asset, it.kind, it.calendar, it.measure, it.source) for it in found.assets]
    assert told == [
        ("SHARE", "stock", "XNYS", "garman_klass", "simulated"),
        ("COIN", "crypto", "24/7", "parkinson", "simulated"),
    ]
    first, second = found.assets
    assert (first.nobs, first.missing_sessions, second.nobs, second.missing_sessions) == (
        117,
        3,
        90,
        0,
    )
    for it, data in ((first, share), (second, coin)):
        dates = data.series.dates
        assert (it.start, it.end) == (dates[0].item(), dates[-1].item())
        assert it.sha256 == data.series.select(COLUMNS).sha256
    evaluated = to_files(Vintage(end, (share, coin)), exported, config)
    for_evaluation = store.load(store.publish(evaluated)).manifest
    assert (for_evaluation.by_kind, for_evaluation.short_histories) == ({}, {})
