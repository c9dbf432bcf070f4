"""Every command there is, by name. A tuple is the registry: a new command is one file and one line here."""

from typing import Any, Final

from eventjobs.commands import (
    activate_schedule,
    add_service,
    adopt_zone_data,
    advance_run,
    announce_instance,
    answer_due,
    configure_service,
    create_schedule,
    create_workspace,
    delete_schedule,
    delete_service,
    describe_schedule,
    edit_cadence,
    edit_schedule_jobs,
    edit_schedule_policies,
    hand_over_run,
    hold_starts,
    inactivate_schedule,
    issue_key,
    note_absence,
    observe_clock_step,
    pause_owner,
    release_starts,
    revoke_key,
    run_now,
    stop_run,
    take_over_run,
    unpause_owner,
)
from eventjobs.commands.spec import CommandSpec

SPECS: Final[tuple[CommandSpec[Any], ...]] = (
    activate_schedule.SPEC,
    add_service.SPEC,
    adopt_zone_data.SPEC,
    advance_run.SPEC,
    announce_instance.SPEC,
    answer_due.SPEC,
    configure_service.SPEC,
    create_schedule.SPEC,
    create_workspace.SPEC,
    delete_schedule.SPEC,
    delete_service.SPEC,
    describe_schedule.SPEC,
    edit_cadence.SPEC,
    edit_schedule_jobs.SPEC,
    edit_schedule_policies.SPEC,
    hand_over_run.SPEC,
    hold_starts.SPEC,
    inactivate_schedule.SPEC,
    issue_key.SPEC,
    note_absence.SPEC,
    observe_clock_step.SPEC,
    pause_owner.SPEC,
    release_starts.SPEC,
    revoke_key.SPEC,
    run_now.SPEC,
    stop_run.SPEC,
    take_over_run.SPEC,
    unpause_owner.SPEC,
)

PUBLIC: Final = tuple(spec for spec in SPECS if not spec.internal)
"""The commands that HTTP and CLI offer; the others are the runner's own."""
