"""What a data director may run, stop and pause: groups and Connect jobs, and nothing else (R111, G85)."""

from typing import Final

from eventjobs.commands.context import Context
from eventjobs.commands.owner_facts import SLOT_FACTS
from eventjobs.domain.access import DATA_DIRECTOR, FLOW_AUTHOR, INTEGRATION_AUTHOR, OPERATORS, Grant
from eventjobs.errors import Forbidden

REACHING: Final = frozenset({"RunNow", "StopRun", "ResumeRun", "PauseOwner", "UnpauseOwner"})
"""The commands that more roles may give than may give them to an owner of every kind."""


def refuse_others_owner(kind: str, context: Context) -> None:
    """Raise `Forbidden` for who may do it, but not to an owner of this kind."""
    refusal = None if context.grant is None else not_for_others(kind, context.grant.within(context.workspace))
    if refusal is not None:
        raise refusal


def not_for_others(kind: str, grant: Grant) -> Forbidden | None:
    """Return the refusal for who may do it with these rights, but not to an owner of this kind."""
    needed = OPERATORS | ({DATA_DIRECTOR} if kind in SLOT_FACTS else {FLOW_AUTHOR, INTEGRATION_AUTHOR})
    if grant.roles.isdisjoint(needed):
        return Forbidden("forbidden", f"none of your roles is for a {kind}; one of {', '.join(sorted(needed))} is")
    return None
