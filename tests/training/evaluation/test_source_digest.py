"""What a fit is kept by, besides what it was asked: the code, and what it computes with."""

from importlib import metadata
from types import SimpleNamespace

import pytest

from training.evaluation import digests

LIBRARIES = ("arch", "exchange_calendars", "numpy", "onnxruntime", "scipy", "torch")


def digest_with(monkeypatch: pytest.MonkeyPatch, newer: str | None, absent: str = "") -> str:
    """That of the source, where all libraries have one version but one that is newer."""

    def found(name: str) -> SimpleNamespace:
        if name == absent:
            raise metadata.PackageNotFoundError(name)
        return SimpleNamespace(metadata={"Name": name}, version="2" if name == newer else "1")

    known = SimpleNamespace(distribution=found, PackageNotFoundError=metadata.PackageNotFoundError)
    monkeypatch.setattr("training.evaluation.digests.metadata", known)
    return digests.source_digest.__wrapped__()


def test_another_version_of_what_computes_is_another_source(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = {name: digest_with(monkeypatch, name) for name in (*LIBRARIES, None)}
    assert len(set(found.values())) == len(LIBRARIES) + 1
    assert digest_with(monkeypatch, "pandas") == found[None]
    assert digest_with(monkeypatch, None, absent="arch") not in found.values()
