"""What `make motion` counts is what it says."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import motion
from benchmarks.motion import ASSET, LARGER, MODEL, Asked, Tally, publish_another
from models_store import Store, open_store
from volatility.series import RealizedSeries


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = open_store(tmp_path / "store")
    publish_another(store)
    return store


def test_the_second_version_passes_and_says_something_else(store: Store) -> None:
    history = RealizedSeries(np.array([1e-3, 2e-3] * 11), "garman_klass")
    first, second = (store.load(ASSET, MODEL, version) for version in (1, 2))
    for horizon, factor in ((1, LARGER), (5, 1.0)):
        before = first.forecast(history, horizon=horizon).rv
        assert second.forecast(history, horizon=horizon).rv == pytest.approx(factor * before)


def test_what_fails_and_what_is_of_two_versions_is_counted() -> None:
    tally = Tally()
    answers = ((1, 200, b"a"), (2, 200, b"b"), (3, 200, b"c"), (4, 503, b""))
    for milliseconds, status, body in answers:
        tally.add(Asked(0.0, milliseconds / 1e3, status, body), [b"a", b"b"])
    assert (tally.failed, tally.mixed, len(tally.seconds)) == (1, 1, 4)
    assert tally.percentile(50) == pytest.approx(2.5e-3)
    assert motion._row("it", tally, "300 MB") == "| it | 4 | 1 | 1 | 2.50 ms | 3.97 ms | 300 MB |"


def test_clients_ask_of_held_history_and_of_their_own() -> None:
    asked = motion.questions()
    assert [sorted(it.get("history", {})) for it in asked] == [[], [], ["rv"], ["bars"]]
    assert len(asked[3]["history"]["bars"]) == 250
