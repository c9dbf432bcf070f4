"""Reports of groups and single Connect jobs, as mails that a real SMTP server took (G64 to G71)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from eventjobs.channels.email import PART_CHARS_MAX, EmailChannel, SmtpServer
from eventjobs.domain.report import ExpiryReport, HookReport, NotRunReport, Report
from eventjobs.events.run import Ref
from tests.channels.sinks import Mail, MailSink
from tests.support.reports import DUE, GROUP, OPS, RUN, as_message, job, run_report
from tests.support.time import FrozenClock

EVIL = 'x\r\nBcc: all@example.org\r\n\r\n<script>alert("1")</script>'


@pytest.fixture
async def sink() -> AsyncIterator[MailSink]:
    sink = await MailSink().open()
    yield sink
    await sink.close()


async def arrived(sink: MailSink, report: Report, **fields: Any) -> Mail:
    server = SmtpServer.of(f"smtp://127.0.0.1:{sink.port}")
    channel = EmailChannel(server, "jobs@example.org", "0badcafe", FrozenClock())
    assert (await channel.send(as_message(report, **fields))).ending == "sent"
    return sink.mails[-1]


def text(mail: Mail, kind: str = "plain") -> str:
    part = mail.parsed.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


class Cells(HTMLParser):
    """The cells of a page's tables, row by row."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, _attrs: Any) -> None:
        self._inside = tag in ("td", "th")
        if tag == "tr":
            self.rows.append([])
        elif self._inside:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.rows[-1][-1] += data


async def test_G68_a_mail_tells_all_about_a_run_in_text(sink: MailSink) -> None:
    mail = await arrived(sink, run_report())

    assert mail.parsed["Subject"] == "[eventjobs] group nightly-contacts failed (acme)"
    assert mail.recipients == [OPS]
    assert (
        text(mail)
        == f"""\
Group nightly-contacts (Contacts) failed.

Workspace: acme
Run: {RUN}
Reason: error
Started by: its schedule
Planned: 2026-12-02, 03:15-03:29; the drawn minute is 03:21
Start: 2026-12-02 03:21:00
End: 2026-12-02 03:22:15
Duration: 1 min 15 s
Next run: 2026-12-03 03:21
Times in: Europe/Berlin
Expires: 2026-12-31, 29 days left

Jobs:
1. contacts (All contacts): succeeded, began 2026-12-02 03:21:00, took 12 s, 1,200 processed, 30 added, 4 updated
2. extension: failed, began 2026-12-02 03:21:00, took 12 s, 3 rejected
   error: column <age> is no number
3. phones: skipped
   earlier failed

https://jobs.example.org/v1/acme/runs/{RUN}

-- \neventjobs
"""
    )


async def test_G68_the_table_of_the_html_part_has_a_row_for_each_job_in_order(sink: MailSink) -> None:
    rows = Cells(text(await arrived(sink, run_report()), "html")).rows

    head = rows.index(["", "Job", "State", "Start", "Duration", "Processed", "Added", "Updated", "Rejected", "Error"])
    began = "2026-12-02 03:21:00"
    assert ["Next run", "2026-12-03 03:21"] in rows[:head]
    assert rows[head + 1 :] == [
        ["1", "contacts (All contacts)", "succeeded", began, "12 s", "1,200", "30", "4", "", ""],
        ["2", "extension", "failed", began, "12 s", "", "", "", "3", "error: column <age> is no number"],
        ["3", "phones", "skipped", "", "", "", "", "", "", "earlier failed"],
    ]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"state": "succeeded", "reason": None, "jobs": [job("contacts")]}, "succeeded"),
        ({"state": "succeeded", "jobs": [job("a", counts={"rejected": 1})]}, "succeeded with 1 rejected record"),
        ({"state": "succeeded", "jobs": [], "recovered": True}, "succeeded again"),
        ({"state": "aborted", "reason": "stopped"}, "was stopped"),
        ({"state": "failed", "reason": "preflight_failed"}, "failed"),
    ],
)
async def test_G69_the_subject_says_how_it_ended(sink: MailSink, fields: dict[str, Any], told: str) -> None:
    mail = await arrived(sink, run_report(**fields))
    assert mail.parsed["Subject"] == f"[eventjobs] group nightly-contacts {told} (acme)"


async def test_G68_who_ran_it_by_hand_is_told_and_what_is_not_known_is_left_out(sink: MailSink) -> None:
    unplanned = {"due": None, "next_due": None, "expires_on": None, "days_left": None, "started_at": None}
    told = text(await arrived(sink, run_report(cause="manual", by="key:ann", jobs=[], **unplanned)))

    assert "Started by: by hand, key:ann\n" in told
    assert "Next run: none\n" in told
    assert "Expires: never\n" in told
    assert not any(label in told for label in ("Planned:", "Start:", "Duration:", "Jobs:"))


