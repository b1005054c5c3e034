"""Bodies of bars in any layout: what they become, what they may cost, how they are refused."""

import gzip
import io
import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from starlette.requests import Request

from service.assets import reading
from service.assets.reading import EXCEL, PARQUET
from service.assets.schemas import MAX_BARS
from service.http.limits import BodyLimits
from service.http.tables import CSV
from tests.errors import details
from tests.models_store.artifacts import make_series
from tests.service.client import TestClient
from tests.service.worlds import ASSET, bars_of
from volatility.bars import DAILY, PRICES
from volatility.errors import RoughcastError
from volatility.formats import workbooks
from volatility.formats.reading import Options, Unreadable

FILES = Path(__file__).parents[2] / "volatility" / "formats" / "files"
JSON = "application/json"
PATH = f"/assets/{ASSET}/bars"
BARS = bars_of(make_series())
LAST = BARS.where(slice(-9, None))
TABLE = pd.DataFrame({"Date": LAST.dates.astype(str)} | {it: getattr(LAST, it) for it in PRICES})
TABLE = TABLE.assign(Volume=1.5)
LIMITS = BodyLimits(1_000_000, 100_000, 10_000_000)
DAYS = Options(interval=DAILY)


def put(
    client: TestClient, content: bytes, media_type: str, query: str = "", **headers: str
) -> Any:
    headers = {"content-type": media_type} | {it.replace("_", "-"): headers[it] for it in headers}
    return client.put(f"{PATH}?{query}", content=content, headers=headers)


def written(frame: pd.DataFrame, how: str, **options: Any) -> bytes:
    target = io.BytesIO()
    getattr(frame, how)(target, **options)
    return target.getvalue()


BODIES: dict[str, tuple[bytes, str]] = {
    "csv": (TABLE.to_csv(index=False).encode(), CSV),
    "newest first": (TABLE[::-1].to_csv(index=False).encode(), CSV),
    "records": (TABLE.to_json(orient="records", double_precision=15).encode(), JSON),
    "records within bars": (json.dumps({"bars": TABLE.to_dict("records")}).encode(), JSON),
    "columns": (json.dumps(TABLE.to_dict("list")).encode(), JSON),
    "split": (TABLE.to_json(orient="split", double_precision=15).encode(), JSON),
    "parquet": (written(TABLE, "to_parquet"), PARQUET),
    "indexed parquet": (written(TABLE.set_index("Date"), "to_parquet"), PARQUET),
    "excel": (written(TABLE, "to_excel", index=False), EXCEL),
}


def test_bars_are_the_same_in_every_form(client: TestClient) -> None:
    for form, (content, media_type) in BODIES.items():
        for packed in (None, "gzip"):
            body = gzip.compress(content) if packed else content
            # Excel keeps sixteen digits, and so does not have each price to the last bit.
            answer = put(client, body, media_type, "replace=true" if form == "excel" else "")
            assert answer.status_code == 200, (form, answer.text)
            found, inferred = answer.json(), answer.json()["inferred"]
            assert (found["added"], found["unchanged"] + found["replaced"]) == (0, 9)
            assert (inferred["packed"], inferred["dropped"]) == (packed, ["Volume"])
            newest_first = form == "newest first"
            assert inferred["order"] == ("newest first" if newest_first else "oldest first")
            assert inferred["sorted_rows"] == (8 if newest_first else 0)


def test_a_body_may_say_that_it_is_compressed(client: TestClient) -> None:
    content = gzip.compress(BODIES["csv"][0])
    assert put(client, content, CSV, content_encoding="gzip").json()["unchanged"] == 9
    refused = put(client, content, CSV, content_encoding="br")
    assert (refused.status_code, refused.json()["field"]) == (415, "content-encoding")
    assert refused.json()["needed"] == "gzip or no content-encoding"


@pytest.mark.parametrize("encoding", ["identity", "gzip", " GZIP ", "x-gzip", ""])
def test_an_encoding_that_is_read_is_no_obstacle(encoding: str) -> None:
    headers = [(b"content-encoding", encoding.encode())]
    reading.check_encoding(Request({"type": "http", "headers": headers}))
    reading.check_encoding(Request({"type": "http", "headers": []}))


