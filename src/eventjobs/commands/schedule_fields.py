"""The fields that define a schedule, and their translation into what its facts hold."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Annotated, Final, Literal

import orjson
from pydantic import Field, JsonValue

from eventjobs.commands.context import Context
from eventjobs.commands.fields import Attempts, Delivery, Duration, JobRef
from eventjobs.commands.job_facts import FACTS
from eventjobs.commands.spec import CommandFields, Id
from eventjobs.commands.world import World
from eventjobs.domain.blackouts import is_ever_free
from eventjobs.domain.cadence import check_cadence
from eventjobs.domain.cron import BadCron, normalised
from eventjobs.domain.cron_days import check_floor
from eventjobs.domain.flow import Flow, Trigger
from eventjobs.domain.reference import following
from eventjobs.domain.schedule import Schedule
from eventjobs.domain.streams import calendar_stream, job_stream
from eventjobs.errors import FieldError, Invalid
from eventjobs.events.cadence import Cadence, CatchUp, Gap, Repeat, Timing, TimingPolicies, Unit
from eventjobs.events.run import Ref
from eventjobs.events.schedule import JobRow, SchedulePolicies

SEQ_MAX: Final = 10_000
INPUT_BYTES_MAX: Final = 65_536
CALENDARS_MAX: Final = 10
SPREAD_MAX: Final = timedelta(minutes=15)
BLACKED_OUT: Final = timedelta(days=366)
"""How far ahead a schedule is looked at for a moment that no calendar skips."""


class CadenceFields(CommandFields):
    """
    When it starts and how often it comes back: every `every` units (R5); with `once` the number is ignored.

    Or `cron`, five fields in Debian's dialect with `L`, `LW` and `#`, which names local times and has no start.
    """

    start_date: Annotated[str, Field(max_length=10)] | None = None
    start_time: Annotated[str, Field(max_length=5)] | None = None
    time_zone: Annotated[str, Field(max_length=64)]
    every: int | None = None
    unit: Literal["once", "minute", "hour", "day", "month"] | None = None
    cron: Annotated[str, Field(max_length=200)] | None = None


class JobFields(CommandFields):
    """
    One row of the job table; a new row's sequence number is one above the highest before it (R41).

    `input` is what the job gets (R94), at most 64 KiB of JSON.
    """

    job: JobRef
    seq: Annotated[int, Field(ge=1, le=SEQ_MAX)] | None = None
    skip_wait: bool = False
    attempts: Attempts | None = None
    timeout: Duration | None = None
    wait_timeout: Duration | None = None
    delivery: Delivery | None = None
    input: Annotated[JsonValue, Field(default_factory=dict)]


class PolicyFields(CommandFields):
    """How a schedule behaves; without a `timing` a cron goes by the `wall_clock`, any other cadence is `elapsed`."""

    timing: Literal["elapsed", "grid", "wall_clock"] | None = None
    gap: Literal["shift", "skip"] = "shift"
    repeat: Literal["first", "second", "both"] = "first"
    catch_up: Literal["due", "always_on_tighten", "never"] = "due"
    catch_up_window: Duration | None = None
    overlap: Literal["skip", "queue_one", "queue_all", "cancel_running", "allow"] = "skip"
    on_failure: Literal["continue", "stop"] = "continue"
    calendars: Annotated[tuple[Id, ...], Field(max_length=CALENDARS_MAX)] = ()
    spread: Annotated[timedelta, Field(ge=timedelta(0), le=SPREAD_MAX)] = timedelta(0)


Jobs = Annotated[tuple[JobFields, ...], Field(min_length=1, max_length=1_000)]


def cadence_of(fields: CadenceFields) -> Cadence:
    """Return the cadence; raises `Invalid` for one that lacks a field, has one too many or is no cron expression."""
    if fields.cron is not None:
        return _cron_of(fields, fields.cron)
    missing = [name for name in ("start_date", "start_time", "unit") if getattr(fields, name) is None]
    if fields.unit != "once" and fields.every is None:
        missing.append("every")
    if missing:
        raise Invalid.fields([FieldError(f"cadence.{name}", "missing", f"{name} is needed") for name in missing])
    return Cadence(
        start_date=fields.start_date or "",
        start_time=fields.start_time or "",
        time_zone=fields.time_zone,
        every=1 if fields.unit == "once" else fields.every or 0,
        unit=Unit(fields.unit or "once"),
    )


def _cron_of(fields: CadenceFields, text: str) -> Cadence:
    surplus = [name for name in ("start_date", "start_time", "every", "unit") if getattr(fields, name) is not None]
    if surplus:
        detail = "a cron cadence has no start and no interval"
        raise Invalid.fields([FieldError(f"cadence.{name}", "not_with_cron", detail) for name in surplus])
    try:
        return Cadence(time_zone=fields.time_zone, unit=Unit.CRON, cron=normalised(text))
    except BadCron as error:
        raise Invalid.at("cadence.cron", "cron_invalid", str(error)) from error


def policies_of(fields: PolicyFields, cadence: Cadence) -> SchedulePolicies:
    """Return the policies of a schedule with that cadence."""
    window = fields.catch_up_window
    usual = Timing.WALL_CLOCK if cadence.unit is Unit.CRON else Timing.ELAPSED
    return SchedulePolicies(
        timing=TimingPolicies(
            timing=usual if fields.timing is None else Timing(fields.timing),
            gap=Gap(fields.gap),
            repeat=Repeat(fields.repeat),
            catch_up=CatchUp(fields.catch_up),
            catch_up_window_s=None if window is None else int(window.total_seconds()),
        ),
        overlap=fields.overlap,
        on_failure=fields.on_failure,
        calendars=fields.calendars,
        spread_s=int(fields.spread.total_seconds()),
    )


NOTES: Final = {
    "start_already_past": "the new start is past already",
    "day_lost": "the zone moved west after that day's time was answered: the day has no occurrence",
    "never_fires": "nothing will ever be due",
}


def warn(notes: Sequence[str], world: World) -> None:
    """Tell the caller what is odd about a decision on time."""
    for note in notes:
        world.warn(note, NOTES.get(note, note), "cadence")


def check(cadence: Cadence, policies: SchedulePolicies, context: Context) -> None:
    """Raise `Invalid` with every wrong field of a cadence under its policies (R4 to R6)."""
    floor = context.limits.min_period_s
    errors = check_cadence(cadence, policies.timing, min_period_s=floor)
    if not errors and cadence.unit is Unit.CRON:
        errors = check_floor(cadence, policies.timing, min_period_s=floor, now=context.now)
    if errors:
        raise Invalid.fields(errors)


def check_calendars(calendars: Sequence[str], world: World, context: Context) -> None:
    """Raise `Invalid` for calendars that are not there or named twice."""
    world.need(calendar_stream(context.workspace, calendar) for calendar in calendars)
    errors: list[FieldError] = []
    for place, calendar in enumerate(calendars):
        path = f"policies.calendars.{place}"
        if not world.calendar(calendar).exists:
            errors.append(FieldError(path, "unknown_calendar", f"there is no calendar {calendar!r}"))
        elif calendar in calendars[:place]:
            errors.append(FieldError(path, "duplicate_calendar", f"{calendar!r} is named already"))
    if errors:
        raise Invalid.fields(errors)


def warn_if_blacked_out(schedule: Schedule, world: World, context: Context) -> None:
    """Tell the caller where its calendars skip every moment of the year that comes."""
    named, due, now = schedule.policies.calendars, schedule.next, context.now
    if not named or due is None:
        return
    calendars = {one: world.calendar(one) for one in named}
    moments = following(schedule.cadence, schedule.policies.timing, schedule.timing, due)
    if not is_ever_free(due, moments, calendars, now + BLACKED_OUT):
        detail = "its calendars skip every moment of the year that comes"
        world.warn("all_blacked_out", detail, "policies.calendars")


def rows_of(fields: Sequence[JobFields], world: World, context: Context) -> tuple[JobRow, ...]:
    """Return the job table; raises `Invalid` for unknown jobs (R9), and as `numbered` does."""
    _refuse_too_many(fields, context)
    _refuse_unsupported(fields)
    world.need(job_stream(context.workspace, _ref(row)) for row in fields)
    return numbered(fields, context, lambda path, job: _problems(path, job, world))


def numbered(
    fields: Sequence[JobFields], context: Context, problems: Callable[[str, Ref], Sequence[FieldError]]
) -> tuple[JobRow, ...]:
    """
    Return the job table with its sequence numbers; `problems` tells what keeps a job out of it.

    Raises `Invalid` for that, doubles in a stage (R8) and too many rows.
    """
    _refuse_too_many(fields, context)
    _refuse_unsupported(fields)
    rows: list[JobRow] = []
    errors: list[FieldError] = []
    for place, row in enumerate(fields):
        seq = row.seq or max((known.seq for known in rows), default=0) + 1
        errors += problems(f"jobs.{place}.job.id", _ref(row))
        if any(known.seq == seq and known.job.id == row.job.id for known in rows):
            errors.append(FieldError(f"jobs.{place}", "duplicate_job", f"{row.job.id!r} is in stage {seq} already"))
        if len(orjson.dumps(row.input)) > INPUT_BYTES_MAX:
            errors.append(
                FieldError(f"jobs.{place}.input", "too_long", f"an input has at most {INPUT_BYTES_MAX} bytes")
            )
        rows.append(_row(place + 1, seq, row))
    if errors:
        raise Invalid.fields(errors)
    return tuple(rows)


def _refuse_too_many(fields: Sequence[JobFields], context: Context) -> None:
    limit = context.limits.jobs_per_schedule
    if len(fields) > limit:
        raise Invalid.at("jobs", "too_many_jobs", f"a schedule has at most {limit} jobs")


def _problems(path: str, ref: Ref, world: World) -> list[FieldError]:
    """Return what keeps a job out of job tables: it must be there (R9), and a flow must be on demand (R10)."""
    job = world.job(ref)
    if not job.alive:
        return [FieldError(path, "unknown_job", f"there is no {ref.kind} {ref.id!r}")]
    if isinstance(job, Flow) and job.trigger != Trigger.ON_DEMAND:
        return [FieldError(path, "flow_not_on_demand", f"{ref.id!r} is started by {job.trigger}, not on demand")]
    return []


def _ref(row: JobFields) -> Ref:
    return Ref(kind=row.job.kind, id=row.job.id)


def _refuse_unsupported(fields: Sequence[JobFields]) -> None:
    errors = [
        FieldError(
            f"jobs.{place}.job.kind", "not_supported", f"a schedule runs services and flows, not a {row.job.kind}"
        )
        for place, row in enumerate(fields)
        if row.job.kind not in FACTS
    ]
    if errors:
        raise Invalid.fields(errors)


def _row(number: int, seq: int, row: JobFields) -> JobRow:
    return JobRow(
        row=number,
        job=_ref(row),
        seq=seq,
        skip_wait=row.skip_wait,
        attempts=row.attempts,
        timeout_s=_seconds(row.timeout),
        wait_timeout_s=_seconds(row.wait_timeout),
        delivery=row.delivery,
        input=None if row.input == {} else row.input,
    )


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()
