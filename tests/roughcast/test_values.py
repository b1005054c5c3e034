"""What whoever calls is given cannot be changed by them."""

from tests.values import dataclasses_of, mutable

DATACLASSES = tuple(dataclasses_of("roughcast", without=("roughcast.__main__",)))


def test_dataclasses_are_frozen() -> None:
    assert len(DATACLASSES) > 15
    assert mutable(DATACLASSES) == set()
