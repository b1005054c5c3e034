"""Entry point of ``python -m training`` and ``roughcast-train``."""

import os
import sys

# One thread for each process, before numpy is loaded: a sum spread over threads ends in other bits,
# an optimizer makes a seventh digit of them, and processes already share the cores.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def main() -> int:
    """Run one command; returns the exit status."""
    from training import cli
    from volatility.allocator import keep_freed_memory
    from volatility.piping import until_closed

    keep_freed_memory()
    return until_closed(cli.main)


if __name__ == "__main__":
    sys.exit(main())
