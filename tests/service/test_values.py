"""What the room hands around cannot be changed by who gets it."""

from tests.values import dataclasses_of, mutable

DATACLASSES = tuple(
    dataclasses_of("service", without=("service.__main__", "service.database.migrations"))
)


def test_dataclasses_are_frozen() -> None:
    found = mutable(DATACLASSES)
    # What a client has left to ask for, and when it asked last; what a batch has found out so far.
    assert found == {"_Client", "Told"}
