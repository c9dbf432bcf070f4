"""The runner's own: tell that a group or a Connect job expires soon, or has expired (G61, G70)."""

from datetime import datetime
from typing import Annotated, Final, Literal, cast

from pydantic import Field

from eventjobs.commands.context import Context
from eventjobs.commands.reporting import report_to
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import key_of, member_of
from eventjobs.domain.notification_policy import NOBODY, Happened, recipients
from eventjobs.domain.report import ExpiryReport
from eventjobs.domain.slot_owner import SlotOwner
from eventjobs.domain.streams import owner_stream
from eventjobs.events.connect import Notification
from eventjobs.events.run import Ref


class ReportExpiry(CommandFields):
    """
    An owner expires in `days_left` days or, as `on_expiry` says, was deleted or deactivated; recorded at `at`.

    `kind` is that of the owner's stream; `notification` and its last day `expires_on` are as they were then, and
    `created_by` is the actor who made it.
    """

    kind: str
    id: Id
    notification: Notification
    created_by: str
    at: datetime
    expires_on: Annotated[str, Field(max_length=10)]
    days_left: int = 0
    on_expiry: Literal["delete", "deactivate"] | None = None


def decide(command: ReportExpiry, world: World, context: Context) -> None:
    """Want the messages; nothing where nobody is known who could be told, or they were told before."""
    happened = Happened.EXPIRES if command.on_expiry is None else Happened.EXPIRED
    told = recipients(command.notification, [happened], _address(command.created_by, world))
    if told == NOBODY:
        return
    owner = world.called(command.kind, command.id)
    report = ExpiryReport(
        owner=owner,
        name=cast(SlotOwner, world.owner(owner)).name,
        at=command.at,
        expires_on=command.expires_on,
        days_left=command.days_left,
        became=None if command.on_expiry is None else f"{command.on_expiry}d",
    )
    report_to(world, context, told, report)


def _address(actor: str, world: World) -> str | None:
    """Return the address of an actor: known of a member of the workspace, who signed in or has the key."""
    key = key_of(actor, world.workspace_id)
    member = member_of(actor, world.workspace_id) if key is None else world.key(key).member
    added = None if member is None else world.member(member).added
    return None if added is None else added.email


SPEC: Final = CommandSpec(
    name="ReportExpiry",
    command=ReportExpiry,
    streams=lambda command, context: [owner_stream(context.workspace, Ref(kind=command.kind, id=command.id))],
    decide=decide,
    internal=True,
    summary="Tell that a group or a job expires soon, or has expired",
)
