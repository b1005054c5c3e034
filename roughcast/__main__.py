"""Entry point of ``roughcast`` and ``python -m roughcast``."""

import os
import sys

# As training has it: one thread, before numpy is loaded, or sums end in other bits.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def main() -> int:
    """Run one command; returns the exit status."""
    from roughcast.commands.application import run
    from volatility.piping import until_closed

    return until_closed(lambda: run(sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(main())
