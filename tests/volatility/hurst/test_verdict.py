"""Verdicts, reasons and warnings by given evidence: each branch, and each threshold's two sides."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from statsmodels.stats.diagnostic import acorr_ljungbox

from tests.volatility.hurst.paths import brownian_paths
from volatility.hurst.estimate import HurstEstimate, without_estimate
from volatility.hurst.noise import NoiseBounds
from volatility.hurst.scales import FactorsFit, FractionalFit, HarFit, ScaleComparison
from volatility.hurst.verdict import Evidence, has_memory
from volatility.simulation.multiscale import autoregression

PATH = brownian_paths(0.1)[0]  # 1,500 sessions
KNOWN = NoiseBounds(0.01, 0.04)


def estimate(
    name: str, hurst: float = 0.1, interval: tuple[float, float] | None = (0.05, 0.15)
) -> HurstEstimate:
    return replace(without_estimate(name, 0.95, None), hurst=hurst, interval=interval)


def estimates(**given: HurstEstimate) -> dict[str, HurstEstimate]:
    """Of three estimators; all say 0.1 [0.05, 0.15] unless another is given."""
    names = ("variogram", "whittle", "variogram_corrected")
    return {name: estimate(name) for name in names} | given


def comparison(
    one: float = 10.0,
    two: float = 10.0,
    har: float = 10.0,
    noise: NoiseBounds = KNOWN,
    misfit: float = 0.0,
) -> ScaleComparison:
    """A fractional model whose log likelihood is so far above those of the others."""
    return ScaleComparison(
        nobs=1_500,
        noise=noise,
        fractional=FractionalFit(-100.0, 0.1, 0.01, 1.0, 0.1),
        one_factor=FactorsFit(-100.0 - one, (0.01,), (1.0,), 0.1),
        # Half-lives of log 2 over the rates: 3 and 50 sessions.
        two_factors=FactorsFit(-100.0 - two, (np.log(2) / 3, np.log(2) / 50), (1.0, 1.0), 0.1),
        har=HarFit(-100.0 - har, (0.3, 0.3, 0.3), 1.0, 0.1),
        declared_misfit=misfit,
    )


def evidence(**changed: Any) -> Evidence:
    """Of a series that is rough beyond doubt, except for what is changed."""
    given: dict[str, Any] = {
        "path": PATH,
        "measure": "realized_variance",
        "intraday_nobs": 1_000,
        "estimates": estimates(),
        "window": None,
        "decay": None,
        "weekly_cycle": None,
        "upper_bound": 0.3,
        "comparison": comparison(),
    }
    return Evidence(**(given | changed))


CORRECTED = "H is 0.10 [0.05, 0.15] by variogram_corrected"
BEFORE = " once the noise of realized_variance is taken out (0.10 before)"
NO_CORRECTION = estimates(
    variogram_corrected=without_estimate("variogram_corrected", 0.95, "no size is declared")
)


def test_rough_is_what_is_so_by_every_interval_and_likelier_than_all_others():
    assert evidence().verdict() == (
        "rough",
        (
            f"{CORRECTED}{BEFORE}; every interval ends below 0.5, and seen with noise of a "
            "deviation of 0.100 to 0.200 the log likelihood of a fractional model is +10.0 nats "
            "from that of two factors and +10.0 from that of a HAR model, which have a parameter "
            "more (above -0.4 is asked)"
        ),
    )


def test_rough_without_a_size_of_the_noise_is_said_so():
    given = evidence(
        measure=None, estimates=NO_CORRECTION, comparison=comparison(noise=NoiseBounds())
    )
    verdict, reason = given.verdict()
    assert verdict == "rough"
    assert reason.startswith(
        "H is 0.10 [0.05, 0.15] by whittle; every interval ends below 0.5, and seen with noise of "
        "any size the log likelihood"
    )
    assert reason.endswith("(above +4.0 is asked)")


@pytest.mark.parametrize(("nobs", "verdict"), [(249, "inconclusive"), (250, "rough")])
def test_a_verdict_needs_a_year(nobs, verdict):
    found, reason = evidence(path=PATH[:nobs]).verdict()
    assert found == verdict
    if nobs < 250:
        assert reason == "249 sessions are too few; a verdict needs 250"


def test_a_weekly_cycle_is_no_roughness():
    given = evidence(weekly_cycle=5)
    assert given.verdict() == (
        "inconclusive",
        (
            f"{CORRECTED}{BEFORE}, but the series repeats itself every 5 sessions, and a weekly "
            "cycle looks like roughness; give the sessions' dates and calendar, so that it can be "
            "taken out"
        ),
    )
    assert any(
        it == "the series repeats itself every 5 sessions; the cycle pulls every estimate towards 0"
        for it in given.warnings()
    )


@pytest.mark.parametrize(
    ("interval", "verdict", "said"),
    [
        ((0.41, 0.5), "not_rough", "H = 0.5, Brownian log volatility, is not rejected"),
        ((0.5, 0.6), "not_rough", "H = 0.5, Brownian log volatility, is not rejected"),
        (
            (0.51, 0.6),
            "not_rough",
            "log volatility is smoother than Brownian (H = 0.5), which is rejected",
        ),
        ((0.4, 0.5), "inconclusive", "the interval of variogram_corrected reaches 0.5"),
        ((0.41, 0.49), "rough", "every interval ends below 0.5"),
    ],
)
def test_an_interval_that_reaches_one_half_is_not_rough_or_says_nothing(interval, verdict, said):
    one = estimate("variogram_corrected", 0.45, interval)
    found, reason = evidence(estimates=estimates(variogram_corrected=one)).verdict()
    assert found == verdict
    assert said in reason
    assert reason.startswith(f"H is 0.45 [{interval[0]:.2f}, {interval[1]:.2f}] by variogram_corr")


def test_every_estimator_that_reaches_one_half_is_named():
    reaching = {name: estimate(name, 0.45, (0.3, 0.5)) for name in ("variogram", "whittle")}
    assert evidence(estimates=estimates(**reaching)).verdict() == (
        "inconclusive",
        (
            f"{CORRECTED}; the interval of variogram, whittle reaches 0.5, so that neither "
            "roughness nor its absence is established"
        ),
    )


def test_an_estimate_without_an_interval_excludes_nothing():
    lone = estimates(variogram_corrected=estimate("variogram_corrected", 0.1, None))
    verdict, reason = evidence(estimates=lone).verdict()
    assert verdict == "rough"
    assert reason.startswith("H is 0.10 [0.00, 1.00] by variogram_corrected")
    # Nor does it contradict another.
    other = estimates(variogram=estimate("variogram", 0.1, None), whittle=estimate("whittle"))
    assert not any("do not overlap" in it for it in evidence(estimates=other).warnings())


@pytest.mark.parametrize(("over", "verdict"), [(2.0, "inconclusive"), (2.01, "rough")])
def test_one_factor_that_is_as_likely_leaves_it_open(over, verdict):
    found, reason = evidence(comparison=comparison(one=over)).verdict()
    assert found == verdict
    if verdict == "inconclusive":
        assert reason == (
            f"{CORRECTED}{BEFORE}, but Brownian log volatility (H = 0.5) that reverts to its mean "
            "and is observed with noise fits as well"
        )


FACTORS = "two factors with half-lives of 3.0 and 50 sessions"


@pytest.mark.parametrize(
    ("compared", "said"),
    [
        (
            comparison(two=-4.1),
            f"a fractional model is less likely than {FACTORS} by 4.1 nats",
        ),
        (
            comparison(two=-4.1, har=-5.2),
            "a fractional model is less likely than a HAR model of day, week and month by 5.2 nats",
        ),
        (
            comparison(har=-4.0),
            (
                f"{FACTORS} or a HAR model cannot be told from it: the log likelihood of a "
                "fractional model is +10.0 and -4.0 nats from theirs, and above -0.4 is asked"
            ),
        ),
        (
            comparison(two=-0.4, har=1.0),
            (
                f"{FACTORS} or a HAR model cannot be told from it: the log likelihood of a "
                "fractional model is -0.4 and +1.0 nats from theirs, and above -0.4 is asked"
            ),
        ),
        (
            comparison(two=3.0, noise=NoiseBounds()),
            (
                f"{FACTORS} or a HAR model cannot be told from it while the size of the noise is "
                "not known: the log likelihood of a fractional model is +3.0 and +10.0 nats from "
                "theirs, and above +4.0 is asked"
            ),
        ),
        (
            comparison(two=3.0, noise=NoiseBounds(), misfit=0.5),
            (
                f"{FACTORS} or a HAR model cannot be told from it with noise of any size, and the "
                "size that the measure should have does not fit: the log likelihood of a "
                "fractional model is +3.0 and +10.0 nats from theirs, and above +4.0 is asked"
            ),
        ),
    ],
)
def test_several_scales_says_which_rival_stays(compared, said):
    assert evidence(comparison=compared).verdict() == (
        "several_scales",
        f"{CORRECTED}{BEFORE}, but {said}",
    )


@pytest.mark.parametrize(("over", "verdict"), [(-4.0, "inconclusive"), (-4.1, "several_scales")])
def test_two_factors_plainly_likelier_win_whatever_intervals_say(over, verdict):
    reaching = estimates(whittle=estimate("whittle", 0.45, (0.3, 0.5)))
    given = evidence(estimates=reaching, comparison=comparison(one=0.0, two=over))
    assert given.verdict()[0] == verdict


def test_windows_and_averages_are_artefacts():
    step = np.diff(PATH)
    below = np.log(np.mean((PATH[11:] - PATH[:-11]) ** 2) / np.mean(step**2)) / (2 * np.log(11))
    found = evidence(window=22)
    assert found.verdict() == (
        "artefact",
        (
            "successive values share returns: increments 22 apart are correlated as those of a "
            f"rolling window of 22 are (-1/2), and H is {below:.2f} at lags below it because of "
            "the window, not of volatility"
        ),
    )
    assert not found.describes_volatility
    assert evidence(decay=0.94, window=22).verdict() == (
        "artefact",
        (
            "the path rises without limit and falls no faster than a weight of 0.940 on the past "
            "lets it: it is an exponential average, or a process that can fall no faster than a "
            "fixed rate, and either is smooth because of that"
        ),
    )
    assert evidence(measure="rolling_std").verdict() == (
        "artefact",
        (
            "rolling_std is made from overlapping windows: successive values share all returns but "
            "one, which makes the path smooth whatever volatility does"
        ),
    )
    assert evidence(path=np.cumsum(np.ones(300)) ** 0.5, window=2).verdict()[0] == "artefact"


def test_noise_alone_is_inconclusive():
    noise = np.random.default_rng(0).standard_normal(1_500)
    found = evidence(path=noise)
    assert found.noise_alone
    assert not found.describes_volatility
    assert found.verdict() == (
        "inconclusive",
        (
            "the series is indistinguishable from measurement noise: its values are not correlated "
            "with those of the sessions before, and noise has H = 0"
        ),
    )


@pytest.mark.parametrize("intraday_nobs", [1_000, 1])
def test_noise_that_leaves_nothing_is_inconclusive_with_its_reason(intraday_nobs):
    found = evidence(estimates=NO_CORRECTION, intraday_nobs=intraday_nobs)
    assert found.verdict() == ("inconclusive", "no size is declared")


def test_noise_of_unknown_size_leaves_something():
    assert not evidence(estimates=NO_CORRECTION, intraday_nobs=None).noise_alone
    assert not evidence(estimates=NO_CORRECTION, measure=None).noise_alone


NOT_TAKEN_OUT = (
    "measurement noise is not taken out (no size is declared); it pulls every estimate towards 0"
)
A_FLOOR = (
    "the noise taken out is that of prices that are Brownian within the day, a floor: with more "
    "noise H of the daily series is higher"
)
NOT_EXCLUDED = (
    "with noise of any size and mean reversion H = 0.5 is not excluded: whatever is concluded "
    "rests on the noise of the measure"
)
NO_OVERLAP = (
    "intervals of the estimators that ignore noise do not overlap: the series is not fractional "
    "Brownian motion over all scales"
)


@pytest.mark.parametrize(
    ("changed", "warnings"),
    [
        ({}, [A_FLOOR]),
        ({"estimates": NO_CORRECTION, "measure": None}, [NOT_TAKEN_OUT]),
        ({"upper_bound": 0.49}, [A_FLOOR]),
        ({"upper_bound": 0.5}, [A_FLOOR, NOT_EXCLUDED]),
        ({"estimates": estimates(whittle=estimate("whittle", 0.2, (0.15, 0.25)))}, [A_FLOOR]),
        (
            {"estimates": estimates(whittle=estimate("whittle", 0.2, (0.16, 0.25)))},
            [A_FLOOR, NO_OVERLAP],
        ),
        (
            {
                "estimates": estimates(
                    variogram_corrected=estimate("variogram_corrected", 0.4, (0.3, 0.45))
                )
            },
            [A_FLOOR],
        ),
        # Of a window, or of noise, nothing is said that describes volatility.
        (
            {
                "window": 22,
                "weekly_cycle": 5,
                "upper_bound": 1.0,
                "estimates": estimates(whittle=estimate("whittle", 0.2, (0.16, 0.25))),
            },
            [],
        ),
    ],
)
def test_warnings(changed, warnings):
    assert evidence(**changed).warnings() == warnings


def test_the_headline_is_the_corrected_estimate_where_there_is_one():
    assert evidence().headline().estimator == "variogram_corrected"
    assert evidence(estimates=NO_CORRECTION).headline().estimator == "whittle"


def test_memory_is_tested_by_ljung_and_box_at_one_percent():
    rng = np.random.default_rng(0)
    # A share of 0.15 of the value before leaves some on either side of the critical value.
    paths = autoregression(0.15, 300, rng, paths=100)
    theirs = [acorr_ljungbox(it, lags=[20])["lb_pvalue"].item() < 0.01 for it in paths]
    assert 10 < sum(theirs) < 90
    assert [has_memory(it) for it in paths] == theirs