@pytest.mark.parametrize(
    ("code", "other"),
    [
        ("malformed_json", "malformed_json"),
        ("too_large_unpacked", "body_too_large"),
        ("missing_package", "unsupported_media_type"),
        ("unknown_compression", "unsupported_media_type"),
        ("no_table", "no_table"),
    ],
)
def test_what_is_no_fault_of_the_bars_is_told_as_what_it_is(code: str, other: str) -> None:
    error = Unreadable("said", code=code, field="body", found=3, needed="another")
    told = reading._as_other(error)
    assert (told.code, str(told), *details(told)) == (other, "said", "body", 3, "another")


def test_what_is_ambiguous_is_decided_by_the_query(client: TestClient) -> None:
    closes = TABLE.rename(columns={"close": "Last"}).assign(Settle=TABLE["close"] * 1.001)
    content = closes.to_csv(index=False).encode()
    refused = put(client, content, CSV)
    assert (refused.status_code, refused.json()["code"]) == (422, "ambiguous_column")
    assert "the option columns to say which" in refused.json()["needed"]
    assert put(client, content, CSV, "columns=close=Last").json()["unchanged"] == 9
    both = pd.concat([TABLE.assign(ticker="A"), TABLE.assign(ticker="B")])
    content = json.dumps(both.to_dict("records")).encode()
    assert put(client, content, JSON).json()["code"] == "ambiguous_ticker"
    assert put(client, content, JSON, "ticker=B").json()["unchanged"] == 9
    adjusted = TABLE.assign(**{"Adj Close": TABLE["close"] / 2})
    content = adjusted.to_csv(index=False, sep=";", decimal=",").encode()
    assert put(client, content, CSV).json()["code"] == "ambiguous_column"
    said = put(client, content, CSV, "prices=raw&decimal=,&format=yfinance").json()
    assert (said["unchanged"], said["inferred"]["decimal"]) == (9, ",")
    other = put(client, content, CSV, "prices=raw&format=bloomberg").json()
    assert (other["code"], other["field"]) == ("ambiguous_layout", "bars")
    swapped = put(client, BODIES["csv"][0], CSV, "columns=close")
    assert (swapped.status_code, swapped.json()["field"]) == (422, "columns")


def test_bars_that_are_mended_are_told_of_and_those_that_are_wrong_are_counted_as_given(
    client: TestClient,
) -> None:
    closes = TABLE["close"].to_numpy()
    low = TABLE.assign(high=np.where(np.arange(9) == 2, closes * (1 - 5e-5), TABLE["high"]))
    low.loc[2, "open"] = closes[2] * (1 - 5e-5)
    low.loc[2, "low"] = closes[2] * 0.99
    answer = put(client, low[2:3].to_csv(index=False).encode(), CSV, "replace=true").json()
    assert answer["inferred"]["mended_rows"] == 1
    assert "at bar 0 (2021-01-28), mended: within 0.0001" in answer["warnings"][0]
    wrong = TABLE.assign(high=np.where(np.arange(9) == 7, 1.0, TABLE["high"]))
    refused = put(client, wrong[::-1].to_csv(index=False).encode(), CSV).json()
    assert (refused["code"], refused["field"]) == ("high_below_low", "bars[1].high")
    late = TABLE[::-1].assign(Date=["2021-02-04", *TABLE["Date"][:-1][::-1]])
    refused = put(client, late.to_csv(index=False).encode(), CSV).json()
    assert (refused["code"], refused["field"]) == ("future_dates", "bars[0].date")
    assert "at bar 0 (2021-02-04)" in refused["detail"]


def test_a_time_twice_is_refused_with_its_rows(client: TestClient) -> None:
    twice = pd.concat([TABLE, TABLE[3:4]])
    for content, media_type in (
        (twice.to_csv(index=False).encode(), CSV),
        (twice.to_json(orient="records").encode(), JSON),
    ):
        refused = put(client, content, media_type).json()
        assert (refused["code"], refused["field"]) == ("duplicate_dates", "bars[9].date")
        assert refused["found"] == "bars 3 and 9 are of 2021-01-29"


def zipped(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "")
        archive.writestr("xl/workbook.xml", content)
    return packed.getvalue()


