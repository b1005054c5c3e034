from datetime import UTC, datetime

import numpy as np
import pytest

from volatility.calendars import get_calendar
from volatility.errors import ImplausibleUnit, InvalidSeries, OutsideCalendar
from volatility.plausibility import DOUBTFUL_VOLATILITY, check_series, unit_doubt
from volatility.series import DatedSeries, RealizedSeries

CRYPTO = get_calendar("24/7")
NOW = datetime(2021, 1, 5, 12, tzinfo=UTC)  # 2021-01-04 is the last session that has closed
DATES = np.arange("2021-01-01", "2021-01-05", dtype="datetime64[D]")
RV = np.array([1e-4, 4e-4, 9e-4, 16e-4])


def series(rv=RV, dates=DATES):
    return DatedSeries(rv, "parkinson", dates)


def refusal(rv=RV, dates=DATES):
    with pytest.raises(InvalidSeries) as caught:
        check_series(series(rv, dates), CRYPTO, NOW)
    return caught.value


def replaced(values, index, value):
    copy = values.copy()
    copy[index] = value
    return copy


def test_a_good_series_passes():
    for good in (series(), RealizedSeries(RV, "parkinson")):
        kept = good.rv.copy()
        check_series(good)  # no error is the point,
        check_series(good, CRYPTO, NOW)
        assert (good.rv == kept).all()  # and that nothing is mended


@pytest.mark.parametrize("kind", DOUBTFUL_VOLATILITY)
def test_a_median_that_no_asset_of_a_kind_has_is_doubted(kind):
    bound = DOUBTFUL_VOLATILITY[kind] ** 2 / 252
    assert unit_doubt(series(np.full(4, 0.999 * bound)), kind, 252) is None
    assert f"of kind {kind}" in unit_doubt(series(np.full(4, 1.001 * bound)), kind, 252)
    calm = np.array([1e-4, 1e-4, 1e-4, 0.2])  # a day is not doubted
    assert unit_doubt(series(calm), kind, 252) is None


def test_units():
    # sqrt(0.0004) = 2 % a day.
    assert series().volatility[1] == pytest.approx(0.02, rel=1e-15)
    assert series().log_rv[1] == np.log(4e-4)
    assert len(series()) == 4


def test_until_is_what_was_known():
    known = series().until(np.datetime64("2021-01-02"))
    assert list(known.rv) == [1e-4, 4e-4]
    assert known.dates[-1] == np.datetime64("2021-01-02")
    assert len(series().until(np.datetime64("2020-12-31"))) == 0
    assert len(series().until(np.datetime64("2030-01-01"))) == 4


def test_tail():
    assert list(series().tail(3).rv) == [4e-4, 9e-4, 16e-4]
    assert series().tail(3).dates[0] == np.datetime64("2021-01-02")
    assert len(series().tail(9)) == 4
    assert len(series().tail(0)) == 0
    assert list(RealizedSeries(RV, "parkinson").tail(2).rv) == [9e-4, 16e-4]


def test_sha256_is_canonical():
    # Fixed for ever: manifests carry it. hashlib.sha256 of b"parkinson\n4\n", four little-endian
    # int64 days since 1970 and four little-endian float64.
    expected = "3b267cb3138414d7a2420a9e6a96cb8865a172e4c8e282d27ae9e0da2ad9ae46"
    assert series().sha256 == expected
    strided = np.repeat(RV, 2)[::2].astype(">f8")
    assert series(strided, DATES.astype("datetime64[s]")).sha256 == expected


def test_sha256_covers_everything():
    digests = {
        series().sha256,
        DatedSeries(RV, "garman_klass", DATES).sha256,
        RealizedSeries(RV, "parkinson").sha256,
        series(replaced(RV, 2, np.nextafter(RV[2], 1))).sha256,
        series(dates=DATES + 1).sha256,
        series().tail(3).sha256,
    }
    assert len(digests) == 6


@pytest.mark.parametrize(
    "make",
    [
        lambda: series(RV[:3], DATES),
        lambda: series(RV.reshape(2, 2), DATES),
        lambda: RealizedSeries(RV.reshape(2, 2), "parkinson"),
    ],
)
def test_shapes_that_do_not_match(make):
    with pytest.raises(InvalidSeries, match="needed: one list of values") as caught:
        make()
    assert caught.value.code == "length_mismatch"


def test_empty_history():
    assert refusal(RV[:0], DATES[:0]).code == "empty_history"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_non_finite_rv(value):
    error = refusal(replaced(RV, 2, value))
    assert error.code == "non_finite_rv"
    assert f"found {value} at position 2 (2021-01-03); needed: finite values" in str(error)


