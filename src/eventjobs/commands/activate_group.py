"""
Activate a group, or save and activate it at once: both, or neither (G10 to G13).

It needs two jobs that qualify, somebody to tell where its mode tells, and a schedule whose slot is not under way.
"""

from typing import Annotated, Final, Literal

from pydantic import Field

from eventjobs.commands.answering import settle_due
from eventjobs.commands.connect_fields import ConnectName, GroupNotificationFields, LastDay, SlotPolicyFields
from eventjobs.commands.context import Context
from eventjobs.commands.group_fields import GroupFields, Members, expiries
from eventjobs.commands.qualifying import incomplete
from eventjobs.commands.saving_groups import alive_group, group_ref, save
from eventjobs.commands.slot_activity import switch_on
from eventjobs.commands.slot_fields import SlotFields
from eventjobs.commands.spec import CommandFields, CommandSpec, Id, Text
from eventjobs.commands.world import World
from eventjobs.domain.access import DATA_DIRECTOR
from eventjobs.domain.streams import group_stream, groups_stream, workspace_stream
from eventjobs.errors import Invalid


class ActivateGroup(CommandFields):
    """The group; with a `name`, its whole new definition as SaveGroup takes it."""

    id: Id
    name: ConnectName | None = None
    description: Text = ""
    jobs: Members = ()
    schedule: Annotated[SlotFields, Field(default_factory=SlotFields)]
    notification: Annotated[GroupNotificationFields, Field(default_factory=GroupNotificationFields)]
    policies: Annotated[SlotPolicyFields, Field(default_factory=SlotPolicyFields)]
    on_expiry: Literal["delete", "deactivate"] = "delete"
    expires_on: LastDay | None = None


def decide(command: ActivateGroup, world: World, context: Context) -> None:
    """Activate it; an active one stays as it is."""
    alive_group(command.id, world, context)
    if command.name is not None:
        fields = command.model_dump(exclude={"id"}, exclude_unset=True, by_alias=True)
        save(world, context, command.id, GroupFields.model_validate(fields))
    elif command.model_fields_set - {"id"}:
        raise Invalid.at("name", "missing", "a definition to save has a name")
    settle_due(world, context, group_ref(command.id))
    group = alive_group(command.id, world, context)
    errors = () if group.active else incomplete(command.id, group, world, context)
    switch_on(world, context, group_ref(command.id), expiries(command.id, world), errors=errors)


SPEC: Final = CommandSpec(
    name="ActivateGroup",
    command=ActivateGroup,
    streams=lambda command, context: [
        group_stream(context.workspace, command.id),
        workspace_stream(context.workspace),
        groups_stream(context.workspace),
    ],
    decide=decide,
    roles=frozenset({DATA_DIRECTOR}),
    summary="Activate a group, or save and activate it",
    example={"id": "nightly-lists"},
)