LONG_LINE = b"2021-01-01,1,1,1,1\n"
COSTLY: dict[str, tuple[bytes, str, str]] = {
    "a gzip of nothing": (gzip.compress(bytes(50_000_000)), CSV, "body_too_large"),
    "a gzip of commas": (gzip.compress(b"," * 900_000), CSV, "too_many_values"),
    "a gzip of lists": (gzip.compress(b"[" * 900_000), JSON, "too_many_values"),
    "a gzip cut off": (gzip.compress(BODIES["csv"][0])[:-9], CSV, "damaged_content"),
    "a workbook of nothing": (zipped(bytes(50_000_000)), EXCEL, "body_too_large"),
    "no workbook": (zipped(b"<"), EXCEL, "malformed_excel"),
    "no workbook at all": (b"Date", EXCEL, "damaged_content"),
    "a table as Parquet": (b"PAR1" + bytes(100), PARQUET, "malformed_parquet"),
    "a long Parquet": (
        written(
            pd.DataFrame({it: np.zeros(MAX_BARS + 1) for it in ("date", *PRICES)}), "to_parquet"
        ),
        PARQUET,
        "too_many_items",
    ),
    "a wide Parquet": (
        written(pd.DataFrame({str(it): [0.0] for it in range(65)}), "to_parquet"),
        PARQUET,
        "too_many_columns",
    ),
    "wide records": (
        json.dumps([{str(it): 0 for it in range(65)}] * 2).encode(),
        JSON,
        "too_many_columns",
    ),
    "lists of unequal length": (b"[[1,2,3,4,5],[1,2,3,4]]", JSON, "no_table"),
    "a list of numbers": (b"[1,2,3]", JSON, "no_table"),
    "columns of unequal length": (
        b'{"date":["2021-01-01"],"open":[1,2],"high":[1],"low":[1],"close":[1]}',
        JSON,
        "no_table",
    ),
    "a name twice": (b'[{"date":1,"open":1,"open":2}]', JSON, "malformed_json"),
    "what is not JSON": (b'[{"date":NaN}]', JSON, "malformed_json"),
    "more behind its end": (
        b'[[1609459200,1,1,1,1],[1609545600,1,1,1,1]],"more":[[1609632000,1,1,1,1]]',
        JSON,
        "malformed_json",
    ),
}


@pytest.mark.parametrize("what", COSTLY)
def test_what_costs_more_than_it_is_worth_is_refused(what: str) -> None:
    content, media_type, code = COSTLY[what]
    with pytest.raises(RoughcastError) as refused:
        reading.read(content, media_type, DAYS, LIMITS)
    assert refused.value.code == code


def test_parquet_of_more_rows_than_it_says_is_cut_off() -> None:
    frame = pd.DataFrame({it: np.ones(3) for it in ("date", *PRICES)})
    content = bytearray(written(frame, "to_parquet"))
    footer = struct.unpack("<I", content[-8:-4])[0]
    content[-8 - footer : -8] = bytes(footer)
    with pytest.raises(RoughcastError) as refused:
        reading.read(bytes(content), PARQUET, DAYS, LIMITS)
    assert refused.value.code == "malformed_parquet"


@pytest.mark.parametrize("package", ["pyarrow", "openpyxl"])
def test_a_package_that_is_missing_is_named(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setattr(workbooks, "find_spec", lambda name: None)
    content, media_type = BODIES["parquet" if package == "pyarrow" else "excel"]
    refused = put(client, content, media_type)
    assert (refused.status_code, refused.json()["code"]) == (415, "unsupported_media_type")
    assert f"{package}, which is not installed: pip install 'roughcast[" in refused.json()["detail"]


@pytest.mark.parametrize("name", ["coinbase.json", "kraken_api.json", "alpaca.json", "nasdaq.csv"])
def test_what_a_vendor_emits_is_read_as_files_are(name: str) -> None:
    media_type = JSON if name.endswith("json") else CSV
    hourly = Options(interval=3_600 if name.startswith(("coin", "kraken")) else DAILY)
    found = reading.read((FILES / name).read_bytes(), media_type, hourly, LIMITS)
    assert found.bars.close.tolist()[:2] == [4697.5, 4763.25]
