"""Telling of what the demonstration runs."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from eventjobs.audit.sentences import Narrator
from eventjobs.audit.sentences.words import instant
from eventjobs.cli.board import Board
from eventjobs.cli.client import Answer, Client
from eventjobs.cli.example import FIRST_RUN, Example, Fields, start_first_run, start_group_run
from eventjobs.cli.mailbox import Mailbox, tell_mail
from eventjobs.cli.output import console, say, table
from eventjobs.cli.watch import watch
from eventjobs.errors import ServiceRefused

MAIL_S: Final = 15.0
"""How long the mail about a run is waited for before the story goes on."""


async def tell_first_run(client: Client, example: Example, rows: Mapping[str, int]) -> None:
    """Start the schedule's run, or go on with it, and tell it from its events; one that is over is only named."""
    answer = await start_first_run(client, example)
    board = await _watched(client, answer, f"the schedule {example.schedule['id']} once", example.totals(rows))
    if board is None:
        return
    events = await _events(client, FIRST_RUN)
    _tell_loaded(example, events)
    say("\nWhat happened, from the log:", "bold")
    narrator = Narrator()
    for event in events:
        say(f"{event['position']:>6}  {instant(event['at'])}  {narrator.tell(event)}")


async def tell_group_run(
    client: Client, example: Example, group: Fields, rows: Mapping[str, int], mailbox: Mailbox | None
) -> None:
    """The same for a group, told by the mail that it sends."""
    answer = await start_group_run(client, example, group)
    what = f"the group {group['id']} once, one job after another"
    board = await _watched(client, answer, what, example.totals(rows))
    if board is None:
        return
    if mailbox is None:
        say("Its mail goes to the server in EVENTJOBS_SMTP_URL.")
        return
    try:
        async with asyncio.timeout(MAIL_S):
            tell_mail(await mailbox.next())
    except TimeoutError:
        say("No mail came yet; what comes is shown here.")


async def _watched(client: Client, answer: Answer, what: str, totals: Mapping[str, int]) -> Board | None:
    """Show a run that was opened just now, or that goes on, until it ended; return nothing for one that is over."""
    run = answer.document["run"]
    before = await _events(client, run)
    is_new = bool(answer.document["events"]) and not answer.replayed
    ended = next((event for event in before if event["type"] == "run.ended"), None)
    if ended is not None and not is_new:
        when = f"{ended['data']['state']} at {instant(ended['at'])}"
        say(f"The example's run {run} ended before this start, {when}; nothing is run again.")
        return None
    if is_new:
        say(f"\nRunning {what}:", "bold")
    else:
        say(f"\nThe run {run} was cut off. It goes on once the instance that ran it is known to be gone, some ten")
        say("seconds from its last sign of life; what had ended is not run again:")
    board = await watch(client, run, totals, console())
    with suppress(ServiceRefused):  # what is read next shows the end of the run, unless the views are far behind
        await client.get(f"/v1/{client.target.workspace}/runs/{run}", {"wait_for": board.position})
    return board


async def _events(client: Client, run: str) -> list[Mapping[str, Any]]:
    """Return what the log says about a run."""
    path = f"/v1/{client.target.workspace}/streams/run:{run}/events"
    return [event async for event in client.lines(path)]


def _tell_loaded(example: Example, events: list[Mapping[str, Any]]) -> None:
    jobs = {job["row"]: job["job"]["id"] for job in events[0]["data"]["jobs"]}
    ended = {jobs[event["data"]["row"]]: event["data"] for event in events if event["type"] == "job_run.ended"}
    say("\nWhat was loaded:", "bold")
    rows = []
    for job, config in example.loads.items():
        counts = ended.get(job, {}).get("counts", {})
        loaded = counts.get("added", 0) + counts.get("updated", 0)
        rows.append((config["table"], config["source"], f"{loaded:,}", f"{counts.get('rejected', 0):,}"))
    table(("table", "from", "rows", "rejected"), rows)
