"""Transfer from a panel: who may see what, what is chosen, and what is compared."""

from dataclasses import replace

import numpy as np
import pytest

from tests.simulated_panel import TINY, simulated_asset, simulated_panel
from training.evaluation.panel.transfer import (
    EVERYTHING,
    LOG_HAR,
    TransferKey,
    TransferPlan,
    candidates,
    fit_sources,
    shortages,
    source_jobs,
    spans_of,
    transfer_tracks,
)
from training.evaluation.panel.transfer_report import (
    change_table,
    chosen_table,
    difference_table,
    transfer_report,
)
from training.evaluation.panel.transfer_scores import (
    choose,
    chosen_elsewhere,
    score_transfer,
    summarize,
)
from training.evaluation.panel.walk_forward import folds_of
from training.evaluation.run import SELECTION, TEST
from training.evaluation.workers import worker_pool
from training.models.pooled.rows import class_effects
from training.models.pooled.transfer import SCRATCH, UNIVERSAL, UNSCALED, Methods, Setting, Variant
from training.models.registry import make_recipe
from volatility.evaluation.tracks import ForecastTrack
from volatility.scale_free import KINDS

PLAN = TransferPlan(
    folds=2,
    months=6,
    lengths=(60, 125),
    judged=100,
    choosing=1,
    scratch=(Setting(1, 0.5), Setting(1, 10.0)),
)
SESSIONS = 700


class LastValue:
    """Says that log rv is a share of where it was, relative to its slow mean."""

    def __init__(self, share):
        self.share = share

    def run(self, regressors, sequence):
        return self.share * np.repeat(sequence[:, -1, :1].astype(np.float64), 2, axis=1)


class Pooled:
    """A fit that knows the calendar of what it saw, and the last value's weight."""

    def __init__(self, effects, share=0.5):
        self.effects, self.network = effects, LastValue(share)
        self.horizons, self.capped_means = (1, 5), np.ones(2)
        self.kind_scales = dict.fromkeys(KINDS, np.zeros(2))


def fit(assets, config):
    return Pooled(class_effects(assets), config.universal.ridge)


def tune(source, rows, epochs, _config):
    """By least squares, and further away with each epoch."""
    last, targets = rows.sequence[:, -1, 0], rows.targets[:, 0]
    known = ~np.isnan(targets)
    return Pooled(source.effects, last[known] @ targets[known] / (last @ last) + epochs - 1)


METHODS = Methods(fit, {"full": tune})


def tracks_of(assets, part, chosen):
    jobs = source_jobs(assets, spans_of(assets, PLAN, part), PLAN, TINY.horizons)
    config = replace(TINY, universal=replace(TINY.universal, ridge=0.5))
    sources = fit_sources(jobs, fit, config, worker_pool(1))
    spans = [(span, source) for job, source in sources for span in job.spans]
    benchmark = make_recipe(LOG_HAR, config)
    return transfer_tracks(spans, chosen, PLAN, METHODS, benchmark, config, worker_pool(1))


@pytest.fixture(scope="module")
def chosen():
    return choose(tracks_of(simulated_panel(), SELECTION, candidates(PLAN, METHODS)))


@pytest.fixture(scope="module")
def tracks(chosen):
    return tracks_of(simulated_panel(), TEST, chosen)


def test_a_part_is_cut_where_it_begins_and_ends_before_the_next():
    asset = simulated_panel()[0]
    dates = asset.series.dates
    [third] = [
        it for it in spans_of(simulated_panel(), PLAN, SELECTION) if it.asset.kind == "stock"
    ]
    last = spans_of([asset], PLAN, TEST)[0]
    assert third.asset.asset == asset.asset  # the first of its kind
    assert third.cut_off == dates[349]
    assert third.asset.series.dates[-1] == dates[449]  # 100 sessions judge
    assert last.cut_off == dates[524]
    assert last.asset.series.dates[-1] == dates[624]
    some = spans_of(simulated_panel(), replace(PLAN, targets=2), TEST)
    assert [it.asset.kind for it in some] == ["crypto", "crypto", "fx", "stock", "stock"]
    whole = spans_of([asset], replace(PLAN, judged=1_000), SELECTION)[0]
    assert whole.asset.series.dates[-1] < dates[525]


def test_what_is_tried_where_nothing_else_is_said():
    plan = TransferPlan(2, 6)
    assert (plan.targets, plan.judged, plan.choosing) == (None, 500, 2)
    tuned = (Setting(1), Setting(4), Setting(16))
    scratch = tuple(
        Setting(epochs, ridge) for epochs in (1, 10) for ridge in (0.1, 1.0, 10.0, 100.0, 1_000.0)
    )
    lengths = (60, 125, 250, 500, 1_000, 0)
    assert candidates(plan, METHODS) == {
        **{("full", it): tuned for it in lengths},
        **{(SCRATCH, it): scratch for it in lengths},
    }


