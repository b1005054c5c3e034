"""Whether the store's folder can still be read, for readiness."""

import asyncio
import threading
from concurrent.futures import Future
from pathlib import Path


class StoreFolder:
    """Looks at the store's folder, of which a network file system may never answer.

    A look that does not end cannot be given up. So it has a thread of its own, which keeps neither
    the event loop nor the end of the process waiting, and there is one look at a time.

    Parameters
    ----------
    root : the folder.
    seconds : for which readiness waits for it.
    """

    def __init__(self, root: Path, seconds: float) -> None:
        self._root = root
        self._seconds = seconds
        self._looking: asyncio.Future[list[str]] | None = None

    async def warnings(self) -> list[str]:
        """What is wrong with the folder; what is loaded serves without it, a start would not."""
        if self._looking is None or self._looking.done():
            self._looking = self._look()
        await asyncio.wait([self._looking], timeout=self._seconds)
        if not self._looking.done():
            return [f"the store {self._root} does not answer within {self._seconds:g} seconds"]
        return self._looking.result()

    def _look(self) -> "asyncio.Future[list[str]]":
        found: Future[list[str]] = Future()
        found.set_running_or_notify_cancel()  # from here on nobody can cancel it
        threading.Thread(
            target=lambda: found.set_result(_warnings(self._root)), name="store-folder", daemon=True
        ).start()
        return asyncio.wrap_future(found)  # one: each adds a callback to a look that may not end


def _warnings(root: Path) -> list[str]:
    try:
        is_empty = not any(root.iterdir())
    except OSError as error:
        return [f"the store {root} cannot be read any more: {error.strerror}"]
    return [f"the store {root} has become empty"] if is_empty else []
