"""A stop waits for no thread that something keeps waiting, such as a database that is frozen."""

import threading
from collections.abc import Callable
from datetime import timedelta
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from service.assets import watcher
from service.ledger import live, recorder
from service.models import follower, verifier
from tests.service.worlds import NOW

NOTHING: Any = SimpleNamespace(stop=lambda: None)
KEPT = recorder.Retention(timedelta(1), timedelta(1), 1)

MADE: list[tuple[ModuleType, Callable[[], Any]]] = [
    (watcher, lambda: watcher.Watcher(NOTHING)),
    (live, lambda: live.LiveScorer(NOTHING, NOTHING, NOTHING)),
    (recorder, lambda: recorder.Recorder(NOTHING, lambda: NOW, 1, KEPT)),
    (follower, lambda: follower.Follower(NOTHING, NOTHING, NOTHING, NOTHING, 60.0)),
    (verifier, lambda: verifier.Verifier(NOTHING, NOTHING, NOTHING)),
]


@pytest.mark.parametrize(("module", "make"), MADE)
def test_a_stop_gives_up_what_does_not_end(
    module: ModuleType, make: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_STOPPING", 0.01)
    made, free = make(), threading.Event()
    made._thread = threading.Thread(target=free.wait, args=(30,), daemon=True)
    made.start()
    made.stop()
    assert made._thread.is_alive()
    assert made._stopping.is_set()
    free.set()
    made._thread.join()
