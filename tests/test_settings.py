import os
from datetime import timedelta
from pathlib import Path

import pytest

from eventjobs.auth.oidc.installed import provider_of
from eventjobs.errors import SettingsInvalid
from eventjobs.settings import MASK, load_settings, unknown_variables


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("EVENTJOBS_")]:
        monkeypatch.delenv(name)


def test_nothing_has_to_be_set() -> None:
    settings = load_settings()
    assert settings.database_url is None
    assert settings.server_url is None
    assert settings.data_dir == Path("~/.local/share/eventjobs").expanduser()
    assert (settings.port, settings.min_period, settings.grace) == (8080, timedelta(minutes=15), timedelta(seconds=30))


def test_variables_are_read_and_options_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTJOBS_PORT", "9000")
    monkeypatch.setenv("EVENTJOBS_DATA_DIR", "~/jobs")
    assert load_settings().port == 9000
    assert load_settings().data_dir == Path.home() / "jobs"
    assert load_settings({"port": 9001, "data_dir": None}).port == 9001


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTJOBS_DATABASE_URL", "")
    assert load_settings().database_url is None


def test_lists_are_comma_separated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTJOBS_OUTBOUND_ALLOW", "localhost:8080, 10.0.0.0/8,,")
    assert load_settings().outbound_allow == ("localhost:8080", "10.0.0.0/8")


def test_durations_are_iso_8601(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTJOBS_MIN_PERIOD", "PT1H30M")
    assert load_settings().min_period == timedelta(minutes=90)
    assert load_settings().show()["EVENTJOBS_MIN_PERIOD"] == "PT1H30M"


@pytest.mark.parametrize("value", ["900", "15 minutes", "P", "PT0S", "-PT5M"])
def test_other_durations_are_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("EVENTJOBS_MIN_PERIOD", value)
    with pytest.raises(SettingsInvalid, match="EVENTJOBS_MIN_PERIOD"):
        load_settings()


def test_everything_wrong_is_said_at_once_and_without_the_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTJOBS_PORT", "seventy")
    monkeypatch.setenv("EVENTJOBS_GRACE", "soon")
    monkeypatch.setenv("EVENTJOBS_DATABASE_URL", "mysql://me:hunter2hunter2@host/db")
    monkeypatch.setenv("EVENTJOBS_APP_ROLE", "Robert'); DROP")
    with pytest.raises(SettingsInvalid) as caught:
        load_settings()
    lines = str(caught.value).splitlines()
    assert {line.partition(":")[0] for line in lines} == {
        "EVENTJOBS_PORT",
        "EVENTJOBS_GRACE",
        "EVENTJOBS_DATABASE_URL",
        "EVENTJOBS_APP_ROLE",
    }
    assert "hunter2" not in str(caught.value)


def test_the_public_address_that_everybody_is_shown_holds_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTJOBS_PUBLIC_URL", "https://me:hunter2hunter2@jobs.example.org")
    with pytest.raises(SettingsInvalid, match="EVENTJOBS_PUBLIC_URL") as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "issuer",
    ["http://id.example.org", "https://me:hunter2@id.example.org", "https://id.example.org?x=1", "id.example.org"],
)
def test_an_issuer_is_an_https_url(monkeypatch: pytest.MonkeyPatch, issuer: str) -> None:
    monkeypatch.setenv("EVENTJOBS_OIDC_ISSUER", issuer)
    with pytest.raises(SettingsInvalid, match="EVENTJOBS_OIDC_ISSUER"):
        load_settings()


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "EVENTJOBS_OIDC_CLIENT_ID"),
        ({"oidc_client_id": "us"}, "EVENTJOBS_PUBLIC_URL"),
        ({"oidc_client_id": "us", "public_url": "http://jobs.example.org"}, "EVENTJOBS_PUBLIC_URL"),
        (
            {"oidc_client_id": "us", "public_url": "https://j.example.org", "oidc_client_secret_file": "/none"},
            "EVENTJOBS_OIDC_CLIENT_SECRET_FILE",
        ),
    ],
)
def test_a_provider_needs_what_it_knows_us_by(given: dict[str, str], missing: str) -> None:
    settings = load_settings({"oidc_issuer": "https://id.example.org", **given})
    with pytest.raises(SettingsInvalid, match=missing):
        provider_of(settings, float)


