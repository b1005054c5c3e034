import numpy as np

from volatility.evaluation.breaks import AFTERMATH, BREAKS, SPAN, after_breaks


def test_a_step_is_a_break_and_its_session_the_first_after_it():
    values = np.zeros(300)
    values[150:] = 1.0
    near = np.abs(np.arange(300) - 150) < 30
    np.testing.assert_array_equal(
        np.flatnonzero(after_breaks(values, near)), np.arange(150, 150 + AFTERMATH)
    )


def test_the_largest_are_taken_whatever_their_direction():
    values = np.zeros(2000)
    starts = np.arange(100, 1900, 150)
    heights = np.array([1.0, 7.0, -2.0, 6.0, 1.5, -8.0, 0.5, 9.0, 1.2, -5.0, 0.7, 0.9])
    for start, height in zip(starts, heights, strict=True):
        values[start:] += height
    expected = np.zeros(2000, dtype=bool)
    for start in starts[np.argsort(-np.abs(heights))[:BREAKS]]:
        expected[start : start + AFTERMATH] = True
    np.testing.assert_array_equal(after_breaks(values), expected)


def test_breaks_are_looked_for_where_scores_are_taken():
    values = np.zeros(400)
    values[100:] = 5.0
    values[300:] += 1.0
    scored = np.arange(400) >= 200
    after = after_breaks(values, scored)
    assert after[300:360].all()
    assert not after[:200].any()


def test_a_series_of_less_than_two_spans_has_none():
    assert not after_breaks(np.arange(2.0 * SPAN - 1)).any()
    assert after_breaks(np.arange(2.0 * SPAN)).any()
