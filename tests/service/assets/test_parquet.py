"""Bars as Parquet: what a retrain reads, or a clear refusal."""

import io

import numpy as np
import pandas as pd
import pytest

from service.assets import parquet
from service.assets.parquet import as_parquet
from service.assets.reading import PARQUET
from tests.models_store.artifacts import make_series
from tests.service.client import TestClient
from tests.service.worlds import ASSET, bars_of
from volatility.bars import PRICES, Bars

BARS = bars_of(make_series())
PATH = f"/assets/{ASSET}/bars"


def read(content: bytes) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(content))


def test_a_page_is_given_out_bit_for_bit(client: TestClient) -> None:
    answer = client.get(f"{PATH}?limit=7", headers={"accept": PARQUET})
    assert answer.headers["content-type"] == PARQUET
    table = read(answer.content)
    assert list(table.columns) == ["date", *PRICES]
    np.testing.assert_array_equal(table["date"].to_numpy("datetime64[D]"), BARS.dates[-7:])
    for price in PRICES:
        np.testing.assert_array_equal(table[price], getattr(BARS, price)[-7:])
    assert answer.headers["link"] == f'<?limit=7&end={BARS.dates[-8]}>; rel="next"'


def test_shorter_bars_have_a_time_in_utc() -> None:
    stamps = np.datetime64("2021-01-01T13:00", "s") + np.arange(3) * np.timedelta64(1, "h")
    flat = np.full(3, 100.0)
    [content] = as_parquet(Bars(stamps, flat, flat + 1, flat - 1, flat, 3600))
    table = read(content)
    assert str(table["timestamp"].dtype).endswith(", UTC]")
    assert table["timestamp"].iloc[1] == pd.Timestamp("2021-01-01T14:00Z")


def test_where_the_library_is_missing_it_is_refused(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "find_spec", lambda name: None if name == "pyarrow" else name)
    answer = client.get(PATH, headers={"accept": f"{PARQUET}, application/json;q=0.5"})
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["field"]) == (
        406,
        "not_acceptable",
        "accept",
    )
    assert problem["found"] == PARQUET
    assert client.get(PATH, headers={"accept": "*/*"}).json()["bars"]
