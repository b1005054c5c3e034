import pytest

from volatility.regressor_groups import GROUPS, group_of
from volatility.scale_free import REGRESSORS


@pytest.mark.parametrize(
    ("regressor", "group"),
    [
        ("mean_22", "recent_volatility"),
        ("mean_66", "level"),
        ("mean_5:continuous", "recent_volatility"),
        ("exponential_mean_25", "recent_volatility"),
        ("exponential_mean_125", "level"),
        ("departure_0", "recent_volatility"),
        ("level_departure_5", "recent_volatility"),
        ("ewma_0.94", "recent_volatility"),
        ("rough_5", "recent_volatility"),
        ("return_squares", "recent_volatility"),
        ("negative_return_squares", "leverage"),
        ("negative_mean_5:return", "leverage"),
        ("negative_shock_22:return", "leverage"),
        ("absolute_shock_1:return", "return_size"),
        ("negative_shock_1:overnight_return", "night"),
        ("departure_5:range_ratio", "range"),
        ("spread_22", "volatility_of_volatility"),
        ("level_125", "level"),
        ("mean_5:crypto", "recent_volatility"),
        ("fall_1:length", "leverage"),
        ("night_fall", "night"),
        ("range_1:parkinson", "range"),
        ("departure_5:VIX:log_rv", "companions"),
        ("negative_shock_1:BTC-USD:return", "companions"),
        ("for_half_day", "calendar"),
        ("after_monday", "calendar"),
        ("crypto", "asset"),
        ("length", "asset"),
    ],
)
def test_a_regressor_is_in_the_group_of_what_it_says(regressor: str, group: str) -> None:
    assert group_of(regressor) == group


def test_every_regressor_of_the_model_for_every_asset_has_a_group() -> None:
    assert {group_of(name) for name in REGRESSORS} <= set(GROUPS) - {"other"}


@pytest.mark.parametrize("name", ["", "moon_5", "mean_5:moon", "mean"])
def test_an_unknown_name_is_in_no_other_group(name: str) -> None:
    assert group_of(name) == "other"
