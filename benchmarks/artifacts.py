"""Serve ten thousand artifacts: how soon, in how much memory, and how fast each answers first.

``python -m benchmarks.artifacts`` takes some minutes on two cores. The store has a thousand assets
with ten of the models that are shipped for one: eight regressions, a combination and a network.
Their manifests, and so their digests, are their own; the other files are hard links, so that the
disk holds them once. As after any retrain, how they compare is stored with them.

Each model is asked for once, one after the other and in an order of chance, while the service
verifies those that nobody has asked for yet, as after any start. On a machine that does much else
these times are those of the others; so the processor's time of opening a model and forecasting is
measured as well, in this process, without HTTP and without what it shares with other models.
"""

import argparse
import hashlib
import http.client
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.hurst_table import replace_between_markers
from benchmarks.memory import resident_megabytes
from benchmarks.motion.states import questions
from models_store import Shelf, Store
from models_store.artifact import MANIFEST, with_sums
from models_store.atomic import replace_file
from models_store.comparison import compare_at
from models_store.names import CHAMPION, CURRENT
from models_store.pointers import Pointer
from models_store.shipped import give_universal, shipped_artifacts
from models_store.signatures import SUMS
from models_store.stored_comparisons import keep, promoted
from service.models.catalogue import Catalogue
from service.server import spare_the_collector
from service.settings import Settings
from tests.service.processes import serving
from volatility.calendars import get_calendar
from volatility.datasets import load
from volatility.series import daily_series

PAGE = Path(__file__).resolve().parents[1] / "docs" / "operations.md"
SOURCE = "BTC-USD"
MODELS = (
    *("last_value", "moving_average", "ewma", "har", "log_har", "calendar_log_har", "ridge"),
    *("hexp", "combination", "lstm"),
)
CHAMPION_OF_ALL = "combination"
STARTS = 5
_OPENED = 500  # models whose opening is measured by the processor's time
_GROUPS = {
    "all": MODELS,
    "regressions": MODELS[:-2],
    "`combination`": MODELS[-2:-1],
    "`lstm`": MODELS[-1:],
}
SECONDS, MEGABYTES, MILLISECONDS = 2.5, 300, 30


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, default=1_000, help="each with ten models")
    parser.add_argument("--starts", type=int, default=STARTS, help="of the service; 0 to fill only")
    parser.add_argument("--forecasts", type=int, help="first ones, drawn by chance; all by default")
    parser.add_argument("--store", type=Path, help="filled before, or to be filled and left there")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page to write into")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            store=options.store or Path(folder) / "store",
            database_url=f"sqlite:///{folder}/history.sqlite3",
        )
        if not settings.store_folder.exists():
            fill(Store(settings.store_folder), options.assets)
        if not options.starts:
            return 0
        lines, is_good = measured(settings, options.starts, options.forecasts)
    print(*lines, sep="\n")
    replace_between_markers(options.page, "artifacts", lines)
    return int(not is_good)


def fill(store: Store, assets: int) -> None:
    """Publish the models of so many assets, as a retrain would have left them."""
    source = shipped_artifacts() / SOURCE
    give_universal(store.root)
    evidence = Shelf(Store(shipped_artifacts())).rack(SOURCE).places
    models = {it: found for it in MODELS if (found := evidence[it].evidence())}
    compared = compare_at(models, CHAMPION_OF_ALL, (), models["har"].manifest.horizons)
    template = store.root.parent / "template"
    for model in MODELS:
        version = Store(shipped_artifacts()).current(SOURCE, model)
        (template / model).mkdir(parents=True)
        for file in (source / model / str(version)).iterdir():
            (template / model / file.name).write_bytes(file.read_bytes())
    for number in range(assets):
        asset = f"A{number:04}"
        for model in MODELS:
            _publish(store.root / asset / model, asset, template / model)
        replace_file(store.root / asset / CHAMPION, json.dumps({"model": CHAMPION_OF_ALL}))
        keep(store, asset, compared, promoted(store, asset), CHAMPION_OF_ALL)


def _publish(folder: Path, asset: str, template: Path) -> None:
    """The first version of an asset's model, promoted; not flushed, as nothing depends on it."""
    files = {it.name: it.read_bytes() for it in template.iterdir() if it.name != SUMS}
    manifest = json.loads(files[MANIFEST])
    manifest["asset"] = manifest["training"]["asset"] = asset
    files[MANIFEST] = json.dumps(manifest).encode()
    summed = with_sums(files)
    version = folder / "1"
    version.mkdir(parents=True)
    for name in files:
        if name != MANIFEST:
            os.link(template / name, version / name)
    for name in (MANIFEST, SUMS):
        (version / name).write_bytes(summed[name])
    digest = hashlib.sha256(summed[SUMS]).hexdigest()
    pointer = Pointer(version=1, sha256=digest, promoted_at=datetime(2026, 1, 1, tzinfo=UTC))
    (folder / CURRENT).write_text(pointer.model_dump_json())


