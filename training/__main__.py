"""Entry point of ``python -m training`` and ``roughcast-train``."""

import sys

from training.cli import main

if __name__ == "__main__":
    sys.exit(main())
