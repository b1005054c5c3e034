"""Ask a service the examples of its description, and write its answers down: ``make openapi``."""

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from models_store import Store
from service.app import create_app
from service.http import examples
from service.settings import Settings
from tests.service.client import TestClient

FILE = Path(examples.__file__).with_name("examples.json")
ROLLED_BACK = ("SPX", "har")
_LONGEST = 3  # entries of a list, or lines of a text, that an example shows
_RECORDED = ("get_recorded_forecast", "replay_recorded_forecast")


def answers(client: TestClient, store: Path, given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Ask every example, in their order.

    Parameters
    ----------
    client : of a service with the shipped models.
    store : its model store. For the example that rolls a model back, a second version of it is
        published and promoted.
    given : the examples by operation.

    Yields
    ------
    The operation, and its answer.
    """
    described = client.get("/openapi.json").json()["paths"]
    routes = {of["operationId"]: (m, p) for p, item in described.items() for m, of in item.items()}
    for operation, example in given.items():
        if operation == "roll_back_model":
            _publish_again(client, store)
        method, path = routes[operation]
        path = path.format(**example.get("path", {}))
        asked = {"params": example.get("query"), "json": example.get("body")}
        answer = client.request(method, path, **asked)
        for _ in range(100):  # forecasts are recorded behind their answers
            if answer.status_code != 404 or operation not in _RECORDED:
                break
            time.sleep(0.1)
            answer = client.request(method, path, **asked)
        yield operation, answer


def shortened(answer: Any) -> Any:
    """The same with fewer entries in its long lists, and one in maps of the like."""
    if isinstance(answer, dict):
        kinds = {tuple(part) if isinstance(part, dict) else None for part in answer.values()}
        if len(answer) > 1 and len(kinds) == 1 and None not in kinds:
            answer = dict(list(answer.items())[:1])
        return {name: shortened(part) for name, part in answer.items()}
    if isinstance(answer, list):
        return [shortened(part) for part in answer[:_LONGEST]]
    return answer


def _publish_again(client: TestClient, root: Path) -> None:
    asset, model = ROLLED_BACK
    store = Store(root)
    folder = root / asset / model / str(store.load(asset, model).version)
    files = {it.name: it.read_bytes() for it in folder.iterdir()}
    version = store.publish(files)
    answer = client.post(f"/admin/models/{asset}/{model}/promote", json={"version": version})
    answer.raise_for_status()


def main() -> int:
    """Write the answers into the file of examples."""
    given = json.loads(FILE.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as name:
        store = Path(name) / "store"
        settings = Settings(store=store, database_url=f"sqlite:///{name}/history.sqlite3")
        app = create_app(settings, lambda: datetime(2022, 1, 1, tzinfo=UTC))
        with TestClient(app) as client:
            for operation, answer in answers(client, store, given):
                answer.raise_for_status()
                if operation == "forecast":
                    for other in _RECORDED:
                        given[other]["path"] = {"forecast_id": answer.json()["forecast_id"]}
                if answer.headers["content-type"].startswith("application/json"):
                    given[operation]["answer"] = shortened(answer.json())
                else:
                    lines = answer.text.splitlines()[:_LONGEST]
                    given[operation]["answer"] = "\n".join(lines) + "\n"
    text = json.dumps(given, indent=1, ensure_ascii=False)
    FILE.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
