"""The command ``roughcast``."""


def main() -> int:
    """Run one command; returns the exit status."""
    return 0