@pytest.mark.parametrize("value", [0.0, -1e-4])
def test_non_positive_rv(value):
    error = refusal(replaced(RV, 2, value))
    assert error.code == "non_positive_rv"
    assert error.found == value
    assert f"found {value} at position 2 (2021-01-03)" in str(error)


def test_without_dates_the_position_is_given():
    with pytest.raises(InvalidSeries, match=r"at position 1 \(no date\), the first of 2;"):
        check_series(RealizedSeries(np.array([1e-4, -1.0, -1.0]), "parkinson"))


def test_percent_looks_like_percent():
    with pytest.raises(ImplausibleUnit, match=r"median rv is 6\.5, which looks like percent") as e:
        check_series(series(RV * 1e4))
    assert e.value.code == "implausible_unit"
    check_series(series(RV * 100))  # 10 % to 40 % a day: wild, and possible


def test_duplicate_dates():
    error = refusal(dates=DATES[[0, 1, 1, 2]])
    assert error.code == "duplicate_dates"
    assert "found 2021-01-02 at position 2" in str(error)


def test_unsorted_dates():
    error = refusal(dates=DATES[[0, 2, 1, 3]])
    assert error.code == "unsorted_dates"
    assert "found 2021-01-02 at position 2" in str(error)


def test_an_empty_date():
    assert refusal(dates=replaced(DATES, 1, np.datetime64("NaT"))).code == "invalid_dates"


def test_future_dates():
    error = refusal(dates=DATES + 1)
    assert error.code == "future_dates"
    assert "found 2021-01-05 at position 3" in str(error)
    assert "up to 2021-01-04" in str(error)


def test_not_a_session():
    with pytest.raises(InvalidSeries, match="found 2021-01-01 at position 0") as caught:
        check_series(series(), get_calendar("XNYS"))
    assert caught.value.code == "not_a_session"


def test_dates_before_the_calendar_begins():
    with pytest.raises(OutsideCalendar, match="1985-01-02"):
        check_series(series(dates=np.datetime64("1985-01-02") + np.arange(4)), get_calendar("XNYS"))


RETURNS = np.array([0.01, -0.02, 0.0, 0.03])


def wide(**columns):
    return DatedSeries(RV, "parkinson", DATES, columns=columns or {"return": RETURNS})


def test_columns_are_cut_as_rv_is():
    assert list(wide().until(DATES[1]).columns["return"]) == [0.01, -0.02]
    assert list(wide().tail(3).columns["return"]) == [-0.02, 0.0, 0.03]
    assert list(wide().tail(3).until(DATES[2]).columns["return"]) == [-0.02, 0.0]


def test_select_keeps_the_columns_that_are_asked_for():
    both = wide(**{"return": RETURNS, "jump": RV})
    assert list(both.select(["jump", "continuous"]).columns) == ["jump"]
    assert dict(both.select(()).columns) == {}
    assert both.select(()).sha256 == series().sha256


def test_sha256_covers_columns_by_name_in_any_order():
    assert len({series().sha256, wide().sha256, wide(jump=RETURNS).sha256}) == 3
    assert wide(**{"return": 2 * RETURNS}).sha256 != wide().sha256
    one, other = wide(**{"return": RETURNS, "jump": RV}), wide(**{"jump": RV, "return": RETURNS})
    assert one.sha256 == other.sha256


def test_a_column_has_a_finite_value_for_each_session():
    with pytest.raises(InvalidSeries, match=r"column return has shape \(3,\)") as caught:
        wide(**{"return": RETURNS[:3]})
    assert (caught.value.code, caught.value.field) == ("length_mismatch", "return")
    with pytest.raises(InvalidSeries, match="found nan at position 2") as caught:
        wide(**{"return": replaced(RETURNS, 2, np.nan)})
    assert (caught.value.code, caught.value.field) == ("non_finite_column", "return")


@pytest.mark.parametrize("rv", [[1, 2], (1.0, 2.0), np.array([1, 2], np.float32)])
def test_values_of_any_kind_become_doubles(rv):
    series = RealizedSeries(rv, "garman_klass", columns={"return": rv})
    for values in (series.rv, series.columns["return"]):
        assert isinstance(values, np.ndarray)
        assert values.dtype == np.float64
        assert values.tolist() == [1.0, 2.0]
    doubles = np.array([1.0, 2.0])
    assert RealizedSeries(doubles, "garman_klass").rv is doubles
