"""A service that follows a store in which versions are promoted.

Half of the promotions are made in the store and half through the service. After a kill the pointer
names what was promoted last, or was being promoted; that version serves in the service that is
started again; and every forecast that the ledger told of, by whichever version, is made again.
"""

import http.client
import random
import threading
from functools import partial
from pathlib import Path

from benchmarks.kills.clients import Client, ask, call, served
from benchmarks.kills.forecasting import Asker, left_in_ledger
from benchmarks.kills.ingesting import is_sound
from benchmarks.kills.processes import (
    UP_SECONDS,
    Found,
    Mutate,
    environment_of,
    free_port,
    nothing,
    serve,
)
from models_store import Store
from tests.models_store.artifacts import make_files
from tests.service import worlds

MODEL = "har"
VERSIONS = 4
ASKERS = 2  # clients that ask for the model that is exchanged, beside one that exchanges it


def follow(
    folder: Path, kills: int, seed: int = 0, mutate: Mutate = nothing, clients: int = ASKERS
) -> Found:
    """Kill a service that follows a store, so many times.

    Parameters
    ----------
    folder : an empty one.
    kills : how many times.
    seed : of the moments.
    mutate : what is done to the service before it starts.
    clients : that ask at once.
    """
    worlds.build(folder)
    settings, chance, total = worlds.settings_in(folder), random.Random(seed), Found()
    store = Store(settings.store_folder)
    for number in range(1, VERSIONS):
        store.publish(make_files(worlds.ASSET, MODEL, 1e-5 * (1 + number)))
    port = free_port()
    askers = [Asker(port, MODEL, first) for first in range(clients)]
    promoter = Promoter(port, store)
    serving = partial(serve, environment_of(settings, port), mutate)
    everybody = (*askers, promoter)
    for number in range(kills + 1):
        with served(serving, port, everybody):
            if number:
                total += Found(1) + promoter.left() + left_in_ledger(port, askers)
            if number == kills:
                break
            ask(everybody, chance)
        total += Found(partial=not is_sound(settings))
    return total


class Promoter(Client):
    """Promotes one version after the other, through the service and in the store by turns.

    Attributes
    ----------
    acknowledged : promotions since the last look.
    last : the version whose promotion was acknowledged last.
    begun : that whose promotion was begun last.
    """

    def __init__(self, port: int, store: Store) -> None:
        super().__init__(port)
        self._store = store
        self.acknowledged, self.last, self.begun = 0, 1, 1
        self._turns = 0
        self._stopping = threading.Event()

    def start(self) -> None:
        """Promote from now on."""
        self._stopping.clear()
        super().start()

    def stop(self) -> None:
        """End: in the store it could go on whatever is killed."""
        self._stopping.set()

    def turn(self, connection: http.client.HTTPConnection) -> None:
        """Promote the next version."""
        if self._stopping.is_set():
            raise ConnectionAbortedError
        self._turns += 1
        self.begun = 1 + self.last % VERSIONS
        if self._turns % 2:
            path = f"/admin/models/{worlds.ASSET}/{MODEL}/promote"
            status, said = call(connection, "POST", path, {"version": self.begun})
            assert status == 200, said
        else:
            self._store.promote(worlds.ASSET, MODEL, self.begun)
        self.last = self.begun
        self.acknowledged += 1
        self.done.set()

    def left(self) -> Found:
        """What a kill left: what the store names, and whether that is what serves."""
        promoted = self._store.current(worlds.ASSET, MODEL)
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=UP_SECONDS)
        _, answer = call(connection, "POST", "/forecast", {"asset": worlds.ASSET, "model": MODEL})
        connection.close()
        found = Found(
            acknowledged=self.acknowledged,
            under_way=self.begun != self.last,
            lost=promoted not in (self.last, self.begun),
            partial=answer.get("model_version") != promoted,
        )
        assert promoted is not None
        self.acknowledged, self.last, self.begun = 0, promoted, promoted
        return found
