"""
A command as a value: all that HTTP, CLI, OpenAPI, authorisation, dry run and the property tests need.

`decide` is pure: it reads and emits through its `World`, raises `Rejected` to refuse, and emits nothing where nothing
is to do.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from eventjobs.commands.context import Context
from eventjobs.commands.world import World
from eventjobs.events.recorded import StreamId
from eventjobs.ids import ID_PATTERN, WORKSPACE_ID_PATTERN


def _plain(text: str) -> str:
    """Refuse characters that hide or reorder what people read (controls, zero width, bidi overrides)."""
    if not text.isprintable():
        raise ValueError("contains control or invisible characters")
    return text


PLAIN: Final = AfterValidator(_plain)
Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
WorkspaceId = Annotated[str, StringConstraints(pattern=WORKSPACE_ID_PATTERN)]
RunId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,159}$")]
"""Occurrence ids may exceed 64 characters."""
Name = Annotated[str, StringConstraints(min_length=1, max_length=200), PLAIN]
Text = Annotated[str, StringConstraints(max_length=2_000)]


class CommandFields(BaseModel):
    """The fields of a command: closed, strict, unchangeable; what reads them is built at the first command."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, defer_build=True)


C = TypeVar("C", bound=CommandFields)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSpec(Generic[C]):
    """
    One command.

    `streams` names what to load first; the first of them is the subject: its definition version is the answer's
    `version` and what If-Match compares. `roles`: one of them is needed (none: only the service itself). `internal`
    commands are the runner's own and have no place in the API.
    """

    name: str
    command: type[C]
    streams: Callable[[C, Context], Sequence[StreamId]]
    decide: Callable[[C, World, Context], None]
    roles: frozenset[str] = frozenset()
    internal: bool = False
    everywhere: bool = False
    """Whether the roles are needed for `*` instead of the command's workspace."""
    creates: bool = False
    """Whether the subject is usually new: it is taken for that without a read, and the append finds out."""
    summary: str = ""
    example: Mapping[str, Any] | None = None
