"""The demonstration's own mail server, told by the channel that sends real mails."""

from pathlib import Path

import pytest

from eventjobs.channels.installed import channels_of
from eventjobs.channels.message import Message
from eventjobs.cli.mailbox import mailing, tell_mail
from eventjobs.clock import SystemClock
from eventjobs.outbound.addresses import OutboundRules
from eventjobs.outbound.guarded import GuardedOutbound
from eventjobs.outbound.secrets import SecretStore
from eventjobs.settings import Settings, load_settings


def message() -> Message:
    about = {"at": "2026-12-01T20:10:00+00:00", "description": "Fahrräder, 自転車"}
    return Message(
        id="m", workspace="acme", kind="test", subject_kind="installation", subject="eventjobs", about=about,
        recipient="you@example.org",
    )  # fmt: skip


def settings_in(folder: Path, **fields: str) -> Settings:
    return load_settings({"data_dir": folder, **fields})


async def test_a_mail_that_is_sent_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with mailing(settings_in(tmp_path)) as (settings, box):
        calls = GuardedOutbound(OutboundRules.parse(()))
        channels = channels_of(settings, calls, SecretStore([], {}), SystemClock(), "test", None)
        delivery = await channels["email"].send(message())
        assert box is not None
        tell_mail(await box.next())
    assert delivery.ending == "sent"
    shown = capsys.readouterr().out.splitlines()
    assert shown[1:4] == [
        "A mail arrived:",
        "  | To: you@example.org",
        "  | Subject: [eventjobs] installation eventjobs says hello: messages arrive here (acme)",
    ]
    assert "  | Description: Fahrräder, 自転車" in shown
    assert not any("<" in line for line in shown)


async def test_a_mail_server_that_is_set_is_taken(tmp_path: Path) -> None:
    given = settings_in(tmp_path, smtp_url="smtps://mail.example.org", mail_from="jobs@example.org")
    async with mailing(given) as (settings, box):
        assert settings is given
        assert box is None
