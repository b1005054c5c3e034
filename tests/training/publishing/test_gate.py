import numpy as np

from training.publishing.gate import judge
from volatility.evaluation.tracks import ForecastTrack

DATES = np.datetime64("2020-01-01") + np.arange(400)
RNG = np.random.default_rng(0)
RV = np.exp(-9 + 0.5 * RNG.standard_normal(400))
START = DATES[100]


def track(forecast: np.ndarray, dates: np.ndarray = DATES) -> ForecastTrack:
    return ForecastTrack("har", dates - 1, dates, forecast, RV[-len(dates) :])


def noisy(deviation: float, seed: int) -> np.ndarray:
    return RV * np.exp(deviation * np.random.default_rng(seed).standard_normal(len(RV)))


def test_a_significantly_worse_version_is_held_back() -> None:
    judgement = judge(track(noisy(1.0, 1)), track(noisy(0.3, 2)), START)
    assert not judgement.promote
    assert "n = 300" in judgement.reason


def test_a_better_version_is_promoted() -> None:
    assert judge(track(noisy(0.3, 1)), track(noisy(1.0, 2)), START).promote


def test_a_version_that_cannot_be_told_apart_is_promoted() -> None:
    assert judge(track(noisy(0.5, 1)), track(noisy(0.5, 2)), START).promote


def test_only_the_test_part_counts() -> None:
    worse_before = noisy(0.3, 1)
    worse_before[:100] = noisy(3.0, 1)[:100]
    assert judge(track(worse_before), track(noisy(0.5, 2)), START).promote


def test_both_are_scored_on_the_new_version_s_data() -> None:
    # The version in service was right about data that have since been corrected.
    corrected = track(RV * 1.0001)
    old = ForecastTrack("har", DATES - 1, DATES, RV[::-1].copy(), RV[::-1].copy())
    assert judge(corrected, old, START).promote


def test_versions_that_share_too_few_dates_cannot_be_compared() -> None:
    judgement = judge(track(noisy(1.0, 1)), track(noisy(0.3, 2)[-40:], DATES[-40:]), START)
    assert judgement.promote
    assert "only 40 test dates" in judgement.reason
