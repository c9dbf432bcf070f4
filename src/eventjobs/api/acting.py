"""
How a view says what the caller may do with its rows, and why not.

Rights are today's, the state is that of the row.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeAlias

from eventjobs.api.moment import Moment, now_of
from eventjobs.api.ports import Document
from eventjobs.api.registry import Call
from eventjobs.commands.context import Limits
from eventjobs.commands.dispatch import forbidden
from eventjobs.commands.halting import held
from eventjobs.commands.reach import REACHING, not_for_others
from eventjobs.commands.room import no_room
from eventjobs.commands.spec import CommandSpec
from eventjobs.domain.access import Grant
from eventjobs.domain.halts import HELD, Halt
from eventjobs.errors import Rejected
from eventjobs.ids import EVERYWHERE

Allowed: TypeAlias = bool | Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """
    What decides besides the row itself: who asks, the hold in force, the limits, and who has how many open runs.

    `owner` is that of a run, where the row is one.
    """

    workspace: str
    grant: Grant
    hold: Rejected | None
    limits: Limits
    open_runs: Mapping[tuple[str, str], int]
    owner: Document | None = None

    @property
    def room(self) -> Rejected | None:
        """Why no other run of the workspace may open."""
        limit = self.limits.runs_per_workspace
        full = limit is not None and sum(self.open_runs.values()) >= limit
        return no_room(limit, "workspace") if full else None


class Action(NamedTuple):
    """A command on a row, and why the row's state does not allow it."""

    spec: CommandSpec[Any]
    refusal: Callable[[Document, Around], Rejected | None]


STOP_RUN: Final = "stop_run"
"""Of an owner: its open run; there only where one is open."""
RESUME_RUN: Final = "resume_run"
"""Of an owner: its last run; there only where one is over."""
_RUN_OF: Final = {STOP_RUN: "open_run", RESUME_RUN: "last_run"}


async def around(call: Call, moment: Moment) -> Around:
    """Look at what decides for every row of an answer; limits count for the present only."""
    views, limits = call.deps.views, call.deps.limits
    limited = limits.runs_per_owner is not None or limits.runs_per_workspace is not None
    return Around(
        workspace=call.workspace,
        grant=call.grant,
        hold=_hold(await views.holds(call.workspace, position=moment.read_at), now_of(call, moment)),
        limits=limits,
        open_runs=await views.open_runs(call.workspace) if limited and moment.read_at is None else {},
    )


def with_actions(rows: Iterable[Document], actions: Mapping[str, Action], around: Around) -> Sequence[Document]:
    """Return the rows, each with `actions`: `true`, or `{allowed: false, code, reason}`."""
    rights = [(name, action, _forbidden(action.spec, around)) for name, action in actions.items()]
    return [{**row, "actions": dict(_of(row, rights, around))} for row in rows]


def _of(
    row: Document, rights: Sequence[tuple[str, Action, Rejected | None]], around: Around
) -> Iterable[tuple[str, Allowed]]:
    for name, action, forbids in rights:
        if name not in _RUN_OF or row[_RUN_OF[name]] is not None:
            refusal = forbids or _unreachable(action.spec, row, around) or action.refusal(row, around)
            yield name, refusal is None or {"allowed": False, "code": refusal.code, "reason": refusal.detail}


def _forbidden(spec: CommandSpec[Any], around: Around) -> Rejected | None:
    where = EVERYWHERE if spec.everywhere else around.workspace
    return None if around.grant.may_write(spec.roles, where) else forbidden(spec.name, sorted(spec.roles))


def _unreachable(spec: CommandSpec[Any], row: Document, around: Around) -> Rejected | None:
    owner = row.get("owner", row)
    if spec.name not in REACHING:
        return None
    return not_for_others(owner.get("kind", "schedule"), around.grant.within(around.workspace))


def _hold(holds: Sequence[Document], now: datetime) -> Rejected | None:
    for shown in holds:
        halt = Halt(reason=HELD, since=shown["since"], until=shown["until"], note=shown["note"], by=shown["by"])
        if halt.lasts(now):
            return held(halt, everywhere=shown["everywhere"])
    return None
