"""What the lines of a crontab are taken for."""

import re

import pytest

from eventjobs.domain.crontab import Job, read_crontab
from eventjobs.ids import ID_PATTERN


def jobs(text: str, *, system: bool = False) -> list[Job]:
    return read_crontab(text, system=system).jobs


def only(text: str, *, system: bool = False) -> Job:
    (job,) = jobs(text, system=system)
    return job


def test_comments_and_empty_lines_are_no_jobs() -> None:
    assert jobs("# m h dom mon dow command\n\n   \n  # 0 3 * * * no\n") == []


def test_a_job_has_its_five_fields_and_the_rest_is_its_command() -> None:
    job = only("\n 0\t3 * *  mon   /usr/bin/backup --full  # not a comment\n")

    assert (job.line, job.cron, job.command) == (2, "0 3 * * MON", "/usr/bin/backup --full  # not a comment")
    assert job.service()["config"] == {"program": "/bin/sh", "args": ["-c", job.command]}


def test_a_short_form_is_one_word() -> None:
    assert (only("@daily run this").cron, only("@daily run this").command) == ("0 0 * * *", "run this")


def test_the_systems_crontab_has_a_user_who_is_told() -> None:
    job = only("17 * * * * root cd / && run-parts /etc/cron.hourly", system=True)

    assert (job.command, job.refusal) == ("cd / && run-parts /etc/cron.hourly", None)
    assert job.notes == ("it runs as the user of the service, not as root",)
    assert only("@daily root", system=True).refusal is not None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("@reboot start", "names no time"),
        ("61 * * * * x", "Bad minute"),
        ("0 3 * * *", "no command"),
        ("hello", "no command"),
        ("0 3 * * * mail ops%Subject: hi", "begins what the command reads"),
    ],
)
def test_REL95_what_cannot_be_carried_over_is_refused_with_its_reason(line: str, reason: str) -> None:
    assert reason in (only(line).refusal or "")


def test_an_escaped_percent_sign_is_one() -> None:
    assert only(r"0 3 * * * date +\%F").command == "date +%F"


def test_settings_count_for_the_lines_below_them() -> None:
    found = read_crontab(
        '0 1 * * * a\nCRON_TZ = "Asia/Tokyo"\n0 2 * * * b\nSHELL=/bin/bash\nPATH=/bin\n0 3 * * * c\n', system=False
    )

    assert [(job.zone, job.shell) for job in found.jobs] == [
        (None, "/bin/sh"),
        ("Asia/Tokyo", "/bin/sh"),
        ("Asia/Tokyo", "/bin/bash"),
    ]
    assert [(line, detail.split()[0]) for line, detail in found.settings] == [
        (2, "CRON_TZ:"),
        (4, "SHELL:"),
        (5, "PATH"),
    ]


def test_a_line_that_stands_twice_is_one_job() -> None:
    assert [job.refusal for job in jobs("0 1 * * * a\n0  1 * * *  a\n0 2 * * * a\n")] == [
        None,
        "the same as line 1",
        None,
    ]


def test_ids_say_what_is_run_and_differ_by_what_it_means() -> None:
    one, later = jobs("0 1 * * * /opt/bin/Backup.sh --all\n0 2 * * * /opt/bin/Backup.sh --all\n")

    assert one.service_id == later.service_id
    assert one.service_id.startswith("backup-sh-all-")
    assert len({one.schedule_id("UTC"), later.schedule_id("UTC"), one.schedule_id("Asia/Tokyo")}) == 3
    for command in ("é", "x" * 300, "-", "[ -f /a ] && ./b", "a " * 40):
        job = only(f"0 1 * * * {command}")
        assert re.fullmatch(ID_PATTERN, job.service_id)
        assert re.fullmatch(ID_PATTERN, job.schedule_id("UTC"))


@pytest.mark.parametrize(
    ("line", "policies"),
    [
        ("30 2 * * * x", {"gap": "shift", "repeat": "first"}),
        ("0 */2 * * * x", {"gap": "skip", "repeat": "both"}),
        ("*/30 2 * * * x", {"gap": "skip", "repeat": "both"}),
        ("@hourly x", {"gap": "skip", "repeat": "both"}),
        ("@daily x", {"gap": "shift", "repeat": "first"}),
    ],
)
def test_policies_are_what_cron_does_when_the_clock_is_changed(line: str, policies: dict[str, str]) -> None:
    assert only(line).policies == policies


def test_a_long_line_of_blanks_is_read_at_once() -> None:
    found = read_crontab("A=x" + " " * 190_000 + "y", system=False)

    assert len(found.settings) == 1
