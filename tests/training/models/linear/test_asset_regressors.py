"""Sessions as models see them."""

import pytest

from tests.training.simulated import make_seasonal_asset
from training.models.linear.asset_regressors import AssetRegressors


@pytest.mark.parametrize(("lookback", "horizon"), [(1, 1), (22, 1), (22, 5)])
def test_rows_begin_with_the_first_whole_window(lookback: int, horizon: int) -> None:
    asset = make_seasonal_asset({}, 40)
    rows = AssetRegressors(asset).rows(lookback, horizon)
    dates = asset.series.dates
    assert rows.as_of.tolist() == dates[lookback - 1 : -horizon].tolist()