async def test_a_single_job_is_told_of_in_the_same_way(sink: MailSink) -> None:
    mail = await arrived(sink, run_report(owner=Ref(kind="import", id="contacts"), jobs=[job("contacts", "failed")]))
    assert mail.parsed["Subject"] == "[eventjobs] import contacts failed (acme)"


async def test_G66_a_job_of_a_group_is_told_of_with_the_group_whose_run_it_was(sink: MailSink) -> None:
    owner = Ref(kind="import", id="contacts")
    mail = await arrived(sink, run_report(owner=owner, group="nightly-contacts", row=1, jobs=[job("contacts")]))
    assert "In the run of group: nightly-contacts\n" in text(mail)


async def test_G52_a_call_that_did_not_get_through_is_told_with_its_host(sink: MailSink) -> None:
    lost = {"call": "m", "hook": "campaigns.example.org", "attempts": 11, "reason": "status"}
    mail = await arrived(sink, HookReport(owner=GROUP, name="Contacts", run=RUN, at=DUE, **lost))
    told = "succeeded, and a call after that did not get through"
    assert mail.parsed["Subject"] == f"[eventjobs] group nightly-contacts {told} (acme)"
    assert "Reason: status\nCall to: campaigns.example.org\nTries: 11\n" in text(mail)
    assert not any(label in text(mail) for label in ("Next run", "Expires", "Jobs:"))


@pytest.mark.parametrize(
    ("outcome", "reason", "told"),
    [("skipped", "overlap", "did not run: skipped"), ("missed", "outside_window", "did not run: missed")],
)
async def test_G70_a_run_that_did_not_take_place_is_told_with_its_reason(
    sink: MailSink, outcome: str, reason: str, told: str
) -> None:
    report = NotRunReport(
        owner=GROUP,
        name="Contacts",
        time_zone="Europe/Berlin",
        at=DUE + timedelta(minutes=61),
        outcome=outcome,
        reason=reason,
        due=DUE,
    )
    mail = await arrived(sink, report, link=None)

    assert mail.parsed["Subject"] == f"[eventjobs] group nightly-contacts {told} (acme)"
    assert f"Reason: {reason.replace('_', ' ')}\n" in text(mail)
    assert "Planned: 2026-12-02, 03:15-03:29; the drawn minute is 03:21\n" in text(mail)
    assert "Expires" not in text(mail)


@pytest.mark.parametrize(
    ("fields", "told", "expires"),
    [
        ({"days_left": 7}, "expires in 7 days", "2026-12-31, 7 days left"),
        ({"days_left": 1}, "expires in 1 day", "2026-12-31, 1 day left"),
        ({"became": "deleted"}, "has expired and was deleted", "2026-12-31"),
        ({"became": "deactivated"}, "has expired and was deactivated", "2026-12-31"),
    ],
)
async def test_G61_an_expiry_is_told_before_and_when_it_came(
    sink: MailSink, fields: dict[str, Any], told: str, expires: str
) -> None:
    mail = await arrived(sink, ExpiryReport(owner=GROUP, name="Contacts", at=DUE, expires_on="2026-12-31", **fields))

    assert mail.parsed["Subject"] == f"[eventjobs] group nightly-contacts {told} (acme)"
    assert text(mail).startswith(f"Group nightly-contacts (Contacts) {told}.\n")
    assert f"Expires: {expires}\n" in text(mail)
    assert "Next run" not in text(mail)


async def test_REL84_whatever_names_and_errors_hold_the_headers_stay_and_the_page_is_escaped(sink: MailSink) -> None:
    plain = await arrived(sink, run_report())
    jobs = [job("contacts", "failed", name=EVIL, reason=EVIL, detail=EVIL)]
    hostile = await arrived(sink, run_report(name=EVIL, by=EVIL, reason=EVIL, jobs=jobs))

    names = [name for name in plain.parsed if name != "Content-Type"]
    assert hostile.parsed.keys() == plain.parsed.keys()
    assert [hostile.parsed[name] for name in names] == [plain.parsed[name] for name in names]
    assert hostile.recipients == [OPS]
    assert "<script>" not in text(hostile, "html")
    assert text(hostile).count("<script>") > 0


async def test_REL87_of_fifty_jobs_with_long_errors_the_mail_stays_short_and_keeps_its_link(sink: MailSink) -> None:
    failed = [job(f"job-{n}", "failed", reason="error", detail='"' * 500) for n in range(50)]
    mail = await arrived(sink, run_report(jobs=failed))
    for kind in ("plain", "html"):
        assert len(text(mail, kind)) <= PART_CHARS_MAX
        assert "job-49" in text(mail, kind)
        assert f"https://jobs.example.org/v1/acme/runs/{RUN}" in text(mail, kind)

    named = [job(f"job-{n}", name='"' * 200) for n in range(50)]
    page = text(await arrived(sink, run_report(jobs=named)), "html")
    assert len(page) <= PART_CHARS_MAX
    assert "50 jobs, too many to be told in a mail." in page
