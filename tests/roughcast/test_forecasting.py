"""A forecast here is the one that the service answers, digit for digit."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import roughcast
from models_store.universal.store import UniversalStore
from roughcast import forecasting
from roughcast.results.forecast import Forecast
from tests.errors import details
from tests.service.client import TestClient
from tests.service.worlds import NOW
from volatility.errors import (
    HistoryTooShort,
    InvalidBars,
    InvalidInput,
    UnknownModel,
    UnsupportedHorizon,
)


def records(bars: Any) -> list[dict[str, Any]]:
    return [
        {"date": str(day.date()), **row}
        for day, row in zip(bars.index, bars.to_dict("records"), strict=True)
    ]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (22, {}),
        (60, {"kind": "stock"}),
        (600, {"calendar": "24/7", "kind": "crypto", "asset": "MINE"}),
        (400, {"asset": "BTC-USD"}),  # which the model was fitted on
    ],
)
def test_it_is_what_the_service_answers(
    rows: int, said: dict[str, Any], bars: pd.DataFrame, service: TestClient
) -> None:
    newest = bars.tail(rows)
    body = {
        **said,
        "horizons": [1, 5, 10, 22],
        "levels": [0.8, 0.95],
        "quantiles": [0.25, 0.75],
        "history": {"bars": records(newest)},
    }
    answer = service.post("/forecast", json=body)
    assert answer.status_code == 200, answer.text
    found = roughcast.forecast(newest, quantiles=[0.25, 0.75], now=NOW, **said)
    assert found == Forecast.of_answer(answer.json())
    assert found.at(22).quantiles[1].probability == 0.75
    assert len(found.horizons) == 4


def test_capitals_and_a_column_of_dates_are_read(bars: pd.DataFrame) -> None:
    plain = roughcast.forecast(bars.tail(30), [1], now=NOW)
    renamed = bars.tail(30).rename(columns=str.title).reset_index()
    assert roughcast.forecast(renamed, [1], now=NOW) == plain
    stale = roughcast.forecast(bars.tail(30), [1], now=datetime(2021, 2, 7, 12))  # noqa: DTZ001
    assert (plain.stale_sessions, stale.stale_sessions) == (0, 3)
    assert stale == roughcast.forecast(bars.tail(30), [1], now=datetime(2021, 2, 7, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("refused", "reason"),
    [((), "none"), ((SimpleNamespace(reason="a bit flipped"),), "a bit flipped")],
)
def test_a_package_without_its_model_is_told(
    refused: tuple[Any, ...], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(UniversalStore, "newest", lambda _: (None, refused))
    with pytest.raises(UnknownModel) as missing:
        forecasting._shipped.__wrapped__()
    assert str(missing.value) == f"the model for every asset cannot serve: {reason}"
    needed = "an installation of this package that is whole"
    assert details(missing.value) == ("model", None, needed)


def test_its_table_has_a_row_a_horizon(bars: pd.DataFrame) -> None:
    found = roughcast.forecast(bars.tail(60), [1, 22], quantiles=[0.9], asset="MINE", now=NOW)
    frame: Any = found.to_frame()
    assert frame.index.tolist() == [1, 22]
    assert frame.loc[22, "rv_upper_80"] == found.at(22).interval(0.8).rv[1]
    assert frame.loc[1, "rv_quantile_90"] == found.at(1).quantiles[0].rv
    few, many = (found.at(it).effective_nobs for it in (22, 1))
    assert few is not None
    assert many is not None
    assert 10 * few < many
    told = repr(found)
    assert told.startswith("MINE: volatility per year by universal 9, from 2021-02-03")
    assert f"{found.at(22).volatility_annualized:.1%}" in told
    assert all(f"QLIKE at {it} session" in " ".join(told.split()) for it in (1, 22))
    assert max(map(len, told.splitlines())) <= 88
    assert "<th>volatility</th>" in found._repr_html_()
    with pytest.raises(UnsupportedHorizon) as refused:
        found.at(5)
    assert details(refused.value) == ("horizon", 5, "one of 1, 22")


def test_its_plot_has_the_past_the_forecast_and_a_fan(bars: pd.DataFrame) -> None:
    found = roughcast.forecast(bars.tail(60), now=NOW)
    axes: Any = found.plot()
    past, ahead = axes.get_lines()
    assert past.get_ydata()[-1] == pytest.approx(
        np.sqrt(roughcast.measure(bars).iloc[-1] * 365), rel=1e-12
    )
    assert ahead.get_xdata().tolist() == [1, 5, 10, 22]
    assert len(axes.collections) == 2
    assert axes.get_ylabel() == "volatility per year"
    assert ahead.get_label() == "forecast, mean up to there"
    assert found.plot(ax=axes) is axes


def test_a_quarter_of_a_year_is_kept_for_the_plot(bars: pd.DataFrame) -> None:
    rv = roughcast.measure(bars)
    for rows, kept in ((66, 66), (80, 66), (30, 30)):
        history: Any = roughcast.forecast(bars.tail(rows), [1], now=NOW).history
        assert history.tolist() == rv.tail(kept).tolist()


def test_what_cannot_be_forecast_is_refused_with_what_is_needed(bars: pd.DataFrame) -> None:
    with pytest.raises(HistoryTooShort):
        roughcast.forecast(bars.tail(21), now=NOW)
    with pytest.raises(InvalidBars) as refused:
        roughcast.forecast(bars.drop(columns="high"), now=NOW)
    assert refused.value.code == "missing_column"
    cases: list[tuple[Any, dict[str, Any], str, str]] = [
        (bars["close"], {}, "wrong_type", "bars"),
        (bars, {"kind": "bond"}, "unknown_kind", "kind"),
        (bars, {"horizons": [1, 1]}, "duplicate_horizon", "horizons"),
        (bars, {"horizons": []}, "empty_value", "horizons"),
        (bars, {"horizons": [3]}, "unsupported_horizon", "horizon"),
        (bars, {"horizons": 5}, "wrong_type", "horizons"),
        (bars, {"horizons": "15"}, "wrong_type", "horizons"),
        (bars, {"horizons": [1.0]}, "invalid_value", "horizons"),
        (bars, {"levels": 0.8}, "wrong_type", "levels"),
        (bars, {"quantiles": 0.8}, "wrong_type", "quantiles"),
        (bars, {"now": "2021-10-28"}, "wrong_type", "now"),
        (bars, {"asset": 3}, "wrong_type", "asset"),
        (bars, {"levels": [0.77]}, "unsupported_level", "levels"),
        (bars, {"levels": [0.8, 0.8]}, "duplicate_level", "levels"),
        (bars, {"quantiles": [0.5, 0.1, 0.5]}, "duplicate_quantile", "quantiles"),
        (bars, {"calendar": "NOWHERE"}, "unknown_calendar", "calendar"),
        (roughcast.dataset("BTC-USD-1H"), {}, "wrong_interval", "bars"),
    ]
    for data, options, code, field in cases:
        with pytest.raises(InvalidInput) as found:
            roughcast.forecast(data, **{"now": NOW, **options})
        assert (found.value.code, found.value.field) == (code, field)
