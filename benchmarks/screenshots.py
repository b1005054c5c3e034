"""Pictures of every page, in light, in dark and at a phone's width; into docs/screenshots/.

``python -m benchmarks.screenshots`` serves the shipped models and bars as of April 2020, after
three months in which each session was forecast before it closed, and takes a minute. It needs
Debian's chromium and chromium-driver; with its fonts-inter pictures look as those in docs/.
"""

import argparse
import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

from models_store.shipped import shipped_artifacts
from service.assets.database import HistoryStore
from service.assets.holdings import shipped
from service.operations import logs
from service.settings import Settings
from tests.service.answering import answering, eventually
from tests.service.dashboard.browser import LOOKS, MISSING, Browser, Look, browsing
from tests.service.worlds import SetClock, json_bars
from volatility.bars import DAILY

FOLDER = Path(__file__).parents[1] / "docs" / "screenshots"
PAGES = {"overview": "/", "asset": "/view/SPX", "try": "/try", "docs": "/docs"}
FIRST, LAST = (np.datetime64(it) for it in ("2020-01-21", "2020-04-17"))
_TALLEST = {"docs": 1_400}  # CSS pixels; of the others, all
_COLOURS = 96  # of a picture, as many as text and lines need


def main() -> None:
    """Take every picture."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.screenshots", description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where to, if not docs/")
    folder: Path = parser.parse_args().folder
    if MISSING:
        parser.error(MISSING)
    folder.mkdir(parents=True, exist_ok=True)
    logs.configure("error")
    with spring_of_2020() as url, browsing() as browser:
        for look in LOOKS:
            browser.look(look)
            for page, path in PAGES.items():
                taken = picture(browser, look, url + path, page)
                (folder / f"{page}-{look.name}.png").write_bytes(taken)
                print(f"{page}-{look.name}: {len(taken):,} bytes", flush=True)


@contextmanager
def spring_of_2020() -> Iterator[str]:
    """A service that was asked day by day until mid-April 2020; its address."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copytree(shipped_artifacts(), root / "store")
        url = f"sqlite:///{root / 'history.sqlite3'}"
        settings, history = Settings(store=root / "store", database_url=url), HistoryStore(url)
        held = list(shipped())
        history.prepare([replace(it, bars=it.bars.where(it.bars.dates < FIRST)) for it in held])
        history.close()
        clock = SetClock(_morning_after(FIRST - 1))
        coming = {
            it.asset.asset: {
                bar["date"]: bar for bar in json_bars(it.bars.where(it.bars.dates >= FIRST))
            }
            for it in held
            if it.asset.bar_interval == DAILY and it.bars.dates[-1] >= FIRST
        }
        with answering(settings, clock) as address:
            with httpx.Client(base_url=address, timeout=120) as client:
                _live(client, clock, coming)
            yield address


def _live(
    client: httpx.Client, clock: SetClock, coming: dict[str, dict[object, dict[str, object]]]
) -> None:
    """Forecast each session, and put its bar when it has closed."""
    for day in np.arange(FIRST, LAST + 1):
        due = {asset: bars[str(day)] for asset, bars in coming.items() if str(day) in bars}
        for asset in due:
            client.get(f"/forecast/{asset}").raise_for_status()
        clock.now = _morning_after(day)
        for asset, bar in due.items():
            client.put(f"/assets/{asset}/bars", json={"bars": [bar]}).raise_for_status()
    eventually(lambda: len(client.get("/performance").json()["assets"]) == len(coming))


def _morning_after(day: np.datetime64) -> datetime:
    midnight: datetime = (day + 1).astype("datetime64[s]").item()
    return midnight.replace(tzinfo=UTC) + timedelta(hours=6)


def picture(browser: Browser, look: Look, url: str, page: str) -> bytes:
    """One page as a PNG of few colours."""
    browser.open(url)
    if page == "try":
        browser.click("#example")
        eventually(lambda: bool(browser.all(".panel")))
        browser.wait()
    browser.draw_all()
    browser.run("document.activeElement.blur()")
    whole = Image.open(io.BytesIO(browser.picture(look))).convert("RGB")
    height = min(whole.height, _TALLEST.get(page, whole.height))
    small = whole.crop((0, 0, whole.width, height)).quantize(_COLOURS, dither=Image.Dither.NONE)
    written = io.BytesIO()
    small.save(written, "PNG", optimize=True)
    return written.getvalue()


if __name__ == "__main__":
    main()
