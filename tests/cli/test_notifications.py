"""`eventjobs notifications`, and what the guide to alerts says."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from eventjobs.cli.notifications import notifications, send_one
from eventjobs.cli.target import Where
from eventjobs.errors import SettingsInvalid, UsageWrong
from eventjobs.settings import load_settings
from tests.channels.sinks import HttpSink, MailSink
from tests.support.bodies import schedule, service, workspace
from tests.support.story import Story, command

GUIDE = (Path(__file__).parents[2] / "docs/alerts.md").read_text("utf-8")


def fenced(language: str, place: int = 0) -> str:
    return GUIDE.split(f"```{language}\n")[1 + place].split("```")[0]


@pytest.fixture
async def mail(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MailSink]:
    sink = await MailSink().open()
    monkeypatch.setenv("EVENTJOBS_SMTP_URL", f"smtp://127.0.0.1:{sink.port}")
    monkeypatch.setenv("EVENTJOBS_MAIL_FROM", "jobs@example.org")
    yield sink
    await sink.close()


@pytest.fixture
async def hooks(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[HttpSink]:
    sink = await HttpSink().open()
    monkeypatch.setenv("EVENTJOBS_OUTBOUND_ALLOW", "127.0.0.1")
    yield sink
    await sink.close()


async def test_one_real_mail_says_whether_mails_arrive(mail: MailSink, capsys: pytest.CaptureFixture[str]) -> None:
    assert await send_one(email=("you@example.org",)) == 0
    assert capsys.readouterr().out == "you@example.org: sent: the server said 250\n"
    assert [one.recipients for one in mail.mails] == [["you@example.org"]]

    mail.plans["you@example.org"] = ["refuse"]
    assert await send_one(email=("you@example.org",), json=True) == 1
    (told,) = orjson.loads(capsys.readouterr().out)["items"]
    assert (told["outcome"], told["reason"]) == ("failed", "refused")


async def test_one_real_webhook_is_signed_with_the_workspace_s_secret_as_the_guide_checks_it(
    hooks: HttpSink, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "secrets" / "acme").mkdir(parents=True)
    (tmp_path / "secrets" / "acme" / "hook").write_text("a signing key")
    where = Where(workspace="acme", data_dir=tmp_path)

    assert await send_one(webhook=f"{hooks.url}/hook", secret="secret://hook", where=where) == 0
    assert capsys.readouterr().out == f"{hooks.url}/hook: sent: status 200\n"
    (call,) = hooks.taken
    check = checker()
    assert check(call.headers, call.body, "a signing key")
    assert not check(call.headers, call.body, "another key")


async def test_G67_each_of_a_list_of_recipients_gets_a_mail_of_its_own(
    mail: MailSink, capsys: pytest.CaptureFixture[str]
) -> None:
    mail.plans["b@example.org"] = ["never"]
    addresses = [word for name in "abcA" for word in ("--email", f"{name}@example.org")]

    called, given, _ = notifications.parse_args(["test", *addresses])
    assert await called(*given.args, **given.kwargs) == 1
    assert capsys.readouterr().out.splitlines() == [
        "a@example.org: sent: the server said 250",
        "b@example.org: failed: the server said 550",
        "c@example.org: sent: the server said 250",
    ]
    assert [one.recipients for one in mail.mails] == [["a@example.org"], ["c@example.org"]]
    with pytest.raises(UsageWrong, match="at most 20 recipients"):
        await send_one(email=tuple(f"a{n}@example.org" for n in range(21)))


async def test_REL81_one_real_webhook_tries_both_keys_of_an_exchange(hooks: HttpSink, tmp_path: Path) -> None:
    (tmp_path / "secrets" / "acme").mkdir(parents=True)
    for name in ("old", "new"):
        (tmp_path / "secrets" / "acme" / name).write_text(f"the {name} key")
    keys = {"secret": "secret://new", "previous_secret": "secret://old"}
    where = Where(workspace="acme", data_dir=tmp_path)

    assert await send_one(webhook=f"{hooks.url}/hook", where=where, **keys) == 0
    (call,) = hooks.taken
    check = checker()
    assert check(call.headers, call.body, "the old key")
    assert check(call.headers, call.body, "the new key")


def checker() -> Callable[..., bool]:
    names: dict[str, Any] = {}
    exec(fenced("python"), names)
    return names["is_ours"]  # type: ignore[no-any-return]


async def test_what_cannot_be_tried_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVENTJOBS_SMTP_URL", raising=False)
    with pytest.raises(UsageWrong, match="EVENTJOBS_SMTP_URL"):
        await send_one(email=("you@example.org",))
    with pytest.raises(UsageWrong, match="--email"):
        await send_one()


def test_the_guide_s_alerts_are_accepted() -> None:
    asked = orjson.loads(fenced("json").partition("\n")[2])

    outcome = Story().given(workspace(), service(), schedule()).when(command("EditScheduleAlerts", **asked))
    assert outcome.refusal is None
    assert outcome.warnings == []


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SMTP_URL", "smtp://jobs:word@mail.example.org", "a password is not sent without TLS"),
        ("SMTP_URL", "https://mail.example.org", "must be a URL of the form smtps"),
        ("MAIL_FROM", "Jobs <jobs@example.org>", "one plain address"),
        ("HEARTBEAT_URL", "monitor.example.org", "must be a URL"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_without_telling_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(f"EVENTJOBS_{name}", value)

    with pytest.raises(SettingsInvalid, match=told) as refused:
        load_settings()
    assert value not in str(refused.value)


def test_the_password_of_the_mail_server_is_shown_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTJOBS_SMTP_URL", "smtps://jobs:swordfish@mail.example.org")
    settings = load_settings()

    assert settings.show()["EVENTJOBS_SMTP_URL"] == "smtps://jobs:********@mail.example.org"
    assert "swordfish" in settings.secrets
