"""Let the jobs of a group run in another order, from its next run on (G7)."""

from collections import Counter
from typing import Annotated, Final

from pydantic import Field

from eventjobs.commands.answering import settle_due
from eventjobs.commands.context import Context
from eventjobs.commands.saving_groups import alive_group, group_ref
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import DATA_DIRECTOR
from eventjobs.domain.streams import group_stream
from eventjobs.errors import Invalid
from eventjobs.events.group import GroupReordered


class ReorderGroup(CommandFields):
    """The jobs of the group, all of them, in their new order."""

    id: Id
    jobs: Annotated[tuple[Id, ...], Field(max_length=1_000)]


def decide(command: ReorderGroup, world: World, context: Context) -> None:
    """Reorder them; raises `Invalid` `not_a_permutation` for jobs that are not those of the group."""
    settle_due(world, context, group_ref(command.id))
    group = alive_group(command.id, world, context)
    members = {member.job.id: member for member in group.members}
    if Counter(command.jobs) != Counter(list(members)):
        raise Invalid.at("jobs", "not_a_permutation", f"the jobs of the group are {', '.join(members) or 'none'}")
    reordered = tuple(members[job] for job in command.jobs)
    if reordered != group.members:
        world.emit(group_stream(context.workspace, command.id), GroupReordered(members=reordered))


SPEC: Final = CommandSpec(
    name="ReorderGroup",
    command=ReorderGroup,
    streams=lambda command, context: [group_stream(context.workspace, command.id)],
    decide=decide,
    roles=frozenset({DATA_DIRECTOR}),
    summary="Let the jobs of a group run in another order",
    example={"id": "nightly-lists", "jobs": ["extension", "contacts"]},
)
