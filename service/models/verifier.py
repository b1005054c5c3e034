"""Verifies, after the start, every model that nobody has asked for yet."""

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import structlog

from models_store.comparison import JUDGED
from service.http.lanes import Lane
from service.models.catalogue import AUTO, Catalogue
from service.models.turning import Turner

log = structlog.get_logger("service")

_BETWEEN = 5.0  # seconds between two tries to read what is lost
_STOPPING = 2.0  # seconds that a stop waits for a model under way
_GLANCE = 0.005  # seconds between two looks at whether requests for models come
_PATIENCE = 0.5  # seconds that a model waits for these
_PATIENCE_IN_ALL = 60.0  # seconds that all do, so that each is verified however many requests come


class Verifier:
    """A thread that verifies one model after the other, so that all refusals are known soon.

    What ``auto`` means comes first, and stays open while there is room. The models of every asset
    are compared. Then it tries again, every few seconds, to read what is lost.

    Parameters
    ----------
    catalogue : the models.
    turner : by which what is lost comes back.
    requests : that open models, and come first for a while.
    """

    def __init__(self, catalogue: Catalogue, turner: Turner, requests: Lane) -> None:
        self._catalogue, self._turner = catalogue, turner
        self._requests, self._seen = requests, 0
        self._stopping = threading.Event()
        # A daemon: a store that does not answer must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="verifier", daemon=True)

    def start(self) -> None:
        """Begin to verify."""
        self._thread.start()

    def stop(self) -> None:
        """End; a model that is being verified is waited for, if it takes no longer than 2 s."""
        self._stopping.set()
        self._thread.join(_STOPPING)

    def _run(self) -> None:
        catalogue = self._catalogue
        assets = catalogue.assets()
        self._verify(assets)
        if self._stopping.is_set():
            return
        log.info("models verified", **catalogue.totals(), refused=len(catalogue.shelf.refused))
        self._compare(assets)
        while not self._stopping.wait(_BETWEEN):
            back = self._retry()
            self._verify(back)
            self._compare(back)

    def _verify(self, assets: Sequence[str]) -> None:
        models = self._catalogue.models
        asked = [(asset, AUTO) for asset in assets]
        asked += [(asset, model) for asset in assets for model in models(asset)]
        patience = _PATIENCE_IN_ALL
        for asset, model in asked:
            patience -= self._give_way(min(patience, _PATIENCE))
            if self._stopping.is_set():
                return
            with _logging("model not verified", asset=asset, model=model):
                self._catalogue.prepare(asset, model)

    def _give_way(self, seconds: float) -> float:
        """Wait while requests come, for the lock of Python's and a core that both would share.

        Returns
        -------
        Seconds that it has waited.
        """
        began, waited = time.monotonic(), 0.0
        while self._have_come() and waited < seconds and not self._stopping.wait(_GLANCE):
            waited = time.monotonic() - began
        return waited

    def _have_come(self) -> bool:
        """Whether any has since the last look, or is under way."""
        before, self._seen = self._seen, self._requests.taken
        return self._seen > before or self._requests.busy > 0

    def _retry(self) -> list[str]:
        """Try to read again what is lost; return the assets of which something is back, sorted."""
        catalogue, back = self._catalogue, set()
        for asset, name in catalogue.shelf.lost():
            if self._stopping.is_set():
                break
            with _logging("what is lost not tried again", asset=asset, model=name):
                if self._turner.retry(asset, name):
                    back.add(asset)
        return sorted(back.intersection(catalogue.assets()))

    def _compare(self, assets: Iterable[str]) -> None:
        for asset in assets:
            if self._stopping.is_set():
                return
            with _logging("models not compared", asset=asset):
                self._catalogue.standings.comparison(asset, JUDGED)


@contextmanager
def _logging(event: str, **of: str) -> Iterator[None]:
    """Go on after any error: whoever asks for the same gets it, too."""
    try:
        yield
    except Exception:
        log.exception(event, **of)
