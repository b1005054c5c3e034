import gzip
from importlib import resources

import numpy as np
import pytest

from tests.volatility.prices import NOW
from volatility import datasets
from volatility.bars import validate
from volatility.calendars import get_calendar
from volatility.errors import UnknownAsset
from volatility.plausibility import check_series
from volatility.series import daily_series

BARS = {"SPX": 5_105, "BTC-USD": 2_522, "BTC-USD-1H": 20_111, "ETH-USD": 1_319}
SPANS = {
    "SPX": ("2000-01-03", "2020-04-17"),
    "BTC-USD": ("2014-11-28", "2021-10-27"),
    "BTC-USD-1H": ("2017-07-01", "2019-10-17"),
    "ETH-USD": ("2016-05-27", "2020-01-17"),
}
# Sessions with rv: zero-range days (BTC-USD 9, ETH-USD 1) and incomplete ones (the first and the
# last day of BTC-USD-1H) have none.
SESSIONS = {"SPX": 5_105, "BTC-USD": 2_513, "BTC-USD-1H": 837, "ETH-USD": 1_318}
MISSING = {
    "SPX": [],
    "BTC-USD": ["2020-04-17", "2020-10-09", "2020-10-12", "2020-10-13"],
    "BTC-USD-1H": [],
    "ETH-USD": [f"2019-03-{day}" for day in range(20, 32)],
}


@pytest.fixture(scope="module", params=datasets.NAMES)
def dataset(request):
    return datasets.load(request.param)


def test_the_datasets_are_those_of_the_design():
    assert tuple(BARS) == datasets.NAMES


def test_bars_and_span(dataset):
    assert len(dataset.bars) == BARS[dataset.name]
    first, last = dataset.bars.dates[[0, -1]].astype(str)
    assert (first, last) == SPANS[dataset.name]
    assert dataset.bars.interval == (3_600 if dataset.name == "BTC-USD-1H" else 86_400)


def test_bars_are_valid_and_missing_days_stay_missing(dataset):
    calendar = get_calendar(dataset.calendar)
    findings = {finding.code: finding for finding in validate(dataset.bars, calendar, NOW)}
    missing = MISSING[dataset.name]
    assert list(calendar.missing_sessions(dataset.bars.dates).astype(str)) == missing
    assert ("missing_sessions" in findings) == bool(missing)
    if missing:
        assert findings["missing_sessions"].count == len(missing)


def test_daily_rv(dataset):
    calendar = get_calendar(dataset.calendar)
    series, findings = daily_series(dataset.bars, dataset.measure, calendar)
    check_series(series, calendar, NOW)
    assert len(series) == SESSIONS[dataset.name]
    left_out = sum(finding.count for finding in findings)
    assert len(np.unique(dataset.bars.dates)) == len(series) + left_out


def test_every_date_of_spx_is_a_session_of_new_york():
    bars = datasets.load("SPX").bars
    sessions = get_calendar("XNYS").sessions(bars.dates[0], bars.dates[-1])
    assert (bars.dates == sessions).all()


def test_hourly_bars_have_no_gaps():
    stamps = datasets.load("BTC-USD-1H").bars.timestamps
    assert str(stamps[0]) == "2017-07-01T11:00:00"
    assert str(stamps[-1]) == "2019-10-17T09:00:00"
    assert (np.diff(stamps) == np.timedelta64(1, "h")).all()


@pytest.mark.parametrize(
    ("name", "date", "close"),
    [
        ("SPX", "2018-12-24", 2351.10),
        ("BTC-USD", "2017-12-17", 18_953),
        ("BTC-USD", "2020-03-12", 4970.79),
    ],
)
def test_prices_that_are_known(name, date, close):
    bars = datasets.load(name).bars
    (place,) = np.flatnonzero(bars.dates == np.datetime64(date))
    assert bars.close[place] == pytest.approx(close, abs=0.005)


def test_the_misprint_of_ether_is_said():
    # 2017-06-21: a low of 0.10 under a high of 352; its rv is 22,000 times the median.
    dataset = datasets.load("ETH-USD")
    findings = validate(dataset.bars, get_calendar("24/7"), NOW)
    (extreme,) = (finding for finding in findings if finding.code == "extreme_range")
    assert "low 0.1 under a high of 352.0" in extreme.found
    assert "(2017-06-21)" in extreme.found
    assert extreme.count == 1


def test_provenance_is_shipped():
    sources = resources.files(datasets).joinpath("SOURCES.md").read_text(encoding="utf-8")
    for name in datasets.NAMES:
        assert datasets.load(name).sha256 in sources
        assert datasets.load(name).source


def test_an_unknown_dataset():
    with pytest.raises(UnknownAsset, match="there is no dataset 'DOGE'; needed: one of SPX, BTC"):
        datasets.load("DOGE")


def test_a_changed_file_is_refused(monkeypatch, tmp_path):
    for file in resources.files(datasets).iterdir():
        if file.name.endswith(".csv.gz"):
            (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr("volatility.datasets.resources.files", lambda _: tmp_path)
    assert len(datasets.load("ETH-USD").bars) == 1_319
    damaged = tmp_path / "eth_daily.csv.gz"
    damaged.write_bytes(gzip.compress(gzip.decompress(damaged.read_bytes()) + b"\n"))
    with pytest.raises(datasets.DamagedDataset, match=r"eth_daily\.csv\.gz has sha256") as caught:
        datasets.load("ETH-USD")
    assert caught.value.code == "damaged_dataset"