def test_of_a_short_history_nothing_older_is_there():
    span = spans_of(simulated_panel()[:1], PLAN, TEST)[0]
    assert span.lengths(PLAN) == (60, 125, EVERYTHING)
    assert span.lengths(replace(PLAN, lengths=(60, 525))) == (60, EVERYTHING)
    short = span.knowing(60)
    assert len(short.until(span.cut_off).series) == 60
    assert short.series.dates[-1] == span.asset.series.dates[-1]
    assert span.knowing(EVERYTHING) is span.asset


@pytest.mark.parametrize("part", [SELECTION, TEST])
def test_no_source_sees_its_targets_or_what_judges_them(part):
    panel = simulated_panel()
    fold = folds_of(panel, PLAN.folds)
    spans = spans_of(panel, PLAN, part)
    jobs = source_jobs(panel, spans, PLAN, TINY.horizons)
    served = [span.asset.asset for job in jobs for span in job.spans]
    assert sorted(served) == sorted(span.asset.asset for span in spans)
    for job in jobs:
        folds = {fold[span.asset.asset] for span in job.spans}
        assert len(folds) == 1
        assert not folds & {fold[it.asset] for it in job.known}
        assert max(it.series.dates[-1] for it in job.known) <= job.cut_off
        for span in job.spans:
            # A session of the date that is forecast from may end after the forecast.
            assert job.cut_off < span.cut_off < job.cut_off + np.timedelta64(190, "D")


@pytest.mark.parametrize("sessions", [3, 22, 40, 190])
def test_what_is_too_short_is_not_forecast_and_the_next_stands_in(sessions):
    short = simulated_asset("SHORT", "stock", "XNYS", sessions, seed=9)
    panel = (short, *simulated_panel())
    stocks = [it.asset.asset for it in spans_of(panel, PLAN, TEST) if it.asset.kind == "stock"]
    assert stocks == ["STOCK0", "STOCK1", "STOCK2"]
    [choosing] = [it for it in spans_of(panel, PLAN, SELECTION) if it.asset.kind == "stock"]
    assert choosing.asset.asset == "STOCK0"
    for part in (SELECTION, TEST):
        [(asset, why)] = shortages(panel, PLAN, part).items()
        assert asset == "SHORT"
        assert why.endswith("both need 50")


def test_of_what_is_missing_no_target_is_counted():
    whole = simulated_asset("WHOLE", "stock", "XNYS", 220, seed=9)
    keep = np.arange(220) % 3 != 1  # a third is missing in the last quarter
    keep[:165] = True
    thin = replace(whole, series=whole.series.part(keep))
    assert shortages([whole], PLAN, TEST) == {}
    assert list(shortages([thin], PLAN, TEST)) == ["WHOLE"]


def test_the_setting_that_the_third_quarter_prefers_is_chosen(chosen):
    for sessions in (60, 125, EVERYTHING):
        assert chosen["full", sessions] == (Setting(1),)  # tune goes astray with more epochs
        [scratch] = chosen[SCRATCH, sessions]
        assert scratch.ridge < 10  # the last value times ten


def test_every_model_forecasts_the_same_sessions(tracks):
    panel = simulated_panel()
    for span in spans_of(panel, PLAN, TEST):
        own = [it for key, it in tracks.items() if key.asset == span.asset.asset]
        assert len(own) == 3 * 5
        for track in own:
            np.testing.assert_array_equal(track.target_dates, own[0].target_dates)
            assert track.as_of[0] == span.cut_off
            assert len(track) == 100


def test_nothing_after_the_first_judged_sessions_changes_their_forecasts(tracks, chosen):
    cut = np.datetime64("2020-03-01")
    panel = simulated_panel()
    changed = tuple(
        replace(
            it, series=replace(it.series, rv=np.where(it.series.dates > cut, 1.0, it.series.rv))
        )
        for it in panel
    )
    after = tracks_of(changed, TEST, chosen)
    known = moved = 0
    for key, track in tracks.items():
        before = track.as_of <= cut
        np.testing.assert_array_equal(after[key].forecast[before], track.forecast[before])
        known += before.sum()
        moved += (after[key].forecast[~before] != track.forecast[~before]).sum()
    assert known
    assert moved


def test_log_har_of_everything_is_the_reference(tracks):
    panel = simulated_panel()
    scores = score_transfer(panel, tracks)
    of_all = [it for it in scores if (it.model, it.sessions) == (LOG_HAR, EVERYTHING)]
    assert {it.change for it in of_all} == {0.0}
    assert {it.asset for it in of_all} == {it.asset for it in panel}
    short = [it for it in scores if (it.model, it.sessions) == (LOG_HAR, 60)]
    assert all(it.change != 0 for it in short)


def key(asset, model, sessions=EVERYTHING):
    return TransferKey(asset, Variant(model), sessions)


def track(model, dates, ratio):
    """Forecasts of rv 1 that are a factor too large."""
    first = np.datetime64("2020-01-01")
    days = first + np.arange(*dates)
    forecast = np.exp(ratio * np.ones(len(days)))
    return ForecastTrack(model, days - 1, days, forecast, np.ones(len(days)))


