"""``training retrain --to-service``: bars go where the models are to serve."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import numpy as np
import pytest

from models_store import Store
from service.settings import Settings
from tests.service.answering import eventually
from tests.service.processes import serving
from tests.service.worlds import build, settings_in
from tests.training.data.feeds.server import walk
from training import cli
from training.commands import seeding
from volatility.bars import PRICES, Bars
from volatility.calendars import get_calendar


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("seeded")
    build(folder)
    return settings_in(folder)


@pytest.fixture(scope="module")
def url(settings: Settings) -> Iterator[str]:
    with serving(settings) as served:
        yield f"http://127.0.0.1:{served.port}"


def write(path: Path, bars: Bars) -> Path:
    rows = zip(bars.timestamps.astype(str), *(getattr(bars, it) for it in PRICES), strict=True)
    lines = [f"{when}Z," + ",".join(map(repr, map(float, prices))) for when, *prices in rows]
    path.write_text("\n".join(["timestamp,open,high,low,close", *lines]))
    return path


def retrain(settings: Settings, asset: str, file: Path, url: str, *more: str) -> int:
    return cli.main(
        [
            *("retrain", "--asset", asset, "--bars", str(file), "--models", "har"),
            *("--store", str(settings.store_folder), "--to-service", url, *more),
        ]
    )


@pytest.mark.parametrize(
    ("asset", "count", "interval"), [("DAYS", 520, 86_400), ("HOURS", 510 * 4, 21_600)]
)
def test_what_models_were_fitted_on_is_held_where_they_serve(
    settings: Settings,
    url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    asset: str,
    count: int,
    interval: int,
) -> None:
    bars = walk("2021-01-01", count, interval)
    file = write(tmp_path / "mine.csv", bars)
    assert retrain(settings, asset, file, url) == 0
    assert f"{count} bars of {asset} added at {url}, 0 held there" in capsys.readouterr().out
    held = httpx.get(f"{url}/assets/{asset}/bars").json()["bars"]
    assert [it["close"] for it in held] == bars.close.tolist()
    asked = {"asset": asset, "model": "har"}
    eventually(lambda: httpx.post(f"{url}/forecast", json=asked).status_code == 200)
    said = httpx.post(f"{url}/forecast", json=asked).json()
    assert (said["model"], said["as_of"]) == ("har", str(bars.dates[-1]))
    assert retrain(settings, asset, file, url) == 0
    assert f"0 bars of {asset} added at {url}, {count} held there" in capsys.readouterr().out


def test_other_bars_of_the_same_days_are_not_replaced(
    settings: Settings, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "mine.csv", walk("2021-01-01", 520, 86_400))
    other = write(tmp_path / "other.csv", walk("2021-01-01", 2, 86_400, seed=1))
    answer = httpx.put(
        f"{url}/assets/OTHER/bars?calendar=24/7",
        content=other.read_bytes(),
        headers={"content-type": "text/csv"},
    )
    assert answer.status_code == 200
    assert retrain(settings, "OTHER", file, url) == 2
    assert f"bars cannot be put to {url}: it answers 409" in capsys.readouterr().err
    assert len(httpx.get(f"{url}/assets/OTHER/bars").json()["bars"]) == 2
    assert Store(settings.store_folder).models("OTHER") == []  # nothing was fitted in vain


def test_bars_go_in_parts_and_without_those_outside_of_sessions(
    settings: Settings,
    url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(seeding, "_AT_ONCE", 200)
    bars = walk("2021-01-01", 730, 86_400)
    weekdays = (bars.dates.astype(int) + 3) % 7 < 5
    kept = get_calendar("XNYS").is_session(bars.dates)
    file = write(tmp_path / "mine.csv", bars.where(weekdays))
    more = ("--calendar", "XNYS", "--outside-sessions", "drop")
    assert retrain(settings, "SHARES", file, url, *more) == 0
    assert f"{kept.sum()} bars of SHARES added" in capsys.readouterr().out
    held = httpx.get(f"{url}/assets/SHARES/bars").json()["bars"]
    assert [it["date"] for it in held] == bars.dates[kept].astype(str).tolist()


def test_what_a_service_notes_of_bars_is_told_once(
    settings: Settings, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bars = walk("2021-01-01", 560, 86_400)
    file = write(tmp_path / "mine.csv", bars.where(np.arange(560) != 500))
    assert retrain(settings, "GAPS", file, url) == 0
    _, _, told = capsys.readouterr().out.partition("559 bars of GAPS added at ")
    _, gap, kind, *_ = told.splitlines()
    assert sorted(it.split()[1] for it in (gap, kind)) == ["kind", "timestamps:"]
    assert told.count("no bar on the session") == 1


def test_a_service_of_another_store_does_not_know_of_bars_within_a_day(
    settings: Settings,
    url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(seeding, "_KNOWN_WITHIN", -1.0)
    elsewhere = settings.model_copy(update={"store": tmp_path / "other"})
    file = write(tmp_path / "mine.csv", walk("2021-01-01", 510 * 4, 21_600))
    assert retrain(elsewhere, "UNSEEN", file, url) == 2
    said = capsys.readouterr().err
    assert "UNSEEN is new, and would hold daily bars" in said
    assert "its models are published, and the service does not see them" in said
    assert Store(tmp_path / "other").models("UNSEEN")


def test_bars_of_another_length_are_refused_before_anything_is_fitted(
    settings: Settings, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    daily = {"asset": "DAILY", "calendar": "24/7"}
    httpx.post(f"{url}/assets", json=daily).raise_for_status()
    file = write(tmp_path / "mine.csv", walk("2021-01-01", 510 * 4, 21_600))
    assert retrain(settings, "DAILY", file, url) == 2
    assert "DAILY has bars of 86400 seconds" in capsys.readouterr().err
    assert Store(settings.store_folder).models("DAILY") == []


def test_nothing_is_fitted_where_bars_cannot_be_put(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "mine.csv", walk("2021-01-01", 520, 86_400))
    store, nowhere = ("--store", str(tmp_path / "store")), "http://127.0.0.1:9"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("training.data.feeds.retrying.time", SimpleNamespace(sleep=lambda _: None))
        assert retrain(settings, "MINE", file, nowhere) == 2
    assert nowhere in capsys.readouterr().err
    assert retrain(settings, "MINE", file, "here") == 2
    assert "--to-service is no address of a service" in capsys.readouterr().err
    assert cli.main(["retrain", "--asset", "SPX", "--to-service", nowhere, *store]) == 2
    assert "--to-service puts the bars of a file where its models serve" in capsys.readouterr().err
    assert cli.main(["retrain", "--panel", str(tmp_path), "--to-service", nowhere, *store]) == 2
    assert "--to-service goes with single assets" in capsys.readouterr().err
    assert "MINE" not in Store(settings.store_folder).assets()
