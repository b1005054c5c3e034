"""A manifest says nothing that contradicts itself."""

import pytest
from pydantic import ValidationError

from models_store.manifest import CompanionData
from tests.models_store.artifacts import make_manifest

VIX = CompanionData(
    **make_manifest().training.model_dump(exclude={"asset"}),
    asset="VIX",
    measure="implied_variance",
    calendar="XNYS",
    bar_interval=86_400,
)


@pytest.mark.parametrize("stand_in", [None, "", "har_companions"])
def test_companions_need_another_model_that_stands_in(stand_in: str | None) -> None:
    with pytest.raises(ValidationError, match="needed: the name of another model"):
        make_manifest(model="har_companions", companions=(VIX,), stand_in=stand_in)


def test_a_stand_in_is_another_model() -> None:
    made = make_manifest(model="har_companions", companions=(VIX,), stand_in="har")
    assert made.stand_in == "har"
    assert make_manifest().stand_in is None


def test_what_a_manifest_says_of_a_model_is_not_changed_afterwards() -> None:
    manifest = make_manifest()
    with pytest.raises(ValidationError, match="frozen"):
        manifest.lookback = 23  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        manifest.predictor.kind = "network"  # type: ignore[misc]
