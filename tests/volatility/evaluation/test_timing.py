"""When a forecast is called late or early: each threshold, from both sides, by given reactions."""

from dataclasses import replace

import numpy as np
import pytest

from volatility.evaluation import alignment
from volatility.evaluation.alignment import (
    LAGS,
    MINIMUM_ROWS,
    WINDOW,
    Reaction,
    Sessions,
    Timing,
    examine,
)

NOBS = 200
FORECAST = np.exp(np.random.default_rng(0).standard_normal(NOBS + 1))
ERROR = 0.1


def reaction(weights: dict[int, float], explained: float = 0.5, error: float = ERROR) -> Reaction:
    """Coefficients by lag, zero elsewhere, and the same standard error for each."""
    coefficients = np.zeros(LAGS + 1)
    for lag, weight in weights.items():
        coefficients[lag] = weight
    return Reaction(coefficients, np.full(LAGS + 1, error), explained)


def timing(
    monkeypatch: pytest.MonkeyPatch,
    robust: Reaction,
    logs: Reaction | None = None,
    levels: Reaction | None = None,
    yesterday_matters: float = 100.0,
) -> Timing:
    """What is said of a forecast that reacts so in normal scores, logs and levels."""
    given = iter((robust, logs or robust, levels or robust))
    monkeypatch.setattr(alignment, "_react", lambda *_: next(given))
    rows = np.arange(1, NOBS + 1)
    sessions = Sessions(rows, None, None, None, yesterday_matters)
    return examine(FORECAST, sessions)


@pytest.mark.parametrize(("score", "lag"), [(3.0, 1), (2.99, None), (-3.0, None)])
def test_on_time_is_who_reacts_to_yesterday_by_three_errors(monkeypatch, score, lag):
    assert timing(monkeypatch, reaction({1: score * ERROR})) == Timing(lag)


@pytest.mark.parametrize("neighbour", [0, 2])
@pytest.mark.parametrize(("weight", "lag"), [(0.39, 1), (0.41, None)])
def test_on_time_is_nobody_who_reacts_more_to_a_neighbour_of_yesterday(
    monkeypatch, neighbour, weight, lag
):
    given = reaction({1: 0.4, neighbour: weight})
    assert timing(monkeypatch, given) == Timing(lag)


@pytest.mark.parametrize(
    ("weights", "lag"),
    [
        ({1: -0.41}, 1),  # a window may weigh its newest session below 0
        ({1: -0.41, 2: 2.0}, 1),
        ({1: 0.4}, None),  # four errors, as good as none
        ({0: 0.41, 1: 0.41}, None),
        ({0: 0.4, 1: 0.41}, 1),
        ({0: -0.41, 1: 2.0}, None),
    ],
)
def test_an_identity_is_on_time_with_yesterday_in_it_and_the_target_not(monkeypatch, weights, lag):
    assert timing(monkeypatch, reaction({}), levels=reaction(weights, 0.9)).information_lag == lag


@pytest.mark.parametrize(("explained", "lag"), [(0.6, 1), (0.4, None)])
def test_what_explains_most_may_tell_it_where_ranks_do_not(monkeypatch, explained, lag):
    other = reaction({1: 0.31}, explained)
    assert timing(monkeypatch, reaction({}), levels=other) == Timing(lag)
    assert timing(monkeypatch, reaction({}), logs=other) == Timing(lag)


# A difference of two coefficients has an error of 0.1 * sqrt(2) = 0.1414: four are 0.5657.
@pytest.mark.parametrize(
    ("day_before", "said"),
    [
        (0.565, Timing(None)),
        (0.566, Timing(2)),
        (0.848, Timing(2)),
        (0.849, Timing(2, beyond_doubt=True)),
        (-0.849, Timing(None)),
    ],
)
def test_late_is_who_reacts_to_the_day_before_yesterday(monkeypatch, day_before, said):
    assert timing(monkeypatch, reaction({2: day_before})) == said


@pytest.mark.parametrize(("explained", "lag"), [(0.9, 2), (0.89, None)])
def test_a_fall_after_a_rise_is_a_reaction_in_an_identity_alone(monkeypatch, explained, lag):
    given = reaction({2: -0.7}, explained)
    assert timing(monkeypatch, reaction({}), levels=given) == Timing(lag)


