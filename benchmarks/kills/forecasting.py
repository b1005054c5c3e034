"""A service that forecasts while bars are corrected.

A forecast counts as acknowledged once the ledger tells it. Whatever the ledger has after a kill
must be what was answered, and be made again to the last bit.
"""

import http.client
import random
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.kills.clients import Client, ask, call, served
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
from tests.models_store.artifacts import make_series
from tests.service import worlds

ASKERS = 3  # clients that ask, beside one that corrects the last bar
_MODELS = ("har", "log_har", "last_value")
_LAST = worlds.json_bars(worlds.bars_of(make_series()))[-1]


def forecast(
    folder: Path, kills: int, seed: int = 0, mutate: Mutate = nothing, clients: int = ASKERS
) -> Found:
    """Kill a service that is asked for forecasts, so many times.

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
    port = free_port()
    askers = [Asker(port, _MODELS[it % len(_MODELS)]) for it in range(clients)]
    serving = partial(serve, environment_of(settings, port), mutate)
    everybody = (*askers, Corrector(port))
    for number in range(kills + 1):
        with served(serving, port, everybody):
            if number:
                total += Found(1) + left_in_ledger(port, askers)
            if number == kills:
                break
            ask(everybody, chance)
        total += Found(partial=not is_sound(settings))
    return total


class Asker(Client):
    """Asks for a forecast that nobody has asked for, and then the ledger for it.

    Parameters
    ----------
    port : of the service.
    model : that is asked for.
    first : what tells its questions from those of others that ask for the same model.

    Attributes
    ----------
    answers : that the ledger told of, by id, since the last look.
    missing : how many it did not tell of, though it answered; or not as they were.
    under_way : whether it was asked for one, without an answer.
    answered : id of the last forecast that was answered, until the ledger tells of it.
    """

    def __init__(self, port: int, model: str, first: int = 0) -> None:
        super().__init__(port)
        self._model, self._asked = model, 100_000 * first
        self.answers: dict[str, dict[str, Any]] = {}
        self.missing = 0
        self.under_way = False
        self.answered: str | None = None

    def turn(self, connection: http.client.HTTPConnection) -> None:
        """Ask for the next one."""
        self._asked += 1
        asked = {
            "asset": worlds.ASSET,
            "model": self._model,
            "quantiles": [self._asked / 1e6 + 0.1],
        }
        self.under_way = True
        status, answer = call(connection, "POST", "/forecast", asked)
        if status == 200:
            self.answered = answer["forecast_id"]
            status, record = call(connection, "GET", f"/forecasts/{answer['forecast_id']}")
        if status == 503:  # the file is locked for too long
            return
        self.under_way, self.answered = False, None
        if status == 200 and record["answer"] == answer:
            self.answers[answer["forecast_id"]] = answer
        else:
            self.missing += 1
        self.done.set()


class Corrector(Client):
    """Puts another last bar in the place of the one before."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self._level = 0

    def turn(self, connection: http.client.HTTPConnection) -> None:
        """Put the next one."""
        self._level += 1
        bar = _LAST | {"high": float(str(_LAST["high"])) * (1 + self._level % 50 / 1e3)}
        path = f"/assets/{worlds.ASSET}/bars?replace=true"
        call(connection, "PUT", path, {"bars": [bar]})
        self.done.set()


def left_in_ledger(port: int, askers: list[Asker]) -> Found:
    """What the ledger has of the forecasts that it told of, and whether they can be made again."""
    connection, found = http.client.HTTPConnection("127.0.0.1", port, timeout=UP_SECONDS), Found()
    for it in askers:
        found += Found(acknowledged=len(it.answers), under_way=it.under_way, lost=it.missing)
        it.missing = 0
        if it.answered is not None:
            status, _ = call(connection, "GET", f"/forecasts/{it.answered}")
            found += Found(unrecorded=status == 404)
            it.answered = None
        for forecast_id, answer in it.answers.items():
            status, record = call(connection, "GET", f"/forecasts/{forecast_id}")
            is_there = status == 200
            _, again = call(connection, "GET", f"/forecasts/{forecast_id}/replay")
            is_whole = is_there and record["answer"] == answer and again.get("identical", False)
            found += Found(lost=not is_there, partial=is_there and not is_whole)
        it.answers.clear()
    connection.close()
    return found
