"""What the room hands around cannot be changed by who gets it."""

from tests.values import compared_as_objects, dataclasses_of, mutable

DATACLASSES = tuple(dataclasses_of("models_store"))


def test_dataclasses_are_frozen() -> None:
    assert mutable(DATACLASSES) == set()


def test_what_holds_arrays_equals_itself_alone() -> None:
    """Whether arrays are equal is no one truth; and a rack is a state, whatever is in it."""
    found = compared_as_objects(DATACLASSES)
    assert found == {"PooledRegression", "Rack", "Record", "UniversalModel"}
