"""
Those outside whom a suspended flow waits for: they say how it ended, by the address that its handler gave them.

They are early, late or silent, say it twice or say two things, repeat what they were not sure to have said, and some
try an address that nobody gave out.
"""

import asyncio
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Final

from eventjobs.auth.callbacks import CallbackKey
from eventjobs.commands.answer_callback import AnswerCallback
from eventjobs.commands.spec import CommandFields
from eventjobs.errors import NotFound
from tests.simulation.clients import WORKSPACE, Clients, Sent
from tests.simulation.machines import NOBODY

if TYPE_CHECKING:
    from tests.simulation.member import Member
    from tests.simulation.world import World

KEY: Final = CallbackKey(b"simulation")
"""The deployment's, which every instance reads from the database."""
STATES: Final = ("succeeded", "succeeded", "succeeded", "failed", "errored")
SILENT: Final = 0.1
TWICE: Final = 0.3
FORGED: Final = 0.05

Try = tuple[str, int, int]
"""A run, a row of it, and the number of a try."""


@dataclass(slots=True)
class Said:
    """One answer to one address."""

    of: Try
    state: str
    forged: bool
    sent: Sent


class Partners:
    """Everybody to whom an address was given."""

    def __init__(self, world: "World", clients: Clients, random: Random) -> None:
        self._world = world
        self._clients = clients
        self._random = random
        self._said: list[Said] = []
        self.under_way: set[asyncio.Task[None]] = set()

    def ask(self, url: str) -> None:
        """Give somebody an address; whether and when they answer is up to them."""
        draw = self._random
        if draw.random() < SILENT:
            self._world.seen.note("partner_stays_silent")
            return
        after_s = draw.choice((1.0, 5.0, 10.0, 40.0)) * draw.random()
        task = self._world.loop.create_task(self._answer(url.rpartition("/")[2], after_s), context=NOBODY.copy())
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard, context=NOBODY.copy())

    async def _answer(self, token: str, after_s: float) -> None:
        draw = self._random
        await asyncio.sleep(after_s)
        if draw.random() < FORGED:
            await self._say(token, forged=True)
        twice = draw.random() < TWICE
        if twice and draw.random() < 0.5:  # two who do not know of each other
            await asyncio.gather(self._say(token), self._say(token))
            return
        await self._say(token)
        if twice:
            await asyncio.sleep(5.0 * draw.random())
            await self._say(token)

    async def _say(self, token: str, *, forged: bool = False) -> None:
        run, row, attempt, until, signature = token.split("~")
        if forged:
            token = f"{run}~{int(row) + 1}~{attempt}~{until}~{signature}"
        state = self._random.choice(STATES)
        build = partial(_said, token, state)
        sent = await self._clients.send("AnswerCallback", keyed=False, repeating=True, build=build)
        self._said.append(Said((run, int(row), int(attempt)), state, forged, sent))

    def check(self) -> None:
        """Who was told that it is recorded finds it in the log, and nothing else; who forged was told nothing."""
        for said in self._said:
            run, row, attempt = said.of
            if said.sent.told != "accepted":
                self._world.seen.note("answer_refused", said.sent.told == "refused")
                continue
            if said.forged:
                self._world.fail(f"{said} had an address that nobody gave out")
            recorded = self._world.judge.work.runs[WORKSPACE, run].rows[row].answers.get(attempt)
            if recorded != said.state:
                self._world.fail(f"{said} was told that it is recorded, and there is {recorded}")
            self._world.seen.note("answer_repeated", not said.sent.answer or not said.sent.answer["events"])


def _said(token: str, state: str, member: "Member") -> CommandFields:
    """Return what an instance makes of a call, as `api/callbacks.py` does."""
    found = KEY.read(WORKSPACE, token, member.clock.now())
    if found is None:
        raise NotFound("not_found", "there is no such callback, or its time is over")
    said: dict[str, Any] = {"state": state, "counts": {"answered": 1}, "output": {"said": state}}
    return AnswerCallback(run=found.run, row=found.row, attempt=found.attempt, **said)
