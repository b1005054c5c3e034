from pathlib import Path

import pytest

from training.evaluation import folder
from training.evaluation.folder import check_replaceable, replace_folder
from volatility.errors import InvalidInput

OLD = {"results.csv": b"old", "figures/a.svg": b"old"}
NEW = {"results.csv": b"new", "figures/b.svg": b"new"}


def content(path: Path) -> dict[str, bytes]:
    files = [entry for entry in path.rglob("*") if entry.is_file()]
    return {str(entry.relative_to(path)): entry.read_bytes() for entry in files}


def test_new_results_replace_the_old_ones_as_a_whole(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    replace_folder(out, OLD)
    assert content(out) == OLD
    replace_folder(out, NEW)
    assert content(out) == NEW
    assert [entry.name for entry in out.parent.iterdir()] == ["out"]  # nothing is left beside it


@pytest.mark.parametrize("failing", ["write_bytes", "rename"])
def test_what_was_there_stays_when_the_new_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    out = tmp_path / "out"
    replace_folder(out, OLD)
    honest = getattr(Path, failing)

    def fail(path: Path, *arguments: object) -> object:
        if path.name == "b.svg" or ".unfinished-" in path.name:
            raise OSError(28, "No space left on device")
        return honest(path, *arguments)

    monkeypatch.setattr(Path, failing, fail)
    with pytest.raises(OSError, match="No space left"):
        replace_folder(out, NEW)
    monkeypatch.undo()
    assert content(out) == OLD
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_an_interrupt_between_the_renames_keeps_the_old_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    replace_folder(out, OLD)
    honest = Path.rename

    def interrupted(path: Path, target: Path) -> Path:
        if ".unfinished-" in path.name:
            raise KeyboardInterrupt
        return honest(path, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        replace_folder(out, NEW)
    monkeypatch.undo()
    assert content(out) == OLD


def test_a_folder_of_something_else_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    (tmp_path / "results.csv").write_text("of something else")
    with pytest.raises(InvalidInput, match=r"holds thesis\.tex, which no evaluation wrote"):
        check_replaceable(tmp_path)
    with pytest.raises(InvalidInput, match=r"thesis\.tex"):
        replace_folder(tmp_path, NEW)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
    with pytest.raises(InvalidInput, match=r"thesis\.tex"):
        check_replaceable(tmp_path / "thesis.tex")


def test_a_new_or_empty_folder_may_be_written_to(tmp_path: Path) -> None:
    check_replaceable(tmp_path / "absent")
    check_replaceable(tmp_path)
    assert list(tmp_path.iterdir()) == []  # which only looks
    written = dict.fromkeys(sorted(folder.ENTRIES - {"figures"}), b"")
    replace_folder(tmp_path / "out", written)
    check_replaceable(tmp_path / "out")
    assert content(tmp_path / "out") == written
