"""The lines that a run's attempts wrote, in order of row, attempt and line."""

import re
from typing import Annotated, Final

from aiohttp import web
from pydantic import Field

from eventjobs.api.answers import json_answer
from eventjobs.api.moment import Moment, ReadQuery, view_moment
from eventjobs.api.problems import BAD_CURSOR, HttpRefusal
from eventjobs.api.registry import Call
from eventjobs.errors import NotFound

NUMBER_MAX: Final = 2**31 - 1

_CURSOR: Final = re.compile(r"([0-9]{1,9})\.([0-9]{1,9})\.([0-9]{1,9})")
_BEGIN: Final = (0, 0, 0)

Number = Annotated[int, Field(ge=1, le=NUMBER_MAX)]


class LogQuery(ReadQuery):
    """Which lines: of all attempts, of one row's, or of one attempt."""

    row: Number | None = None
    attempt: Number | None = None
    cursor: (
        Annotated[
            str,
            Field(
                max_length=40,
                description="The `next` of the part before, or `row.attempt.line` of any line, to go on after it",
            ),
        ]
        | None
    ) = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    last: Annotated[bool, Field(description="The last lines instead of the first, by their time; without `next`")] = (
        False
    )


async def run_log(call: Call) -> web.StreamResponse:
    """Answer with a part of the lines; as of a moment, with those that had been written by then."""
    query: LogQuery = call.query
    moment: Moment = await view_moment(call)
    run = call.parameter("id")
    if await call.deps.views.run(call.workspace, run, position=moment.read_at) is None:
        raise NotFound("not_found", f"there is no run {run[:200]!r}")
    until = None if moment.read_at is None else moment.at
    of = call.workspace, run, query.row, query.attempt
    if query.last:
        lines = await call.deps.log_lines.read_last(*of, until, query.limit)
    else:
        lines = await call.deps.log_lines.read(*of, _after(query.cursor), query.limit)
    last = lines[-1] if len(lines) == query.limit and not query.last else None
    return json_answer(
        call.request_id,
        {
            "as_of": moment.document(),
            "items": lines if until is None else [line for line in lines if line["at"] <= until],
            "next": None if last is None else f"{last['row']}.{last['attempt']}.{last['line']}",
        },
    )


def _after(cursor: str | None) -> tuple[int, int, int]:
    if cursor is None:
        return _BEGIN
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise HttpRefusal(400, BAD_CURSOR, "this is no cursor that was given out here")
    return int(found[1]), int(found[2]), int(found[3])
