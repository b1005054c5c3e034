"""What holds for every test."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

# A busy machine is no reason for a test to fail.
settings.register_profile("roughcast", deadline=None)
settings.load_profile("roughcast")


@pytest.fixture(scope="session", autouse=True)
def _nobody_cuts_the_power() -> Iterator[None]:
    """Nothing waits for the disk; a test of what is flushed, and when, looks at that itself."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("os.fsync", lambda _descriptor: None)
        yield
