"""An HTTP server on this machine, and candles for it to give out."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np

from volatility.bars import Bars


class Answer(NamedTuple):
    body: Any
    status: int = 200
    headers: Mapping[str, str] = {}


class Asked(NamedTuple):
    path: str
    query: Mapping[str, str]


Answers = Callable[[Asked], Answer]


@dataclass
class Local:
    """A server that answers as it is told, and remembers what it was asked.

    Parameters
    ----------
    answers : what it says.
    failing : what it says to the next requests first; None hangs up.
    """

    answers: Answers
    failing: list[Answer | None] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    url: str = ""


@contextlib.contextmanager
def local(answers: Answers) -> Iterator[Local]:
    served = Local(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            asked = Asked(unquote(parts.path), query)
            served.asked.append(asked)
            answer = served.failing.pop(0) if served.failing else served.answers(asked)
            if answer is None:
                self.close_connection = True
                return
            text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def walk(start: str, count: int, interval: int, seed: int = 0) -> Bars:
    """Bars of a price that moves, one after another without a gap; two decimals, as traded."""
    rng = np.random.default_rng(seed)
    opens = np.round(100 * np.exp(np.cumsum(rng.normal(0, 0.01, count))), 2)
    closes = np.round(opens * np.exp(rng.normal(0, 0.005, count)), 2)
    high = np.round(np.maximum(opens, closes) * 1.003, 2)
    low = np.round(np.minimum(opens, closes) * 0.996, 2)
    times = np.datetime64(start, "s") + np.arange(count) * np.timedelta64(interval, "s")
    return Bars(times, opens, high, low, closes, interval)


def rows_of(bars: Bars) -> list[tuple[int, float, float, float, float]]:
    """(seconds since 1970, open, high, low, close) of each bar."""
    columns = (getattr(bars, it).tolist() for it in ("open", "high", "low", "close"))
    return list(zip(bars.timestamps.astype(np.int64).tolist(), *columns, strict=True))