def test_a_reaction_that_explains_little_makes_nothing_late(monkeypatch):
    late = reaction({2: 0.7}, 0.4)
    assert timing(monkeypatch, reaction({}), late, late) == Timing(None)


@pytest.mark.parametrize(
    ("yesterday_matters", "in_logs", "said"),
    [
        (3.5, 0.0, Timing(2)),
        (3.4, 0.0, Timing(None)),
        (5.25, 0.0, Timing(2, beyond_doubt=True)),
        (5.2, 0.0, Timing(2)),
        (0.0, 0.29, Timing(None)),
        (0.0, 0.31, Timing(2)),
        (0.0, 0.46, Timing(2, beyond_doubt=True)),
    ],
)
def test_late_is_nobody_where_yesterday_tells_nothing(
    monkeypatch, yesterday_matters, in_logs, said
):
    robust, logs = reaction({2: 2.0}), reaction({2: in_logs}, 0.4)
    assert timing(monkeypatch, robust, logs, logs, yesterday_matters) == said


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("yesterday", "error", "ignores"),
    [(0.4, 0.1, True), (0.41, 0.1, False), (0.06, 0.01, True), (0.061, 0.01, False)],
)
def test_yesterday_is_ignored_up_to_four_errors_or_three_percent_of_the_largest(
    sign, yesterday, error, ignores
):
    given = reaction({1: sign * yesterday, 2: -2.0}, error=error)
    assert given.ignores(1) is ignores


@pytest.mark.parametrize("best", ["robust", "levels"])
def test_who_does_not_ignore_yesterday_is_not_late(monkeypatch, best):
    late, both = reaction({2: 2.0}), reaction({1: 0.7, 2: 2.0}, 0.6)
    given = {"robust": (both, late), "levels": (late, both)}[best]
    assert timing(monkeypatch, given[0], late, given[1]).information_lag is None


@pytest.mark.parametrize(
    ("oldest", "older", "ends"),
    [(0.57, 0.0, True), (0.56, 0.0, False), (-0.67, 0.1, True), (0.67, -0.11, False)],
)
def test_a_window_that_ends_in_time_is_that_of_no_late_forecast(monkeypatch, oldest, older, ends):
    given = reaction({2: 2.0, WINDOW + 1: oldest, WINDOW + 2: older}, 0.95)
    assert given.ends_in_time() is ends
    late = Timing(2, beyond_doubt=True)
    assert timing(monkeypatch, reaction({2: 2.0}), levels=given) == (Timing(None) if ends else late)
    inexact = given._replace(explained=0.89)
    assert timing(monkeypatch, reaction({2: 2.0}), levels=inexact) == late


# Of 200 revisions and 25 coefficients a score of s has the partial correlation s / sqrt(s² + 175):
# 0.98 at 65.15. In logs a score of 20 and a weight of 0.2 leave correlation² 0.696 and news of
# 3.48 times the revision, with an error of 0.174.
@pytest.mark.parametrize(
    ("score", "said"),
    [
        (4.99, Timing(None)),
        (5.0, Timing(0)),
        (-5.0, Timing(0)),
        (7.49, Timing(0)),
        (7.5, Timing(0, beyond_doubt=True)),
    ],
)
def test_early_is_who_reacts_to_the_target_by_five_errors(monkeypatch, score, said):
    logs = Reaction(reaction({0: 0.2}).coefficients, np.full(LAGS + 1, 0.01), 0.4)
    assert timing(monkeypatch, reaction({0: score * ERROR}), logs, logs) == said


@pytest.mark.parametrize(("before", "lag"), [(1.33, 0), (1.34, 1), (-1.33, 0), (-1.34, None)])
def test_early_reacts_to_the_target_no_less_than_to_three_quarters_of_any_day(
    monkeypatch, before, lag
):
    logs = reaction({0: 0.2}, 0.4, error=0.01)
    assert timing(monkeypatch, reaction({0: 1.0, 1: before}), logs, logs) == Timing(
        lag, beyond_doubt=lag == 0
    )


@pytest.mark.parametrize(("score", "lag"), [(65.2, 0), (65.1, None)])
def test_nobody_foresees_nearly_all_that_is_new(monkeypatch, score, lag):
    """News that a revision moves by in full are foreseen; unless they are all that is new."""
    logs = reaction({0: score * ERROR}, 0.4)
    found = timing(monkeypatch, reaction({0: 0.7}), logs, logs)
    assert found.information_lag == lag


