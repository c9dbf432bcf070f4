"""A callback's token stands for one try, for a time, and cannot be made or changed by others."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from eventjobs.auth.callbacks import Callback, CallbackKey, CallbackUrls

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
KEY = CallbackKey(b"a key that only the deployment has")
CALLBACK = Callback(workspace="acme", run="schedule.a.1.x", row=2, attempt=3, until=NOW + timedelta(days=1))
TOKEN = KEY.token(CALLBACK)


def test_a_token_is_read_by_every_instance_with_the_key() -> None:
    assert CallbackKey(b"a key that only the deployment has").read("acme", TOKEN, NOW) == CALLBACK


@pytest.mark.parametrize(
    "changed", [{"run": "r2"}, {"row": 1}, {"attempt": 4}, {"until": NOW + timedelta(days=2)}, {"workspace": "other"}]
)
def test_another_try_another_time_or_another_workspace_has_another_signature(changed: dict[str, object]) -> None:
    signature = TOKEN.rpartition("~")[2]
    said, _, other = KEY.token(replace(CALLBACK, **changed)).rpartition("~")  # type: ignore[arg-type]
    assert other != signature
    if "workspace" not in changed:
        assert KEY.read("acme", f"{said}~{signature}", NOW) is None
    assert KEY.read("other", TOKEN, NOW) is None


CHANGED = [TOKEN[:-1], TOKEN + "0", TOKEN.upper(), f"\n{TOKEN}", f"{TOKEN}\n", TOKEN.replace("~", "/")]


@pytest.mark.parametrize("text", ["", "~", *CHANGED])
def test_any_other_text_is_no_token(text: str) -> None:
    assert KEY.read("acme", text, NOW) is None


def test_another_key_signs_otherwise() -> None:
    assert CallbackKey(b"another").read("acme", TOKEN, NOW) is None


def test_its_time_is_over_after_its_instant() -> None:
    assert KEY.read("acme", TOKEN, NOW + timedelta(days=1)) is not None
    assert KEY.read("acme", TOKEN, NOW + timedelta(days=1, seconds=1)) is None


def test_the_address_is_that_of_the_deployment() -> None:
    urls = CallbackUrls(KEY, "https://jobs.example.org")
    assert urls.url(CALLBACK) == f"https://jobs.example.org/v1/acme/callbacks/{TOKEN}"
