"""What a model for every asset says of itself, and what it may not leave out."""

from typing import Any

import pytest
from pydantic import ValidationError

from models_store.universal.manifest import UniversalManifest
from tests.models_store.universal.small import HORIZONS, SHORT, small_manifest
from volatility.scale_free import KINDS

MANIFEST = small_manifest()
SAID = MANIFEST.model_dump()


def changed(**fields: Any) -> UniversalManifest:
    return UniversalManifest.model_validate({**SAID, **fields})


def without(records: dict[Any, Any], *left_out: Any) -> dict[Any, Any]:
    return {name: it for name, it in records.items() if name not in left_out}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"capped_means": (0.9,) * 3}, "there is not one capped mean a horizon"),
        ({"capped_means": (0.9,) * 5}, "there is not one capped mean a horizon"),
        ({"kind_scales": {"fx": (0.1,) * 3}}, "there is not one scale of a kind a horizon"),
        (
            {"calendar_effects": without(SAID["calendar_effects"], "fx")},
            "calendar_effects needs stock, etf, index, fx, crypto",
        ),
        (
            {"by_kind": without(SAID["by_kind"], "stock")},
            "by_kind needs stock, etf, index, fx, crypto, or nothing",
        ),
        (
            {"by_kind": {kind: without(it, 22) for kind, it in SAID["by_kind"].items()}},
            "a record of a kind does not have every horizon",
        ),
        (
            {"short_histories": {"fx": {22: without(SAID["by_kind"]["fx"], 1)}}},
            "a record of a kind does not have every horizon",
        ),
        ({"short_histories": {"share": {}}}, "share is no kind of asset; there are stock, etf"),
    ],
)
def test_what_is_left_out_is_said(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        changed(**fields)


def test_what_may_be_left_out() -> None:
    assert changed() == MANIFEST
    assert changed(by_kind={}, short_histories={}).by_kind == {}
    some = {"fx": SAID["short_histories"]["fx"]}  # short histories of some kinds alone
    assert list(changed(short_histories=some).short_histories) == ["fx"]


@pytest.mark.parametrize(
    ("sessions", "recorded"),
    [(22, 22), (59, 22), (60, 60), (249, 60), (250, 250), (1_000, 250), (21, 250)],
)
def test_a_history_has_the_records_of_the_longest_that_is_no_longer(
    sessions: int, recorded: int
) -> None:
    assert SHORT == (22, 60)
    for kind in KINDS:
        assert MANIFEST.recorded_sessions(kind, sessions) == recorded
    assert changed(short_histories={}).recorded_sessions("fx", sessions) == 250


def test_records_are_those_of_the_kind_and_of_so_many_sessions() -> None:
    for kind in KINDS:
        assert MANIFEST.records(kind, 250) == MANIFEST.by_kind[kind]
        for sessions in SHORT:
            found = MANIFEST.records(kind, sessions)
            assert found == MANIFEST.short_histories[kind][sessions]
            assert list(found) == list(HORIZONS)
    sizes = {MANIFEST.records(kind, it)[1].error_size for kind in KINDS for it in (*SHORT, 250)}
    assert len(sizes) == len(KINDS) * 3  # each its own
