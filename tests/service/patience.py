"""Waiting for what another thread or process brings about."""

import time
from collections.abc import Callable

PATIENCE = 60  # seconds, on a machine that does much else


def eventually(holds: Callable[[], bool]) -> None:
    give_up = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.01)
