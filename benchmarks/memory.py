"""How much memory a process takes."""

from pathlib import Path


def resident_megabytes(pid: int) -> float:
    """Memory of a process that is in use and not swapped out, of shared libraries too."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024
