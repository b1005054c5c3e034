"""How soon the overview shows 1,000 assets, from a cold cache, over loopback.

``python -m benchmarks.pages`` needs Debian's chromium and chromium-driver, and a quiet machine.
Told are milliseconds from the start of the navigation: of the first paint, of the first rows (name,
newest sessions, staleness), and of the first forecasts, as many as a screen shows. The others come
behind them, a hundred at a time.
"""

import argparse
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from models_store.shipped import shipped_artifacts
from service.assets.database import HeldAsset, HeldBars, HistoryStore
from service.operations import logs
from service.settings import Settings
from tests.service import worlds
from tests.service.answering import eventually
from tests.service.dashboard.browser import LOOKS, MISSING, browsing
from tests.service.processes import serving
from volatility.bars import DAILY
from volatility.calendars import get_calendar
from volatility.series import DatedSeries
from volatility.simulation.regression import har_process

LOG_HAR = (-0.9, 0.35, 0.35, 0.2)  # mean log rv of -9: one percent a day
_MARKS = """
const of = (type, name) => performance.getEntriesByName(name, type)[0]?.startTime ?? null;
return [of("paint", "first-contentful-paint"), of("mark", "rows"), of("mark", "forecasts")];
"""


def main() -> None:
    """Open the overview again and again, each time in a browser that has seen nothing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("--assets", type=int, default=1_000)
    parser.add_argument("--sessions", type=int, default=500, help="of each asset")
    parser.add_argument("--times", type=int, default=5)
    given = parser.parse_args()
    if MISSING:
        parser.error(MISSING)
    logs.configure("error")
    print("navigation to: first paint, first rows, first forecasts (ms)")
    with many_assets(given.assets, given.sessions) as settings, serving(settings) as served:
        seen = []
        for number in range(given.times + 1):
            with browsing() as browser:
                browser.look(LOOKS[0])
                browser.driver.get(f"http://127.0.0.1:{served.port}/")
                eventually(lambda: browser.run(_MARKS)[-1] is not None, patience=120)
                found = [float(it) for it in browser.run(_MARKS)]
            print("service cold" if number == 0 else "", *(f"{it:.0f}" for it in found), flush=True)
            seen.append(found)
    medians = (statistics.median(it) for it in zip(*seen[1:], strict=True))
    print(f"median of {given.times}:", *(f"{it:.0f}" for it in medians))


@contextmanager
def many_assets(number: int, sessions: int) -> Iterator[Settings]:
    """The model for every asset, and simulated daily bars of many."""
    with tempfile.TemporaryDirectory() as folder:
        settings = worlds.settings_in(Path(folder))
        shutil.copytree(shipped_artifacts() / "universal", settings.store_folder / "universal")
        history = HistoryStore(settings.database_url)
        history.prepare([_simulated(f"STOCK-{at:04d}", sessions, at) for at in range(number)])
        history.close()
        yield settings


def _simulated(name: str, sessions: int, seed: int) -> HeldBars:
    """An asset of which this number of sessions is held, up to the last one."""
    today = np.datetime64("today", "D")
    dates = get_calendar("XNYS").sessions(today - 2 * sessions, today - 1)[-sessions:]
    rng = np.random.default_rng(seed)
    rv = har_process(LOG_HAR, sessions, rng, scale="logs", residual_std=0.5)[0]
    bars = worlds.bars_of(DatedSeries(rv, "garman_klass", dates), drift=0.3)
    asset = HeldAsset(name, "XNYS", "garman_klass", DAILY, "simulated", "stock")
    return HeldBars(asset, bars, revision=1)


if __name__ == "__main__":
    main()
