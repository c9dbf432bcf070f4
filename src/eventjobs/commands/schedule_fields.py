"""The fields that define a schedule, and their translation into what its facts hold."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import Field

from eventjobs.commands.context import Context
from eventjobs.commands.fields import Attempts, Delivery, Duration, JobRef
from eventjobs.commands.spec import CommandFields
from eventjobs.commands.world import World
from eventjobs.domain.cadence import check_cadence
from eventjobs.domain.streams import service_stream
from eventjobs.errors import FieldError, Invalid
from eventjobs.events.cadence import Cadence, CatchUp, Gap, Repeat, Timing, TimingPolicies, Unit
from eventjobs.events.run import Ref
from eventjobs.events.schedule import JobRow, SchedulePolicies

SEQ_MAX: Final = 10_000


class CadenceFields(CommandFields):
    """When it starts and how often it comes back: every `every` units (R5); with `once` the number is ignored."""

    start_date: Annotated[str, Field(max_length=10)] | None = None
    start_time: Annotated[str, Field(max_length=5)] | None = None
    time_zone: Annotated[str, Field(max_length=64)]
    every: int | None = None
    unit: Literal["once", "minute", "hour", "day", "month"] | None = None
    cron: Annotated[str, Field(max_length=200)] | None = None


class JobFields(CommandFields):
    """One row of the job table; a new row's sequence number is one above the highest before it (R41)."""

    job: JobRef
    seq: Annotated[int, Field(ge=1, le=SEQ_MAX)] | None = None
    skip_wait: bool = False
    attempts: Attempts | None = None
    timeout: Duration | None = None
    wait_timeout: Duration | None = None
    delivery: Delivery | None = None


class PolicyFields(CommandFields):
    """How a schedule behaves."""

    timing: Literal["elapsed", "grid", "wall_clock"] = "elapsed"
    gap: Literal["shift", "skip"] = "shift"
    repeat: Literal["first", "second", "both"] = "first"
    catch_up: Literal["due", "always_on_tighten", "never"] = "due"
    catch_up_window: Duration | None = None
    overlap: Literal["skip", "queue_one", "queue_all", "cancel_running", "allow"] = "skip"
    on_failure: Literal["continue", "stop"] = "continue"


Jobs = Annotated[tuple[JobFields, ...], Field(min_length=1, max_length=1_000)]


def cadence_of(fields: CadenceFields) -> Cadence:
    """Return the cadence; raises `Invalid` for one that is not built yet or lacks a field."""
    if fields.cron is not None:
        raise Invalid.at("cadence.cron", "not_supported", "cron cadences are not supported yet")
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


def policies_of(fields: PolicyFields) -> SchedulePolicies:
    """Return the policies."""
    window = fields.catch_up_window
    return SchedulePolicies(
        timing=TimingPolicies(
            timing=Timing(fields.timing),
            gap=Gap(fields.gap),
            repeat=Repeat(fields.repeat),
            catch_up=CatchUp(fields.catch_up),
            catch_up_window_s=None if window is None else int(window.total_seconds()),
        ),
        overlap=fields.overlap,
        on_failure=fields.on_failure,
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
    errors = check_cadence(cadence, policies.timing, min_period_s=context.limits.min_period_s)
    if errors:
        raise Invalid.fields(errors)


def rows_of(fields: Sequence[JobFields], world: World, context: Context) -> tuple[JobRow, ...]:
    """Return the job table; raises `Invalid` for unknown jobs (R9), doubles in a stage (R8) and too many rows."""
    limit = context.limits.jobs_per_schedule
    if len(fields) > limit:
        raise Invalid.at("jobs", "too_many_jobs", f"a schedule has at most {limit} jobs")
    _refuse_unsupported(fields)
    world.need(service_stream(context.workspace, row.job.id) for row in fields)
    rows: list[JobRow] = []
    errors: list[FieldError] = []
    for place, row in enumerate(fields):
        seq = row.seq or max((known.seq for known in rows), default=0) + 1
        if not world.service(row.job.id).alive:
            errors.append(FieldError(f"jobs.{place}.job.id", "unknown_job", f"there is no service {row.job.id!r}"))
        if any(known.seq == seq and known.job.id == row.job.id for known in rows):
            errors.append(FieldError(f"jobs.{place}", "duplicate_job", f"{row.job.id!r} is in stage {seq} already"))
        rows.append(_row(place + 1, seq, row))
    if errors:
        raise Invalid.fields(errors)
    return tuple(rows)


def _refuse_unsupported(fields: Sequence[JobFields]) -> None:
    errors = [
        FieldError(f"jobs.{place}.job.kind", "not_supported", f"jobs of kind {row.job.kind!r} are not supported yet")
        for place, row in enumerate(fields)
        if row.job.kind != "service"
    ]
    if errors:
        raise Invalid.fields(errors)


def _row(number: int, seq: int, row: JobFields) -> JobRow:
    return JobRow(
        row=number,
        job=Ref(kind=row.job.kind, id=row.job.id),
        seq=seq,
        skip_wait=row.skip_wait,
        attempts=row.attempts,
        timeout_s=_seconds(row.timeout),
        wait_timeout_s=_seconds(row.wait_timeout),
        delivery=row.delivery,
    )


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()
