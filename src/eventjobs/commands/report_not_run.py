"""The runner's own: tell that a planned run did not take place, at most once for a local day (G70)."""

from datetime import datetime
from typing import Annotated, Final, cast

from pydantic import Field

from eventjobs.commands.context import Context
from eventjobs.commands.reporting import report_to
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.notification_policy import NOBODY, UNTOLD, Happened, recipients
from eventjobs.domain.report import NotRunReport
from eventjobs.domain.slot_owner import SlotOwner
from eventjobs.domain.streams import owner_stream
from eventjobs.events.connect import Notification
from eventjobs.events.run import Ref


class ReportNotRun(CommandFields):
    """
    `count` moments of an owner from `first` to `last` were `skipped` or `missed` (`outcome`), as was recorded at `at`.

    `kind` is that of the owner's stream; `notification` and its `time_zone`, whose days count, are as they were then.
    """

    kind: str
    id: Id
    notification: Notification
    time_zone: Annotated[str, Field(max_length=64)]
    at: datetime
    outcome: str
    reason: str
    first: datetime
    last: datetime
    count: Annotated[int, Field(ge=1)] = 1


def decide(command: ReportNotRun, world: World, context: Context) -> None:
    """Want the messages; nothing where a person wanted it so, or the day was told of before."""
    told = recipients(command.notification, [Happened.NOT_RUN])
    if told == NOBODY or command.reason in UNTOLD:
        return
    owner = world.called(command.kind, command.id)
    present = cast(SlotOwner, world.owner(owner))
    report = NotRunReport(
        owner=owner,
        name=present.name,
        time_zone=command.time_zone,
        at=command.at,
        outcome=command.outcome,
        reason=command.reason,
        due=command.first,
        last=command.last,
        count=command.count,
        next_due=None if present.next is None else present.next.due,
    )
    report_to(world, context, told, report)


SPEC: Final = CommandSpec(
    name="ReportNotRun",
    command=ReportNotRun,
    streams=lambda command, context: [owner_stream(context.workspace, Ref(kind=command.kind, id=command.id))],
    decide=decide,
    internal=True,
    summary="Tell that a planned run did not take place",
)