def test_differences_are_means_over_assets_of_relative_losses():
    def loss(ratio):
        return np.exp(-ratio) + ratio - 1

    made = {
        key("a", LOG_HAR): track(LOG_HAR, (0, 20), 1.0),
        key("b", LOG_HAR): track(LOG_HAR, (10, 50), 0.5),
        key("a", UNIVERSAL): track(UNIVERSAL, (0, 20), 0.5),
        key("b", UNIVERSAL): track(UNIVERSAL, (10, 50), 0.4),
        key("a", "full"): track("full", (0, 20), 0.4),
        key("b", "full"): track("full", (10, 50), 0.45),
        key("a", SCRATCH): track(SCRATCH, (0, 20), 2.0),
        key("b", SCRATCH): track(SCRATCH, (10, 50), 2.0),
    }
    full = next(it for it in summarize(made) if it.model == "full")
    of_full = [loss(0.4) / loss(1.0), loss(0.45) / loss(0.5)]
    of_universal = [loss(0.5) / loss(1.0), loss(0.4) / loss(0.5)]
    assert (full.assets, full.nobs, full.better) == (2, 60, 2)
    assert full.change == pytest.approx(np.mean(of_full) - 1)
    against = full.against[UNIVERSAL]
    assert against.change == pytest.approx(np.mean(of_full) - np.mean(of_universal))
    assert against.better == 1
    assert 0 < against.pvalue < 1
    assert full.against[SCRATCH].better == 2


def test_settings_are_chosen_on_other_markets():
    panel = [it for it in simulated_panel() if it.asset in {"STOCK0", "STOCK1", "CRYPTO3"}]
    one, other = Setting(1), Setting(4)

    def with_setting(asset, setting):
        return key(asset, "full")._replace(variant=Variant("full", setting))

    made = {}
    for asset, first, second in (("STOCK0", 0.1, 0.9), ("STOCK1", 0.1, 0.9), ("CRYPTO3", 0.8, 0.2)):
        made[key(asset, LOG_HAR)] = track(LOG_HAR, (0, 20), 1.0)
        made[with_setting(asset, one)] = track("full", (0, 20), first)
        made[with_setting(asset, other)] = track("full", (0, 20), second)
    kept = chosen_elsewhere(panel, made)
    settings = {it.asset: it.variant.setting for it in kept if it.variant.model == "full"}
    # each other market prefers what is worse here
    assert settings == {"STOCK0": other, "STOCK1": other, "CRYPTO3": one}
    assert {it.asset for it in kept if it.variant.model == LOG_HAR} == set(settings)


def with_every_model(asset, sessions):
    """Tracks of two settings of what learns, and of what does not."""
    tuned = [Variant(model, Setting(it)) for model in ("full", SCRATCH) for it in (1, 4)]
    variants = [*map(Variant, (UNSCALED, UNIVERSAL, LOG_HAR)), *tuned]
    return {
        TransferKey(asset, variant, sessions): track(variant.model, (0, 20), 0.5 + place / 10)
        for place, variant in enumerate(variants)
    }


def test_where_all_share_a_calendar_there_is_no_quarter_before():
    panel = [it for it in simulated_panel() if it.kind == "stock"]
    made: dict[TransferKey, ForecastTrack] = {}
    for asset in panel:
        made |= with_every_model(asset.asset, EVERYTHING)
    before = summarize(chosen_elsewhere(panel, made))
    assert before == []
    judged = summarize({key: it for key, it in made.items() if key.variant.setting.epochs < 4})
    report = transfer_report(judged, before, choose(made), PLAN, "command", ["of A nothing"])
    assert b"The quarter before" not in report
    assert b"## What was chosen" in report
    assert b"## Left out\n\n- of A nothing\n" in report


def test_at_a_length_of_one_market_alone_only_what_is_there_is_compared():
    panel = [it for it in simulated_panel() if it.asset in {"STOCK0", "CRYPTO3"}]
    made = with_every_model("STOCK0", 60)
    for asset in panel:
        made |= with_every_model(asset.asset, EVERYTHING)
    before = {(it.model, it.sessions): it for it in summarize(chosen_elsewhere(panel, made))}
    assert {model for model, sessions in before if sessions == 60} == {UNSCALED, UNIVERSAL, LOG_HAR}
    assert set(before[LOG_HAR, 60].against) == {UNIVERSAL}
    assert set(before[LOG_HAR, EVERYTHING].against) == {UNIVERSAL, SCRATCH}
    assert difference_table(list(before.values()), SCRATCH)[0] == "| model | all |"


def test_tables_have_a_column_for_each_number_of_sessions(tracks, chosen):
    own = summarize(tracks)
    head, _, *rows = change_table(own)
    assert head == "| model | 60 | 125 | all |"
    names = [row.split("|")[1].strip(" `") for row in rows]
    assert names == [UNSCALED, UNIVERSAL, "full", SCRATCH, LOG_HAR]
    assert rows[-1].rstrip("▲▼ |").endswith("+0.0%")  # whatever the rounding
    differences = difference_table(own, UNIVERSAL)
    assert "of 6)" in differences[2]
    assert not any(f"`{UNIVERSAL}`" in row for row in differences)
    assert "| `full` | 1 | 1 | 1 |" in chosen_table(chosen)
