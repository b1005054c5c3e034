"""Several models' forecasts as one, by hand."""

import numpy as np
import pytest

from volatility.errors import MisalignedForecasts
from volatility.evaluation.combination import combine
from volatility.evaluation.tracks import ForecastTrack

DAYS = np.arange("2021-01-01", "2021-01-06", dtype="datetime64[D]")
RV = np.array([1e-4, 2e-4, 3e-4, 4e-4, 5e-4])


def track(model: str, forecast: list[float], first: int = 0, horizon: int = 1) -> ForecastTrack:
    rows = slice(first, first + len(forecast))
    return ForecastTrack(
        model, DAYS[rows] - 1, DAYS[rows], np.array(forecast), RV[rows], horizon=horizon
    )


def test_it_is_the_mean_in_logs_on_the_dates_that_all_have() -> None:
    members = [
        track("one", [9e-4, 1e-4, 4e-4, 1e-4]),
        track("two", [4e-4, 1e-4, 9e-4], first=1),
    ]
    found = combine("both", members)
    # Second to fourth day: sqrt(1 * 4), sqrt(4 * 1), sqrt(1 * 9).
    assert found.forecast == pytest.approx([2e-4, 2e-4, 3e-4])
    assert found.model == "both"
    assert (found.target_dates == DAYS[1:4]).all()
    assert (found.as_of == DAYS[0:3]).all()
    assert (found.rv == RV[1:4]).all()
    assert found.horizon == 1
    assert combine("both", members[::-1]).forecast == pytest.approx(found.forecast)


def test_each_member_counts_alike() -> None:
    members = [track(name, [it]) for name, it in (("a", 1e-4), ("b", 1e-4), ("c", 8e-4))]
    assert combine("all", members).forecast == pytest.approx([2e-4])  # the third root of 8
    assert combine("alone", members[2:]).forecast == pytest.approx([8e-4])


def test_horizons_are_those_of_the_members() -> None:
    members = [track("one", [1e-4], horizon=5), track("two", [4e-4], horizon=5)]
    assert combine("both", members).horizon == 5
    with pytest.raises(MisalignedForecasts):
        combine("both", [members[0], track("two", [4e-4])])
