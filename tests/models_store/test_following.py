"""How often a mirror asks for all of its remote, and what it tells of what is wrong there."""

from pathlib import Path

import pytest

from models_store.mirror import Mirror
from tests.models_store.artifacts import make_files
from tests.models_store.buckets import make_url, mirrored

DAMAGED = {f"TEST/{name}": f"{name} is damaged" for name in ("ewma", "har", "log_har", "mem")}


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    store = mirrored(make_url(), tmp_path)
    store.publish(make_files(), promote=True)
    return Mirror((tmp_path / ".remote").read_text(), tmp_path)


def test_what_is_damaged_is_looked_at_less_and_less_often(mirror: Mirror) -> None:
    pauses = []
    for _ in range(7):
        mirror._note_faults(dict(DAMAGED), None, 7.0)
        pauses.append(mirror._pause)
    assert pauses == [0.0, 5.0, 15.0, 35.0, 60.0, 60.0, 60.0]
    assert mirror._listed == 7.0
    mirror._note_faults({}, None, 9.0)
    assert (mirror._pause, mirror._listed, mirror.doubt) == (60.0, 9.0, None)
    mirror._note_faults(dict(DAMAGED), None, 10.0)
    assert mirror._pause == 0.0


def test_a_look_at_some_assets_keeps_what_is_known_of_the_others(mirror: Mirror) -> None:
    mirror._note_faults({"A/har": "a", "B/har": "b"}, None, 7.0)
    assert mirror.doubt == "a; b"
    mirror._note_faults({"C/har": "c"}, ("B", "C"), 8.0)
    assert (mirror.doubt, mirror._listed, mirror._pause) == ("a; c", 7.0, 0.0)
    mirror._note_faults({}, ("A", "C"), 9.0)
    assert (mirror.doubt, mirror._listed, mirror._pause) == (None, 7.0, 60.0)


def test_three_faults_are_told_and_the_others_counted(mirror: Mirror) -> None:
    mirror._note_faults(dict(DAMAGED), None, 7.0)
    assert mirror.doubt == "ewma is damaged; har is damaged; log_har is damaged; 1 more"
    mirror._note_faults(dict(list(DAMAGED.items())[:3]), None, 8.0)
    assert mirror.doubt == "ewma is damaged; har is damaged; log_har is damaged"


def test_where_nothing_is_here_faults_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"^\[Errno 5\] nothing is taken over: a$"):
        Mirror(make_url(), tmp_path)._note_faults({"A/har": "a"}, None, 7.0)
