"""The fields of a slot schedule (G26 to G41), and their translation into what its facts hold."""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Final, Literal

from pydantic import Field

from eventjobs.commands.spec import CommandFields
from eventjobs.commands.world import World
from eventjobs.domain import zones
from eventjobs.domain.cadence import YEARS, is_date
from eventjobs.domain.slot_checks import Finding, Findings
from eventjobs.domain.slots import EVERY_MAX, LABELS, MINUTES
from eventjobs.errors import FieldError, Invalid
from eventjobs.events.slots import Redraw, SlotSchedule, SlotType, Weekday

Date = Annotated[str, Field(max_length=10)]

_TIME: Final = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_RECURRING: Final = frozenset({"from_", "until"})
_START: Final = frozenset({"hour", "slot", "at"})
_BELONG: Final = {
    SlotType.ON_DEMAND: frozenset[str](),
    SlotType.ONCE: _START | {"date"},
    SlotType.DAILY: _START | _RECURRING,
    SlotType.WEEKLY: _START | _RECURRING | {"days"},
    SlotType.MONTHLY: _START | _RECURRING | {"day"},
    SlotType.HOURLY: _RECURRING | {"every", "slot"},
}


class SlotFields(CommandFields):
    """
    When it runs: a type, the day that goes with it, and `hour` and `slot`, or `at` (`HH:MM`), which names its slot.

    The minute is drawn in the slot: once, or by `redraw` anew for each occurrence. `hourly` runs in the slot of the
    local hours 0, `every`, twice `every` and so on.
    """

    type: Literal["on_demand", "once", "daily", "weekly", "monthly", "hourly"] = "on_demand"
    date: Date | None = None
    days: Annotated[tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...], Field(max_length=7)] = ()
    day: Annotated[int, Field(ge=1, le=31)] | Literal["last"] | None = None
    every: Annotated[int, Field(ge=1, le=EVERY_MAX)] | None = None
    hour: Annotated[int, Field(ge=0, le=23)] | None = None
    slot: Annotated[str, Field(max_length=5)] | None = None
    at: Annotated[str, Field(max_length=5)] | None = None
    time_zone: Annotated[str, Field(max_length=64)] | None = None
    from_: Annotated[Date | None, Field(alias="from")] = None
    until: Date | None = None
    redraw: Literal["per_schedule", "per_occurrence"] = "per_schedule"


def slots_of(fields: SlotFields, zone: str, path: str = "schedule") -> SlotSchedule:
    """
    Return the schedule, in a workspace's zone where it names none; its minute is not drawn.

    It may lack what a draft may lack. Raises `Invalid` with every field that means nothing or is not of its type.
    """
    errors = [FieldError(f"{path}.{name}", code, detail) for name, code, detail in _problems(fields)]
    if errors:
        raise Invalid.fields(errors)
    hour, slot = fields.hour, None if fields.slot is None else LABELS[fields.slot]
    if fields.at is not None:
        hour, slot = int(fields.at[:2]), int(fields.at[3:]) // MINUTES
    return SlotSchedule(
        type=SlotType(fields.type),
        time_zone=fields.time_zone or zone,
        date=fields.date,
        days=tuple(day for day in Weekday if day in fields.days),
        day=fields.day,
        every=fields.every,
        hour=hour,
        slot=slot,
        at=fields.at,
        from_date=fields.from_,
        until_date=fields.until,
        redraw=Redraw(fields.redraw),
    )


def heed(findings: Findings, world: World, others: Sequence[FieldError] = ()) -> None:
    """
    Tell the caller the warnings; raises `Invalid` with every error, the `others` first.

    It has the way out of the first finding.
    """
    errors = [*others, *(one.error for one in _besides(others, findings))]
    if errors:
        extra = findings.errors[0].extra if findings.errors else {}
        raise Invalid(errors[0].code, errors[0].detail, errors=errors, extra=extra)
    for one in findings.warnings:
        world.warn(one.code, one.detail, one.path)


def tell(findings: Findings, world: World, others: Sequence[FieldError] = ()) -> None:
    """Tell the caller of a draft what `heed` would refuse, and what else it would tell (G12, G33)."""
    for error in others:
        world.warn(error.code, error.detail, error.path, prevents="activation")
    for one in _besides(others, findings):
        world.warn(one.code, one.detail, one.path, prevents="activation", **one.extra)
    for one in findings.warnings:
        world.warn(one.code, one.detail, one.path)


def _besides(others: Sequence[FieldError], findings: Findings) -> Sequence[Finding]:
    known = {(error.path, error.code) for error in others}
    return [one for one in findings.errors if (one.path, one.code) not in known]


def _problems(fields: SlotFields) -> Iterator[tuple[str, str, str]]:
    belong = _BELONG[SlotType(fields.type)]
    for name in sorted(_START | _RECURRING | {"date", "days", "day", "every"}):
        if name not in belong and getattr(fields, name) not in (None, ()):
            yield _shown(name), "not_with_type", f"A schedule of type {fields.type} has no such field."
    if fields.redraw == "per_occurrence" and "until" not in belong:
        yield "redraw", "not_with_type", f"A schedule of type {fields.type} does not recur."
    yield from _time_problems(fields)
    yield from _date_problems(fields)
    if fields.time_zone is not None and not zones.is_zone(fields.time_zone):
        detail = f"{fields.time_zone!r:.80} is no name of the zone database {zones.zone_data()}; names are exact."
        yield "time_zone", "time_zone_unknown", detail


def _shown(name: str) -> str:
    return name.rstrip("_")


def _time_problems(fields: SlotFields) -> Iterator[tuple[str, str, str]]:
    if fields.slot is not None and fields.slot not in LABELS:
        yield "slot", "slot_unknown", f"A slot is one of {', '.join(LABELS)}."
    if fields.at is None:
        return
    if not _TIME.fullmatch(fields.at):
        yield "at", "time_invalid", "A time of day from 00:00 to 23:59, as HH:MM."
    for name in ("hour", "slot"):
        if getattr(fields, name) is not None:
            yield name, "not_with_at", "`at` says the hour and the slot."


def _date_problems(fields: SlotFields) -> Iterator[tuple[str, str, str]]:
    for name in ("date", "from_", "until"):
        text = getattr(fields, name)
        if text is not None and not is_date(text):
            yield _shown(name), "date_invalid", "A date of the calendar, as YYYY-MM-DD."
        elif text is not None and int(text[:4]) not in YEARS:
            yield _shown(name), "date_out_of_range", "The year is from 1970 to 2200."
    if fields.from_ is not None and fields.until is not None and fields.until < fields.from_:
        yield "until", "until_before_from", "The last day is not before the first."
