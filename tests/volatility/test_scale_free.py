"""What a model for every asset sees of a history."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from volatility.scale_free import (
    ENCODED,
    KINDS,
    MINIMUM,
    REGRESSORS,
    Circumstances,
    Seen,
    scale_free,
    usual_kind,
)
from volatility.trailing import SESSIONS


def histories(rows: int, seed: int = 0, length: int = SESSIONS) -> Seen:
    rng = np.random.default_rng(seed)
    log_rv = -9 + rng.normal(size=(rows, SESSIONS))
    deviation = np.exp(log_rv / 2)
    parts = (
        log_rv,
        deviation * rng.normal(size=log_rv.shape),
        0.3 * deviation * rng.normal(size=log_rv.shape),
        0.2 * rng.normal(size=log_rv.shape),
    )
    there = np.arange(SESSIONS) >= SESSIONS - length
    return Seen(*(np.where(there, part, np.nan) for part in parts))


def circumstances(rows: int, kind: str = "stock") -> Circumstances:
    kinds = np.tile([float(kind == it) for it in KINDS], (rows, 1))
    return Circumstances(kinds, np.zeros(rows, bool), np.full(rows, 3), np.full(rows, 4))


def test_every_regressor_has_a_name():
    made = scale_free(histories(3), circumstances(3))
    assert made.regressors.shape == (3, len(REGRESSORS))
    assert len(set(REGRESSORS)) == len(REGRESSORS)
    assert made.sequence.shape == (3, ENCODED, 4)
    assert np.isfinite(made.regressors).all()
    assert np.isfinite(made.sequence).all()


@pytest.mark.parametrize("length", [MINIMUM, 60, SESSIONS])
def test_nothing_of_the_level_is_left(length):
    seen = histories(4, length=length)
    larger = Seen(seen.log_rv + 2 * np.log(7), 7 * seen.returns, 7 * seen.nights, seen.ranges)
    one, other = (scale_free(it, circumstances(4)) for it in (seen, larger))
    assert other.level == pytest.approx(one.level + 2 * np.log(7), abs=1e-12)
    np.testing.assert_allclose(other.regressors, one.regressors, atol=1e-9)
    np.testing.assert_allclose(other.sequence, one.sequence, atol=1e-9)


@given(st.integers(MINIMUM, SESSIONS), st.integers(2, 40))
def test_a_row_has_the_same_bits_alone_and_among_others(length, rows):
    short, others = histories(1, seed=length, length=length), histories(rows, seed=1)
    together = Seen(*(np.vstack(pair) for pair in zip(others, short, strict=True)))
    alone = scale_free(short, circumstances(1))
    among = scale_free(together, circumstances(rows + 1))
    np.testing.assert_array_equal(among.regressors[-1], alone.regressors[0])
    np.testing.assert_array_equal(among.sequence[-1], alone.sequence[0])
    assert among.level[-1] == alone.level[0]


def test_regressors_by_hand():
    # log rv is 1 in the newest session and 0 before: the slow mean is w_0 over the sum of weights
    log_rv = np.zeros((1, SESSIONS))
    log_rv[0, -1] = 1.0
    nothing = np.zeros((1, SESSIONS))
    returns = nothing.copy()
    returns[0, -1] = -2.0
    made = scale_free(Seen(log_rv, returns, nothing, nothing), circumstances(1))
    value = dict(zip(REGRESSORS, made.regressors[0], strict=True))
    slow = 1 / ((125 / 126) ** np.arange(SESSIONS)).sum()
    assert made.level[0] == pytest.approx(slow)
    assert value["last_1"] == pytest.approx(1 - slow)
    assert value["last_2"] == pytest.approx(-slow)
    # centre of mass 1 gives the newest half of the weight
    assert value["mean_1"] == pytest.approx(0.5 - slow)
    # the trailing mean square of returns is 4 / 26, over an (almost endless) exponential
    weights = (25 / 26) ** np.arange(SESSIONS)
    assert value["fall_1"] == pytest.approx(-2 / np.sqrt(4 / weights.sum()))
    assert value["rise_1"] == 0
    assert value["fall_5"] == pytest.approx(value["fall_1"] / np.sqrt(5))
    assert value["size_1"] == -value["fall_1"]
    assert value["length"] == 0
    assert (value["stock"], value["crypto"]) == (1, 0)
    assert (value["after_thursday"], value["for_friday"], value["for_monday"]) == (1, 1, 0)


def test_a_price_that_does_not_close_anywhere_else_is_measured_by_its_range():
    seen = histories(2)
    still = seen._replace(returns=np.zeros_like(seen.returns), nights=np.zeros_like(seen.nights))
    made = scale_free(still, circumstances(2))
    assert np.isfinite(made.regressors).all()


def test_usual_kinds():
    assert [usual_kind(it) for it in ("24/7", "24/5", "XLON")] == ["crypto", "fx", "stock"]
