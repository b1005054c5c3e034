import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from service.server import main
from service.settings import Settings

OPERATIONS = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()


def test_defaults_are_those_of_a_fresh_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ROUGHCAST_{name.upper()}", raising=False)
    settings = Settings()
    assert str(settings.store) == "var/store"
    assert settings.database_url == "sqlite:///var/history.sqlite3"
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)


def test_the_environment_sets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUGHCAST_PORT", "8001")
    monkeypatch.setenv("ROUGHCAST_STORE", "/srv/models")
    monkeypatch.setenv("ROUGHCAST_LOG_LEVEL", "warning")
    settings = Settings()
    assert settings.port == 8001
    assert str(settings.store) == "/srv/models"
    assert settings.log_level == "warning"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "70000"),
        ("AUTHENTICATION", "maybe"),
        ("RATE_LIMIT", "0"),
        ("SEED", "maybe"),
        ("DRAIN_SECONDS", "-1"),
        ("SHUTDOWN_TIMEOUT", "-1"),
        ("MAX_STALE_SESSIONS", "-1"),
        ("MAX_MISSING_SESSIONS", "-1"),
        ("CONCURRENCY_LIMIT", "0"),
        ("LOG_LEVEL", "loud"),
        ("MAX_BODY_BYTES", "0"),
        ("DATABASE_CONNECT_TIMEOUT", "1"),
        ("DATABASE_STATEMENT_TIMEOUT", "0"),
        ("DATABASE_LOCK_TIMEOUT", "-1"),
        ("FOLLOW_SECONDS", "-1"),
    ],
)
def test_a_setting_that_makes_no_sense_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"ROUGHCAST_{name}", value)
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert [it["loc"] for it in refused.value.errors()] == [(name.lower(),)]


@pytest.mark.parametrize(("name", "value"), [("PORT", "harbour"), ("LOG_LEVEL", "loud")])
def test_it_is_told_in_a_line_without_its_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    monkeypatch.setenv(f"ROUGHCAST_{name}", value)
    with pytest.raises(SystemExit) as stopped:
        main([])
    assert stopped.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"ROUGHCAST_{name}: ")
    assert value not in line


def test_every_setting_says_what_it_is() -> None:
    undescribed = {name for name, it in Settings.model_fields.items() if not it.description}
    assert undescribed == set()


def test_the_page_for_operators_has_every_setting_with_its_default() -> None:
    rows = re.findall(r"^\| `(ROUGHCAST_\w+)` \| (?:`(.*?)`|none) \| \S", OPERATIONS, re.M)
    fields = Settings.model_fields.items()
    assert dict(rows) == {
        f"ROUGHCAST_{name.upper()}": "" if it.default in (None, ()) else str(it.default)
        for name, it in fields
    }
    assert len(rows) == len(fields)


def test_a_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUGHCAST_DATABASE_URL", "postgresql://u:secret@host/name")
    assert "secret" not in repr(Settings())


HOUR = 3_600
BOUNDS: dict[str, dict[str, float]] = {
    "database_connect_timeout": {"minimum": 2, "maximum": HOUR},
    "database_statement_timeout": {"exclusiveMinimum": 0, "maximum": HOUR},
    "database_lock_timeout": {"exclusiveMinimum": 0, "maximum": HOUR},
    "follow_seconds": {"minimum": 0, "maximum": HOUR},
    "port": {"minimum": 0, "maximum": 65_535},
    "drain_seconds": {"minimum": 0, "maximum": HOUR},
    "shutdown_timeout": {"minimum": 0, "maximum": HOUR},
    **{
        key: {"exclusiveMinimum": 0}
        for key in ("rate_limit", "header_timeout", "body_timeout", "write_timeout")
    },
    **{key: {"minimum": 0} for key in ("max_stale_sessions", "max_missing_sessions")},
    **{
        key: {"minimum": 1}
        for key in (
            "ledger_days",
            "ledger_replay_days",
            "max_recorded",
            "max_waiting_records",
            "max_open_models",
            "concurrency_limit",
            "max_body_bytes",
            "max_body_values",
            "max_held_bytes",
            "max_url_bytes",
            "max_header_bytes",
            "max_headers",
            "max_connections",
            "work_threads",
            "max_waiting_work",
            "ingest_threads",
            "max_waiting_ingests",
        )
    },
}


def test_numbers_are_bounded_where_others_make_no_sense() -> None:
    limits = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
    found = {
        name: {
            limit: part[limit]
            for part in (described, *described.get("anyOf", ()))
            for limit in limits
            if limit in part
        }
        for name, described in Settings.model_json_schema()["properties"].items()
    }
    assert {name: bounds for name, bounds in found.items() if bounds} == BOUNDS
