"""What the room hands around cannot be changed by who gets it."""

from tests.values import compared_as_objects, dataclasses_of, mutable

DATACLASSES = tuple(
    dataclasses_of(
        "training",
        without=(
            "training.__main__",
            "training.networks",
            "training.models.neural",
            "training.reproduction",
        ),
    )
)


def test_dataclasses_are_frozen() -> None:
    assert mutable(DATACLASSES) == set()


def test_what_holds_arrays_equals_itself_alone() -> None:
    """Whether arrays are equal is no one truth."""
    assert compared_as_objects(DATACLASSES) == {
        "AssetRegressors",
        "ExportedPooled",
        "KindStage",
        "PooledFit",
    }
