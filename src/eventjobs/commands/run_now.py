"""
Run a schedule, or a single service or flow, by hand.

A manual run happens outside the cadence: it never moves or consumes it (R19, R51), and it works while the schedule is
inactive (R52) or paused. With an open run it is refused (R54), unless the owner's runs may overlap, as those of a flow
that is not exclusive do (R46), and then if as many are open as may be; during a hold of all starts it is refused with
who holds, why and until when. Nothing of a feature that is off runs.
"""

from typing import Final

from eventjobs.commands.answering import settle_due
from eventjobs.commands.context import Context
from eventjobs.commands.fields import OwnerRef, no_such
from eventjobs.commands.halting import refuse_while_held
from eventjobs.commands.job_facts import FACTS
from eventjobs.commands.managing import no_jobs, refuse_job_off, refuse_off
from eventjobs.commands.opening import MANUAL, Moment, open_job_run, open_owner_run
from eventjobs.commands.owner_facts import SLOT_FACTS
from eventjobs.commands.reach import refuse_others_owner
from eventjobs.commands.room import refuse_beside, refuse_beside_job, refuse_without_room
from eventjobs.commands.run_by_slots import run_slot_owner
from eventjobs.commands.spec import CommandFields, CommandSpec, RunId
from eventjobs.commands.world import World
from eventjobs.domain.access import DATA_DIRECTOR, FLOW_AUTHOR, INTEGRATION_AUTHOR, OPERATORS
from eventjobs.domain.flow import Flow
from eventjobs.domain.occurrence import OCCURRENCE_PREFIXES
from eventjobs.domain.overlap import Overlap
from eventjobs.domain.owner import schedule_ref
from eventjobs.domain.run import State
from eventjobs.domain.streams import owner_stream, run_stream
from eventjobs.errors import Conflict, Invalid
from eventjobs.events.run import Ref


class RunNow(CommandFields):
    """What to run; `id` is the new run's."""

    owner: OwnerRef
    id: RunId | None = None


def decide(command: RunNow, world: World, context: Context) -> None:
    """Open the run, or refuse with the one that is open."""
    owner = command.owner
    if command.id is not None and command.id.startswith(OCCURRENCE_PREFIXES):
        raise Invalid.at("id", "reserved_id", "ids of this form belong to occurrences")
    refuse_others_owner(owner.kind, context)
    run_id = command.id or context.command_id
    if (command.id is not None or _may_overlap(owner, world)) and _ran_before(owner, run_id, world):
        world.answer["run"] = run_id
        return
    open_by_hand(Ref(kind=owner.kind, id=owner.id), run_id, world, context, MANUAL)
    world.answer["run"] = run_id


def open_by_hand(owner: Ref, run_id: str, world: World, context: Context, moment: Moment) -> None:
    """Open a run that a person wants, or raise what stands in its way."""
    if owner.kind == "schedule":
        _schedule(owner.id, run_id, world, context, moment)
    elif owner.kind in SLOT_FACTS:
        run_slot_owner(owner, run_id, world, context, moment)
    else:
        _job(owner, run_id, world, context, moment)


def _may_overlap(owner: OwnerRef, world: World) -> bool:
    """Whether an open run would not tell that this very command was decided before."""
    if owner.kind == "schedule":
        return world.schedule(owner.id).policies.overlap == Overlap.ALLOW
    return owner.kind in FACTS and not world.job(Ref(kind=owner.kind, id=owner.id)).exclusive


def _ran_before(owner: OwnerRef, run_id: str, world: World) -> bool:
    present = world.run(run_id)
    if present.state is State.ABSENT:
        return False
    if (present.owner.kind, present.owner.id) != (owner.kind, owner.id):
        raise Conflict("id_taken", f"the id {run_id!r} is taken")
    return True


def _schedule(schedule_id: str, run_id: str, world: World, context: Context, moment: Moment) -> None:
    if not world.schedule(schedule_id).alive:
        raise no_such("schedule", schedule_id)
    refuse_off(world.schedule(schedule_id), world)
    if not world.schedule(schedule_id).jobs:
        raise no_jobs(schedule_id)
    # What is due comes first, as the ticker would answer it, or the manual run would take the occurrence's place. One
    # that is refused for it names the occurrence's run, which the ticker is about to open.
    settle_due(world, context, schedule_ref(schedule_id))
    refuse_while_held(world, context)
    refuse_beside(world.schedule(schedule_id), context)
    refuse_without_room(world, context)
    open_owner_run(world, context, schedule_ref(schedule_id), run_id, moment)


def _job(ref: Ref, run_id: str, world: World, context: Context, moment: Moment) -> None:
    job = world.job(ref)
    if not job.alive:
        raise no_such(ref.kind, ref.id)
    if isinstance(job, Flow) and not job.active:
        raise flow_inactive(ref.id)
    refuse_job_off(job, world)
    refuse_while_held(world, context)
    refuse_beside_job(ref.kind, job, context)
    refuse_without_room(world, context)
    open_job_run(world, context, ref, run_id, moment)


def flow_inactive(flow_id: str) -> Conflict:
    """The refusal for a flow that is not to run at all."""
    return Conflict("flow_inactive", f"the flow {flow_id!r} is inactive")


SPEC: Final = CommandSpec(
    name="RunNow",
    command=RunNow,
    streams=lambda command, context: [
        owner_stream(context.workspace, command.owner.plain()),
        *([run_stream(context.workspace, command.id)] if command.id else []),
    ],
    decide=decide,
    roles=OPERATORS | {DATA_DIRECTOR, FLOW_AUTHOR, INTEGRATION_AUTHOR},
    summary="Run a schedule, a service or a flow by hand",
    example={"owner": {"kind": "schedule", "id": "nightly"}},
)