@pytest.mark.parametrize(
    ("weight", "score", "lag"),
    [
        # correlation² = 100 / 275 = 0.3636; slope 0.3636 / weight, its error a tenth of that:
        # (slope - 1.5) / error = 10 - 15 weight / 0.3636, which is 3 at a weight of 0.1697.
        (0.169, 10.0, 0),
        (0.171, 10.0, None),
        # A slope below 0 is 10 errors below it, whatever it is.
        (-0.171, -10.0, 0),
        (-0.171, -2.9, None),
        (-0.171, -3.1, 0),
    ],
)
def test_early_moves_by_less_than_the_news(monkeypatch, weight, score, lag):
    logs = reaction({0: weight}, 0.4, error=weight / score)
    assert timing(monkeypatch, reaction({0: 0.7}), logs, logs).information_lag == lag


def test_who_does_not_react_to_the_target_in_logs_is_not_early(monkeypatch):
    logs = reaction({0: 0.0}, 0.4)
    assert timing(monkeypatch, reaction({0: 0.7}), logs, logs) == Timing(None)


def test_early_goes_before_late(monkeypatch):
    logs = reaction({0: 0.1, 2: 0.5}, 0.4, error=0.005)
    found = timing(monkeypatch, reaction({0: 0.7, 2: 0.8}), logs, logs)
    assert found.information_lag == 0


def test_a_reaction_is_that_of_least_squares():
    rng = np.random.default_rng(1)
    values = np.exp(0.5 * rng.standard_normal(300))
    at = np.arange(LAGS, 300)
    revisions = rng.standard_normal(len(at)) + 3.0 * values[at] - 2.0 * values[at - 2]
    regressors = alignment._regressors(values, at, np.ones((len(at), 1)))
    found = alignment._react(revisions, regressors)
    design = np.column_stack([values[at[:, None] - np.arange(LAGS + 1)], np.ones(len(at))])
    coefficients, [residual], *_ = np.linalg.lstsq(design, revisions, rcond=None)
    variance = residual / (len(at) - design.shape[1])
    errors = np.sqrt(variance * np.diag(np.linalg.inv(design.T @ design)))
    assert found.coefficients == pytest.approx(coefficients[:-1])
    assert found.errors == pytest.approx(errors[:-1])
    assert found.explained == pytest.approx(
        1 - residual / np.sum((revisions - revisions.mean()) ** 2)
    )
    assert found.scores == pytest.approx((coefficients / errors)[:-1])


def test_sessions_need_sixty_revisions_beyond_their_lags():
    rng = np.random.default_rng(2)
    rv = np.exp(rng.standard_normal(LAGS + MINIMUM_ROWS + LAGS))
    assert MINIMUM_ROWS == 60
    found = Sessions.of(rv)
    assert found is not None
    assert found.rows.tolist() == list(range(LAGS, len(rv)))
    assert Sessions.of(rv[1:]) is None
    targets = np.arange(3, len(rv))
    assert Sessions.of(rv, targets=targets[1:]) is not None
    late = Sessions.of(rv, targets=targets)
    assert late is not None
    assert late.rows.tolist() == list(range(LAGS - 3, len(targets)))
    assert replace(late, rows=found.rows).logs.basis == pytest.approx(found.logs.basis)


def test_yesterday_s_weight_is_that_of_har_in_standard_errors():
    rng = np.random.default_rng(3)
    log_rv = np.cumsum(0.2 * rng.standard_normal(200)) + rng.standard_normal(200)
    design = np.array(
        [
            [1.0, log_rv[t - 1], log_rv[t - 5 : t].mean(), log_rv[t - WINDOW : t].mean()]
            for t in range(WINDOW, 200)
        ]
    )
    coefficients, [residual], *_ = np.linalg.lstsq(design, log_rv[WINDOW:], rcond=None)
    covariance = residual / (len(design) - 4) * np.linalg.inv(design.T @ design)
    weights = np.array([0.0, 1.0, 1 / 5, 1 / WINDOW])
    score = weights @ coefficients / np.sqrt(weights @ covariance @ weights)
    assert alignment._score_of_yesterday(log_rv) == pytest.approx(score)
