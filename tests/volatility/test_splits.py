import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.volatility.prices import NOW, changed, make_bars
from volatility import datasets
from volatility.bars import PRICES, validate
from volatility.calendars import get_calendar
from volatility.splits import FACTORS, split_factors

CRYPTO = get_calendar("24/7")
CHANGES = [float(factor) for factor in FACTORS] + [1 / factor for factor in FACTORS]


def split(bars, at, change):
    """The bars with prices multiplied from one on."""
    scale = np.where(np.arange(len(bars)) >= at, change, 1.0)
    return changed(bars, **{name: getattr(bars, name) * scale for name in PRICES})


def factors_of(bars):
    return split_factors(*(getattr(bars, name) for name in PRICES))


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("at", [1, 20, 39])
def test_a_split_is_seen_where_it_is(change, at):
    found = factors_of(split(make_bars(), at, change))
    assert np.flatnonzero(np.isfinite(found)).tolist() == [at]
    assert found[at] == pytest.approx(change, rel=1e-12)


@given(st.floats(-0.09, 0.09), st.sampled_from(CHANGES))
def test_the_night_comes_on_top_of_the_split(night, change):
    found = factors_of(split(make_bars(30), 27, change * np.exp(night)))
    assert np.isfinite(found).sum() == 1


def test_a_jump_by_another_factor_is_none():
    for change in (1.5, 0.7, 12.3, 35.0, 1 / 35):
        assert not np.isfinite(factors_of(split(make_bars(), 20, change))).any()


def test_a_crash_is_none_since_bars_are_as_long_as_it():
    bars = split(make_bars(), 20, 0.5)
    low = bars.low.copy()
    low[20] *= 0.8  # 22 % within the session, a third of the jump
    assert not np.isfinite(factors_of(changed(bars, low=low))).any()


def test_one_bar_and_none():
    assert np.isnan(factors_of(make_bars(1))).all()
    assert len(factors_of(make_bars(0))) == 0


def test_validation_warns_of_it():
    bars = split(make_bars(), 20, 0.2)
    (finding,) = validate(bars, CRYPTO, NOW)
    assert (finding.code, finding.severity, finding.field) == ("split_like_jump", "warning", "open")
    assert (finding.index, finding.count) == (20, 1)
    assert f"open {bars.open[20]} after a close of {bars.close[19]}, about 0.2 times" in str(
        finding
    )
    assert "adjusted for splits" in str(finding)
    assert "split_like_jump" not in {it.code for it in validate(make_bars(), CRYPTO, NOW)}


@pytest.mark.parametrize("asset", datasets.NAMES)
def test_nothing_that_is_shipped_looks_like_a_split(asset):
    dataset = datasets.load(asset)
    findings = validate(dataset.bars, get_calendar(dataset.calendar), NOW)
    assert "split_like_jump" not in {finding.code for finding in findings}
    assert not np.isfinite(factors_of(dataset.bars)).any()


def test_splits_of_a_real_share_are_seen_amid_its_own_moves():
    spx = datasets.load("SPX").bars
    seen = 0
    for at in range(300, len(spx), 100):
        near = slice(at - 6, at + 6)
        part = split(spx.where(near), 6, 0.5)
        seen += np.isfinite(factors_of(part)[6])
    assert seen == len(range(300, len(spx), 100))