def measured(
    settings: Settings, starts: int, forecasts: int | None = None
) -> tuple[list[str], bool]:
    """The lines of the table, and whether all is within its budget."""
    store = Store(settings.store_folder)
    asked = [(asset, model) for asset in store.assets() for model in MODELS]
    order = np.random.default_rng(0).permutation(len(asked))
    *_, with_bars = questions()
    ready, spent, resident = [], [], []
    with serving(settings):  # which fills the database
        pass
    for _ in range(starts):
        began = time.perf_counter()
        with serving(settings) as served:
            _wait_until_ready(served.port)
            ready.append(time.perf_counter() - began)
            spent.append(_processor_seconds(served.process.pid))
            resident.append(resident_megabytes(served.process.pid))
    with serving(settings) as served:
        client = http.client.HTTPConnection("127.0.0.1", served.port)
        seconds = {model: list[float]() for model in MODELS}
        for place in order[:forecasts]:
            asset, model = asked[place]
            question = with_bars | {"asset": asset, "model": model}
            seconds[model].append(_answer(client, question))
        after = resident_megabytes(served.process.pid)
    opened = _opened(store, [asked[place] for place in order[:_OPENED]])
    return _lines(len(asked), (ready, spent), resident, seconds, after, opened)


def _opened(store: Store, asked: Sequence[tuple[str, str]]) -> dict[str, list[float]]:
    """Seconds of the processor that a first forecast takes, by model; as in a running service."""
    spare_the_collector()
    catalogue, bars = Catalogue(store), load(SOURCE).bars
    manifests = [store.verify(asked[0][0], model, 1) for model in MODELS]
    columns = {column for manifest in manifests for column in manifest.own_columns}
    series, _ = daily_series(bars, manifests[0].measure, get_calendar("24/7"), columns)
    seconds = {model: list[float]() for model in MODELS}
    for asset, model in asked:
        began = time.thread_time()
        choice = catalogue.choice(asset, model)
        if choice is None:
            raise RuntimeError(f"{asset}/{model} does not serve")
        choice.model.forecast(series)
        seconds[model].append(time.thread_time() - began)
    return seconds


def _processor_seconds(pid: int) -> float:
    """That a process has taken so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def _wait_until_ready(port: int) -> None:
    while True:
        client = http.client.HTTPConnection("127.0.0.1", port)
        client.request("GET", "/health/ready")
        answer = client.getresponse()
        client.close()
        if answer.status == 200:
            return
        time.sleep(0.01)


def _answer(client: http.client.HTTPConnection, question: Mapping[str, object]) -> float:
    """Seconds until a forecast."""
    body = json.dumps(question)
    began = time.perf_counter()
    client.request("POST", "/forecast", body, {"Content-Type": "application/json"})
    answer = client.getresponse()
    content = answer.read()
    seconds = time.perf_counter() - began
    if answer.status != 200 or json.loads(content)["degraded_reason"] is not None:
        raise RuntimeError(f"{answer.status}: {content[:500]!r}")
    return seconds


def _lines(
    artifacts: int,
    starts: tuple[Sequence[float], Sequence[float]],
    resident: Sequence[float],
    seconds: Mapping[str, Sequence[float]],
    after: float,
    opened: Mapping[str, Sequence[float]],
) -> tuple[list[str], bool]:
    """The table, and whether all of it is within its budget."""
    ready, _ = starts
    spread, cpu = (
        f"{np.median(it):.2f} s, {max(it):.2f} s at most (of {len(it)})" for it in starts
    )
    lines = [
        f"| {artifacts:,} artifacts | measured | budget |",
        "|---|---|---|",
        f"| from the start of the process to ready | {spread} | {SECONDS} s |",
        f"| CPU of that | {cpu} | {SECONDS} s |",
        f"| resident when ready | {max(resident):.0f} MB at most | {MEGABYTES} MB |",
        f"| resident after a forecast of each | {after:.0f} MB | |",
    ]
    for what, each in (("first forecast", seconds), ("CPU of it, without HTTP", opened)):
        for name, models in _GROUPS.items():
            times = [it for model in models for it in each[model]]
            p50, p99, most = 1e3 * np.percentile(times, (50, 99, 100))
            told = f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, {most:.0f} ms at most (of {len(times):,})"
            lines.append(f"| {what}, {name} | {told} | {MILLISECONDS} ms |")
    slowest = 1e3 * float(np.percentile([it for each in seconds.values() for it in each], 99))
    is_good = max(ready) <= SECONDS and max(resident) <= MEGABYTES and slowest <= MILLISECONDS
    return lines, is_good


if __name__ == "__main__":
    sys.exit(main())
