"""Which facts of groups and Connect jobs a projection asks for, by what they have in common with those of schedules."""

from typing import Any, get_args

from eventjobs.events.group import GroupEvent
from eventjobs.events.job import JobEvent


def of_slots(*bases: type[Any]) -> tuple[type[Any], ...]:
    """Return the facts of groups and of jobs that are one of these."""
    return tuple(event for event in (*get_args(GroupEvent), *get_args(JobEvent)) if issubclass(event, bases))
