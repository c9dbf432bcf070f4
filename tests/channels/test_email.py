"""Mails against a real SMTP server (REL84 to REL90)."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from eventjobs.channels.email import PART_CHARS_MAX, EmailChannel, SmtpServer
from eventjobs.channels.message import Message
from tests.channels.sinks import PASSWORD, USER, MailSink, certificate
from tests.support.time import FrozenClock

OPS = "ops@example.org"
ABOUT = {
    "alert": "failures",
    "since": "2026-12-01T20:00:00Z",
    "count": 3,
    "description": "Nightly <b>load</b>\r\nBcc: all@example.org",
    "failed_jobs": [{"job": "load", "reason": "error", "detail": "<script>alert(1)</script>"}],
}


def message(**fields: Any) -> Message:
    known = {
        "id": "0123456789abcdef",
        "workspace": "acme",
        "kind": "alert.raised",
        "subject_kind": "schedule",
        "subject": "nightly",
        "recipient": OPS,
        "run": "r1",
        "about": ABOUT,
        "link": "https://jobs.example.org/v1/acme/runs/r1",
    }
    return Message(**{**known, **fields})


def channel(url: str, **fields: Any) -> EmailChannel:
    return EmailChannel(SmtpServer.of(url, **fields), "jobs@example.org", "0badcafe", FrozenClock(), step_s=0.5)


@pytest.fixture
async def sink() -> AsyncIterator[MailSink]:
    sink = await MailSink().open()
    yield sink
    await sink.close()


async def test_a_mail_has_both_parts_and_says_what_is_wrong(sink: MailSink) -> None:
    delivery = await channel(f"smtp://127.0.0.1:{sink.port}").send(message())

    assert (delivery.ending, delivery.detail) == ("sent", "the server said 250")
    (mail,) = sink.mails
    assert mail.recipients == [OPS]
    assert mail.parsed["Subject"] == "[eventjobs] schedule nightly failed several times in a row (acme)"
    assert mail.parsed["From"] == "jobs@example.org"
    assert mail.parsed["To"] == OPS
    assert mail.id == "<0123456789abcdef.0badcafe@example.org>"
    assert mail.parsed["Auto-Submitted"] == "auto-generated"
    assert mail.parsed["List-Id"] == "<acme.example.org>"
    text, html = mail.parsed.get_body(("plain",)), mail.parsed.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "- load (error): <script>alert(1)</script>" in text.get_content()
    assert "https://jobs.example.org/v1/acme/runs/r1" in text.get_content()


@pytest.mark.parametrize("letters", range(1, 65, 7))
async def test_a_subject_stays_on_its_line_however_long_an_id_is(sink: MailSink, letters: int) -> None:
    await channel(f"smtp://127.0.0.1:{sink.port}").send(message(subject="x" * letters))

    told = f"[eventjobs] schedule {'x' * letters} failed several times in a row (acme)"
    assert sink.mails[0].parsed["Subject"] == told


async def test_REL82_a_mail_tells_that_another_recipient_is_gone(sink: MailSink) -> None:
    gone = message(kind="alert.recipient_disabled", run=None, about={"gone": "webhook x.test"})
    await channel(f"smtp://127.0.0.1:{sink.port}").send(gone)

    told = "[eventjobs] schedule nightly lost a recipient: it says that it is gone (acme)"
    assert sink.mails[0].parsed["Subject"] == told
    text = sink.mails[0].parsed.get_body(("plain",))
    assert text is not None
    assert "Gone: webhook x.test" in text.get_content()


async def test_a_schedule_that_is_to_fail_never_is_not_said_to_have_failed_several_times(sink: MailSink) -> None:
    await channel(f"smtp://127.0.0.1:{sink.port}").send(message(about={**ABOUT, "count": 1}))

    assert sink.mails[0].parsed["Subject"] == "[eventjobs] schedule nightly failed (acme)"


async def test_REL86_what_people_and_jobs_wrote_is_escaped_and_makes_no_header(sink: MailSink) -> None:
    await channel(f"smtp://127.0.0.1:{sink.port}").send(message())

    html = sink.mails[0].parsed.get_body(("html",))
    assert html is not None
    assert "&lt;script&gt;" in html.get_content()
    assert "<script>" not in html.get_content()
    assert "&lt;b&gt;load&lt;/b&gt;" in html.get_content()
    assert sink.mails[0].parsed["Bcc"] is None
    assert sink.mails[0].recipients == [OPS]


@pytest.mark.parametrize("recipient", ["a@b.test, c@d.test", "x\r\nBcc: y@b.test", "=?UTF-8?Q?=0A?=@b.test"])
async def test_REL84_an_address_is_checked_again_when_the_mail_is_made(sink: MailSink, recipient: str) -> None:
    delivery = await channel(f"smtp://127.0.0.1:{sink.port}").send(message(recipient=recipient))

    assert (delivery.ending, delivery.reason, delivery.retryable) == ("failed", "recipient_invalid", False)
    assert sink.mails == []


@pytest.mark.parametrize("scheme", ["smtps", "starttls"])
async def test_mail_goes_by_tls_with_a_password(tmp_path: Path, scheme: str) -> None:
    context, trusted = certificate(tmp_path)
    sink = await MailSink().open(tls=context, starttls=scheme == "starttls")
    try:
        url = f"{scheme}://{USER.decode()}:{PASSWORD.decode()}@localhost:{sink.port}"
        assert (await channel(url, ca_file=trusted).send(message())).ending == "sent"
        assert sink.users == [USER]

        wrong = await channel(url, ca_file=trusted, password="another").send(message())
        assert (wrong.ending, wrong.reason) == ("failed", "not_authenticated")
        unknown = await channel(url).send(message())
        assert (unknown.ending, unknown.reason) == ("failed", "no_connection")
        assert len(sink.mails) == 1
    finally:
        await sink.close()


async def test_REL88_a_server_that_offers_no_tls_gets_neither_password_nor_mail(sink: MailSink) -> None:
    delivery = await channel(f"starttls://jobs:secret@127.0.0.1:{sink.port}").send(message())

    assert (delivery.ending, delivery.reason) == ("failed", "no_connection")
    assert sink.mails == []
    assert sink.users == []


@pytest.mark.parametrize(
    ("fault", "ending", "reason", "has_it"),
    [
        ("later", "failed", "refused", False),
        ("never", "failed", "refused", False),
        ("drop", "failed", "no_connection", False),
        ("refuse", "failed", "refused", False),
        ("lie", "ambiguous", "no_answer", True),
        ("lose", "ambiguous", "no_answer", False),
        ("hang", "ambiguous", "no_answer", False),
    ],
)
async def test_a_try_ends_as_far_as_anybody_can_know(
    sink: MailSink, fault: str, ending: str, reason: str, has_it: bool
) -> None:
    sink.plans[OPS] = [fault]

    delivery = await channel(f"smtp://127.0.0.1:{sink.port}").send(message())

    assert (delivery.ending, delivery.reason, delivery.retryable) == (ending, reason, True)
    assert bool(sink.mails) is has_it


async def test_where_nobody_listens_nothing_was_sent() -> None:
    sink = await MailSink().open()
    await sink.close()

    delivery = await channel(f"smtp://127.0.0.1:{sink.port}").send(message())
    assert (delivery.ending, delivery.reason) == ("failed", "no_connection")


async def test_REL87_of_a_mail_that_is_too_long_the_link_is_left_and_no_tag_is_cut(sink: MailSink) -> None:
    failed = [{"job": f"load-{number}", "reason": "error", "detail": '"' * 500} for number in range(10)]
    await channel(f"smtp://127.0.0.1:{sink.port}").send(message(about={**ABOUT, "failed_jobs": failed}))

    html = sink.mails[0].parsed.get_body(("html",))
    assert html is not None
    content = html.get_content()
    assert len(content) <= PART_CHARS_MAX
    assert "load-9" in content
    assert "https://jobs.example.org/v1/acme/runs/r1" in content
    assert content.rstrip().endswith("</html>")


async def test_a_mail_is_plain_ascii_on_the_wire(sink: MailSink) -> None:
    await channel(f"smtp://127.0.0.1:{sink.port}").send(message(about={**ABOUT, "description": "Größe täglich 夜"}))

    assert sink.mails[0].raw.isascii()
    for part in ("plain", "html"):
        body = sink.mails[0].parsed.get_body((part,))
        assert body is not None
        assert "Größe täglich 夜" in body.get_content()


@pytest.mark.parametrize(
    ("header", "value"),
    [("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All"), ("List-Id", "<acme.example.org>")],
)
async def test_REL89_a_mail_says_that_no_answer_is_wanted(sink: MailSink, header: str, value: str) -> None:
    await channel(f"smtp://127.0.0.1:{sink.port}").send(message())

    assert sink.mails[0].parsed[header] == value


@pytest.mark.parametrize(
    "written",
    ["x\r\nBcc: all@example.org", "x\nSubject: other", "x\x00y", "x\x1by", "=?UTF-8?Q?=0ABcc:_all=40example.org?="],
)
async def test_REL84_whatever_is_written_into_a_mail_the_headers_stay_as_they_are(sink: MailSink, written: str) -> None:
    about = {**ABOUT, "description": written, "failed_jobs": [{"job": written, "reason": written, "detail": written}]}
    await channel(f"smtp://127.0.0.1:{sink.port}").send(message())
    await channel(f"smtp://127.0.0.1:{sink.port}").send(message(about=about))

    plain, hostile = (mail.parsed for mail in sink.mails)
    names = [name for name in plain if name != "Content-Type"]
    assert hostile.keys() == plain.keys()
    assert [hostile[name] for name in names] == [plain[name] for name in names]
