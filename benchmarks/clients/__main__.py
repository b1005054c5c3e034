"""Start a service on the shipped models, and let the clients ask it.

``python -m benchmarks.clients PYTHON``, where PYTHON is the interpreter of an environment that has
the clients: it runs ``checks.py``, which knows nothing of this project.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from service.settings import Settings
from tests.service.processes import serving

CHECKS = Path(__file__).with_name("checks.py")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python", type=Path, help="interpreter with tritonclient and kserve")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings(
            store=folder / "store", database_url=f"sqlite:///{folder / 'h.sqlite3'}"
        )
        with serving(settings) as served:
            asked = [options.python, CHECKS, f"127.0.0.1:{served.port}"]
            return subprocess.run(asked, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
