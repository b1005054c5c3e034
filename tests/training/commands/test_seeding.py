"""``training retrain --to-service``: bars go where the models are to serve."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from models_store import Store
from service.settings import Settings
from tests.service.processes import serving
from tests.service.worlds import build, settings_in
from tests.training.data.feeds.server import walk
from training import cli
from volatility.bars import PRICES, Bars


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


def retrain(settings: Settings, asset: str, file: Path, url: str) -> int:
    return cli.main(
        [
            *("retrain", "--asset", asset, "--bars", str(file), "--models", "har"),
            *("--store", str(settings.store_folder), "--to-service", url),
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
    said = httpx.post(f"{url}/forecast", json={"asset": asset, "model": "har"}).json()
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
    assert Store(settings.store_folder).models("OTHER")  # what was published stays


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
