"""``python -m service``: serve, or print the OpenAPI document."""

import gc
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; settings come from the environment. Returns the exit status."""
    # Before anything is imported: what is made until the service is up stays, and a collector that
    # goes through it again and again takes a tenth of the start.
    gc.disable()
    from service import server
    from volatility.piping import until_closed

    return until_closed(lambda: server.main(arguments))


if __name__ == "__main__":
    sys.exit(main())
