import os
import subprocess
import sys

PROGRAM = """
import sys
import training.__main__ as entry
assert "numpy" not in sys.modules  # which would have counted the cores already
import os
print(*(os.environ[f"{name}_NUM_THREADS"] for name in ("OMP", "OPENBLAS", "MKL")))
"""


def test_a_process_keeps_to_one_thread_so_that_sums_end_in_the_same_bits() -> None:
    environment = os.environ | {"OMP_NUM_THREADS": "4"}
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=environment, check=True
    )
    assert found.stdout.split() == ["1", "1", "1"]