def test_a_provider_is_asked_for_openid_always_and_its_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("swordfish\n")
    known = {"oidc_issuer": "https://id.example.org", "oidc_client_id": "us", "public_url": "https://jobs.example.org/"}
    settings = load_settings({**known, "oidc_scopes": "email", "oidc_client_secret_file": str(file)})
    provider = provider_of(settings, float)
    assert provider is not None
    assert provider._settings.scopes == ("openid", "email")
    assert (provider._settings.client_secret, provider._settings.public_url) == (
        "swordfish",
        "https://jobs.example.org",
    )
    assert load_settings({"oidc_client_secret": "swordfish"}).secrets == ["swordfish"]
    assert load_settings({"oidc_client_secret": "swordfish"}).show()["EVENTJOBS_OIDC_CLIENT_SECRET"] == MASK
    assert provider_of(load_settings(), float) is None
    file.write_text("\n")
    with pytest.raises(SettingsInvalid, match="is empty"):
        provider_of(settings, float)


def test_secrets_are_masked_and_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTJOBS_DATABASE_URL", "postgresql://owner:p%40ssword@db.example:5433/jobs?sslmode=require")
    monkeypatch.setenv("EVENTJOBS_ADMIN_KEY", "ej_0123456789abcdef")
    settings = load_settings()
    shown = settings.show()
    assert shown["EVENTJOBS_DATABASE_URL"] == f"postgresql://owner:{MASK}@db.example:5433/jobs?sslmode=require"
    assert shown["EVENTJOBS_ADMIN_KEY"] == MASK
    assert {"p@ssword", "p%40ssword", "ej_0123456789abcdef"} <= set(settings.secrets)
    assert not any(secret in repr(settings) + str(shown) for secret in settings.secrets)


def test_a_password_in_the_query_is_masked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTJOBS_DATABASE_URL", "postgresql://owner@db/jobs?password=hunter2hunter2")
    assert "hunter2" not in str(load_settings().show())
    assert "hunter2hunter2" in load_settings().secrets


def test_the_direct_url_is_the_server_s_and_the_other_then_a_pooler_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTJOBS_DATABASE_URL", "postgresql://owner@pooler/jobs")
    assert (load_settings().server_url, load_settings().is_pooled) == ("postgresql://owner@pooler/jobs", False)
    monkeypatch.setenv("EVENTJOBS_DIRECT_URL", "postgresql://owner@server/jobs")
    assert (load_settings().server_url, load_settings().is_pooled) == ("postgresql://owner@server/jobs", True)


def test_a_misspelt_variable_is_told_with_the_name_it_may_mean() -> None:
    names = ["EVENTJOBS_DATABSE_URL", "EVENTJOBS_PORT", "EVENTJOBS_SECRET__ACME__KEY", "HOME"]
    assert unknown_variables(names) == ["EVENTJOBS_DATABSE_URL is no setting (did you mean EVENTJOBS_DATABASE_URL?)"]


def test_G17_groups_take_the_kinds_of_job_that_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().group_kinds == ("import",)
    monkeypatch.setenv("EVENTJOBS_GROUP_KINDS", "import, export")
    assert load_settings().group_kinds == ("import", "export")


@pytest.mark.parametrize("value", ["partner", "import,service", ","])
def test_G18_groups_take_no_other_kinds(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("EVENTJOBS_GROUP_KINDS", value)
    with pytest.raises(SettingsInvalid, match="EVENTJOBS_GROUP_KINDS"):
        load_settings()
