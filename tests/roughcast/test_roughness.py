from typing import Any

import numpy as np
import pandas as pd
import pytest

import roughcast
from roughcast.frames import to_series
from roughcast.results.hurst import HurstReport
from tests.models_store.artifacts import make_series
from tests.service.client import TestClient
from tests.service.worlds import ASSET
from volatility.errors import InvalidInput, UnknownMeasure


def test_it_is_what_the_service_answers(service: TestClient) -> None:
    answer = service.get(f"/hurst/{ASSET}").json()
    rv = to_series(make_series())
    rv.attrs = {"asset": ASSET, "calendar": "24/7", "kind": "crypto"}
    found, expected = roughcast.hurst(rv), HurstReport.of_answer(answer)
    assert found.verdict == expected.verdict
    numbers = found.to_frame().to_numpy(), expected.to_frame().to_numpy()
    assert numbers[0] == pytest.approx(numbers[1], rel=1e-9, nan_ok=True)
    assert found.hurst == pytest.approx(expected.hurst)
    exact = ("asset", "nobs", "measure", "headline_estimator", "reason", "warnings")
    assert [getattr(found, it) for it in exact] == [getattr(expected, it) for it in exact]
    assert found.upper_bound == pytest.approx(expected.upper_bound)
    told, said = (
        [(it.estimator, it.level, it.reason) for it in report.estimates]
        for report in (found, expected)
    )
    assert told == said
    points = [np.array(it.estimates[0].points) for it in (found, expected)]
    assert points[0] == pytest.approx(points[1])


def test_it_shows_a_row_an_estimator(rv: pd.Series) -> None:
    found = roughcast.hurst(rv)
    frame: Any = found.to_frame()
    assert frame.index.tolist()[-1] == "variogram_corrected"
    assert (frame["lower"] < frame["hurst"]).all()
    assert found.verdict in repr(found)
    assert "<td>whittle</td>" in found._repr_html_()
    axes: Any = found.plot()
    assert [it.get_text() for it in axes.get_yticklabels()] == frame.index.tolist()[::-1]


def test_what_is_no_measure_and_no_number_of_returns_is_refused(rv: pd.Series) -> None:
    with pytest.raises(UnknownMeasure):
        roughcast.hurst(rv, measure="foo")
    for wrong in (0, -3, 2.5, "78"):
        with pytest.raises(InvalidInput) as refused:
            roughcast.hurst(rv, intraday_nobs=wrong)  # type: ignore[arg-type]
        assert (refused.value.field, refused.value.found) == ("intraday_nobs", wrong)


def test_a_measure_that_is_not_known_stays_uncorrected(rv: pd.Series) -> None:
    bare = pd.Series(rv.to_numpy(), rv.index)
    found = roughcast.hurst(bare)
    assert found.measure is None
    assert found.to_frame()["hurst"].isna().tolist() == [False] * 5 + [True]
    assert found.warnings[0].startswith("calendar 24/7 and kind crypto are inferred")
