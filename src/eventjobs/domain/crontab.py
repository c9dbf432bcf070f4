"""
A crontab as text: which lines are jobs, and what cron would make of each.

A user's crontab has five fields, or a short form such as `@daily`, and a command; the system's (`/etc/crontab`) has a
user before the command. `NAME=value` counts for the lines below it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Final

from eventjobs.domain.cron import BadCron, normalised

SHELL: Final = "/bin/sh"
SLUG_CHARS: Final = 40
HASH_CHARS: Final = 8
NAME_CHARS: Final = 200
DESCRIPTION_CHARS: Final = 2_000

_SETTING: Final = re.compile(r"""([A-Za-z_]\w*)\s*=\s*(?:"([^"]*)"|'([^']*)'|(.*))""", re.ASCII)
_WORD: Final = re.compile(r"[a-z0-9]+")
_FIELDS: Final = 5
_ZONES: Final = ("CRON_TZ", "TZ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A line that is a job; `refusal` is why it cannot be carried over, `notes` what is not carried over of it."""

    line: int
    text: str
    cron: str = ""
    command: str = ""
    shell: str = SHELL
    zone: str | None = None
    refusal: str | None = None
    notes: Sequence[str] = ()

    @property
    def service_id(self) -> str:
        """The id of the service that runs the command: the same for every line with this command."""
        words = [_WORD.findall(word.rpartition("/")[2].lower()) for word in self.command.split()]
        slug = "-".join(part for parts in words for part in parts)[:SLUG_CHARS].strip("-")
        return f"{slug or 'job'}-{_hash(self.shell, self.command)}"

    def schedule_id(self, zone: str) -> str:
        """The id of the schedule: another one for another time, zone or command."""
        slug = self.service_id[: -HASH_CHARS - 1]
        return f"{slug}-{_hash(self.cron, self.shell, self.command, zone)}"

    @property
    def policies(self) -> dict[str, str]:
        """
        What cron does when the clock is changed.

        With a star in minute or hour it looks at the clock each minute, so it leaves out what does not exist and runs
        twice what occurs twice; any other time runs once on each day.
        """
        minute, hour, *_ = self.cron.split()
        each_minute = minute.startswith("*") or hour.startswith("*")
        return {"gap": "skip", "repeat": "both"} if each_minute else {"gap": "shift", "repeat": "first"}

    def service(self) -> dict[str, Any]:
        """Return the fields of `AddService`."""
        config = {"program": self.shell, "args": ["-c", self.command]}
        name = " ".join(self.command.split())[:NAME_CHARS]
        return {"id": self.service_id, "name": name, "handler": "command", "config": config}

    def schedule(self, zone: str) -> dict[str, Any]:
        """Return the fields of `CreateSchedule`."""
        return {
            "id": self.schedule_id(zone),
            "description": " ".join(self.text.split())[:DESCRIPTION_CHARS],
            "cadence": {"cron": self.cron, "time_zone": zone},
            "jobs": [{"job": {"kind": "service", "id": self.service_id}}],
            "policies": self.policies,
        }


@dataclass(frozen=True, slots=True)
class Crontab:
    """The jobs of a crontab, and what is said about the lines that are none, by their numbers."""

    jobs: list[Job] = field(default_factory=list)
    settings: list[tuple[int, str]] = field(default_factory=list)


def read_crontab(text: str, *, system: bool) -> Crontab:
    """Read a crontab; nothing in it is an error of the whole."""
    found, values = Crontab(), dict[str, str]()
    for number, line in enumerate(text.splitlines(), 1):
        content = line.strip()
        if not content or content.startswith("#"):
            continue
        if setting := _SETTING.fullmatch(content):
            name = setting[1]
            values[name] = next(value for value in setting.groups()[1:] if value is not None)
            found.settings.append((number, _told(name, values[name])))
        else:
            found.jobs.append(_job(number, content, values, system=system))
    return replace(found, jobs=list(_without_doubles(found.jobs)))


def _told(name: str, value: str) -> str:
    if name in _ZONES:
        return f"{name}: the lines below are read in the zone {value}"
    if name == "SHELL":
        return f"SHELL: the commands below are run by {value}"
    if name == "MAILTO":
        return "MAILTO is not carried over: a run keeps what its job printed, and alerts are a matter of the schedule"
    return f"{name} is not carried over: set it in the command, or in the environment of the service"


def _job(number: int, content: str, values: dict[str, str], *, system: bool) -> Job:
    wanted = (1 if content.startswith("@") else _FIELDS) + (1 if system else 0)
    words = content.split(maxsplit=wanted)
    job = Job(
        line=number,
        text=content,
        shell=values.get("SHELL") or SHELL,
        zone=next((values[name] for name in _ZONES if values.get(name)), None),
    )
    if len(words) <= wanted:
        return replace(job, refusal="a line has the time, then the user, then the command" if system else "no command")
    if system:
        job = replace(job, notes=(f"it runs as the user of the service, not as {words[wanted - 1]}",))
    try:
        job = replace(job, cron=normalised(" ".join(words[: 1 if content.startswith("@") else _FIELDS])))
    except BadCron as error:
        return replace(job, refusal=str(error))
    if re.search(r"(?<!\\)%", words[wanted]):
        reason = "`%` begins what the command reads, and a job reads what the service tells it; write `\\%` for a `%`"
        return replace(job, refusal=reason)
    return replace(job, command=words[wanted].replace("\\%", "%"))


def _without_doubles(jobs: Sequence[Job]) -> Iterator[Job]:
    seen: dict[tuple[object, ...], int] = {}
    for job in jobs:
        first = seen.setdefault((job.cron, job.shell, job.command, job.zone), job.line)
        doubled = job.refusal is None and first != job.line
        yield replace(job, refusal=f"the same as line {first}") if doubled else job


def _hash(*parts: str) -> str:
    return sha256("\0".join(parts).encode()).hexdigest()[:HASH_CHARS]
