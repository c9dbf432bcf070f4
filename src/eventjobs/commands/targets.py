"""
One command for many registrations of a definition, given in the workspace that publishes it (R70).

Each target is decided and appended by itself, with the caller's rights there: after a crash each is done or not, and
doing it again does the rest. Few of them are in memory at a time.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from eventjobs.commands.batch import Entry, run_each
from eventjobs.commands.context import Context
from eventjobs.commands.dispatch import Dispatcher
from eventjobs.commands.fields import no_such
from eventjobs.commands.outcomes import Keyed, Outcome
from eventjobs.commands.spec import CommandSpec
from eventjobs.commands.target_fields import Targets
from eventjobs.domain.access import INTEGRATION_AUTHOR
from eventjobs.domain.streams import definition_stream
from eventjobs.errors import LogFault, Rejected

AT_ONCE: Final = 20
"""How many targets share a turn: what falls due comes in between."""
KeyIn: TypeAlias = Callable[[Context], Keyed | None]
"""What a request's idempotency key is in a target's workspace."""
AUTHORS: Final = frozenset({INTEGRATION_AUTHOR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One of them: its command and surroundings, or why there is none."""

    workspace: str
    entry: Entry | Rejected


async def find_targets(
    dispatcher: Dispatcher,
    spec: CommandSpec[Any],
    targets: Targets,
    context: Context,
    key_in: KeyIn = lambda _: None,
) -> Sequence[Target]:
    """
    Return a command for each target; workspaces that the caller's key does not cover are as if they had none.

    Raises `Forbidden` for who is no author in the definition's workspace, `NotFound` where it has no such definition.
    """
    if context.grant is not None and not context.grant.may_write(AUTHORS, context.workspace):
        await dispatcher.refuse(spec.name, sorted(AUTHORS), context)
    stream = definition_stream(context.workspace, targets.definition)
    await dispatcher.states.refresh([stream])
    definition = (await dispatcher.states.load([stream]))[stream].state
    if not definition.exists:
        raise no_such("definition", targets.definition)
    grant = context.grant
    registered = [one for one in definition.registered_by if grant is None or grant.covers(one)]
    known = frozenset(registered)
    asked = registered if targets.workspaces is None else targets.workspaces
    found: list[Target] = []
    for workspace in dict.fromkeys(asked):
        entry: Entry | Rejected = no_such("registration in the workspace", workspace)
        if workspace in known:
            there = replace(
                context,
                workspace=workspace,
                command_id=context.ids.new(),
                causation=context.command_id,
                correlation=context.correlation or context.command_id,
            )
            entry = Entry(spec=spec, command=targets.each, context=there, keyed=key_in(there))
        found.append(Target(workspace=workspace, entry=entry))
    return found


async def run_targets(dispatcher: Dispatcher, found: Sequence[Target]) -> Sequence[Outcome | Rejected | LogFault]:
    """Run each target's command; the answers are in their order, refusals and faults as values."""
    answers: list[Outcome | Rejected | LogFault] = []
    for begin in range(0, len(found), AT_ONCE):
        part = [target.entry for target in found[begin : begin + AT_ONCE]]
        done = iter(await run_each(dispatcher, [entry for entry in part if isinstance(entry, Entry)]))
        answers += [next(done) if isinstance(entry, Entry) else entry for entry in part]
        await asyncio.sleep(0)
    return answers
