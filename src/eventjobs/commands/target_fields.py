"""The fields of a command that may be for many registrations of a definition."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field

from eventjobs.commands.spec import CommandFields, WorkspaceId
from eventjobs.errors import Invalid

TARGETS_MAX: Final = 10_000

Listed: TypeAlias = Annotated[tuple[WorkspaceId, ...], Field(min_length=1, max_length=TARGETS_MAX)]
TargetFields: TypeAlias = Literal["all"] | Listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """The registrations that a command is for: of a `definition`, in `workspaces` or all; `each` is one's command."""

    definition: str
    workspaces: Sequence[str] | None
    each: CommandFields


def named(targets: TargetFields) -> Sequence[str] | None:
    """Return the workspaces that are named, `None` for all."""
    return None if targets == "all" else targets


def refuse_targets(targets: TargetFields | None) -> None:
    """Raise `Invalid` where a command for many is one of a batch, which is decided as a whole."""
    if targets is not None:
        raise Invalid.at("targets", "not_in_a_batch", "a command for many registrations is sent by itself")
