"""
Who gives commands: clients outside the service, with a key, that ask again until they know.

What they were told is compared with the log in the end: accepted is there, refused is not, and nothing is there twice.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from eventjobs.commands.outcomes import Keyed
from eventjobs.commands.spec import CommandFields
from eventjobs.errors import LogFault, LogFull, LogUnavailable, OutcomeUnknown, Rejected
from tests.support.story import BY_NAME, command

if TYPE_CHECKING:
    from tests.simulation.member import Member
    from tests.simulation.world import World

ANSWER_S = 15.0
WORKSPACE = "acme"
Build: TypeAlias = Callable[["Member"], CommandFields]


@dataclass(slots=True)
class Sent:
    """One command of one client, and what it was told: `accepted`, `refused`, `unavailable`, `unknown`."""

    actor: str
    name: str
    keyed: bool
    told: str = "nothing"
    detail: str = ""
    answer: Mapping[str, Any] | None = None
    tries: int = 0
    doubtful: bool = False


class Clients:
    """Sends commands, and remembers what came back."""

    def __init__(self, world: "World", random: Random) -> None:
        self._world = world
        self._random = random
        self.journal: list[Sent] = []
        self.under_way = 0

    async def send(
        self,
        name: str,
        /,
        *,
        keyed: bool = True,
        patient: bool = False,
        repeating: bool | None = None,
        build: Build | None = None,
        **fields: Any,
    ) -> Sent:
        """
        Give a command; with a key, or `repeating`, again and again until the answer is certain.

        `build` makes the command where it is not read from `fields`.
        """
        repeating = keyed if repeating is None else repeating
        build = build or (lambda _member: command(name, **fields))
        sent = Sent(actor=f"client:{len(self.journal)}", name=name, keyed=keyed)
        self.journal.append(sent)
        self.under_way += 1
        try:
            while True:
                await self._try(sent, name, build)
                sure = sent.told in ("accepted", "refused")
                if sure or not repeating or (sent.tries >= 8 and not patient):
                    return sent
                await asyncio.sleep(0.2 + 2.0 * self._random.random())
        finally:
            self.under_way -= 1

    async def _try(self, sent: Sent, name: str, build: Build) -> None:
        member = self._someone()
        if member is None:
            await asyncio.sleep(5.0)
            return
        sent.tries += 1
        told: asyncio.Future[tuple[str, str, Any]] = asyncio.get_running_loop().create_future()
        member.run(self._dispatch(member, sent, name, build, told), f"command {name}")
        try:
            async with asyncio.timeout(ANSWER_S):
                sent.told, sent.detail, sent.answer = await told
        except TimeoutError:
            sent.told, sent.doubtful = "unknown", True
        if sent.told == "unknown":
            self._world.seen.note("unknown_answer")
        if sent.told == "accepted" and sent.answer is not None and sent.answer["events"]:
            self._check_there(sent, sent.answer)

    def _someone(self) -> "Member | None":
        there = [member for member in self._world.members if member.is_up and not member.is_leaving]
        return self._random.choice(there) if there else None

    async def _dispatch(
        self,
        member: "Member",
        sent: Sent,
        name: str,
        build: Build,
        told: "asyncio.Future[tuple[str, str, Any]]",
    ) -> None:
        def tell(what: str, detail: str = "", answer: Any = None) -> None:
            if not told.done():
                told.set_result((what, detail, answer))

        spec = BY_NAME[name]
        keyed = Keyed(key=sent.actor, body_hash=bytes(32)) if sent.keyed else None
        try:
            context = replace(member.surroundings.context(WORKSPACE), actor=sent.actor)
            self._world.judge.rules.given[context.command_id] = self._world.database.now()
            outcome = await member.dispatcher.dispatch(spec, build(member), context, keyed=keyed)
        except Rejected as refusal:
            tell("refused", refusal.code)
        except OutcomeUnknown as fault:
            sent.doubtful = True
            tell("unknown", str(fault))
        except (LogUnavailable, LogFull) as fault:
            tell("unavailable", str(fault))
            self._world.seen.note("told_unavailable" if isinstance(fault, LogUnavailable) else "told_full")
        except LogFault as fault:
            sent.doubtful = True
            tell("unknown", str(fault))
        else:
            if outcome.replayed:
                self._world.seen.note("answered_from_the_receipt")
            tell("accepted", "", outcome.answer)

    def _check_there(self, sent: Sent, answer: Mapping[str, Any]) -> None:
        facts = self._world.database.facts
        position = answer["position"]
        if not (0 < position <= len(facts)) or facts[position - 1].actor != sent.actor:
            self._world.fail(f"told that {sent.name} is at {position}, where it is not: {orjson.dumps(answer)!r}")

    def check(self) -> None:
        """Compare everything that was told with what is in the log."""
        for sent in self.journal:
            effects = len(self._world.judge.actors.get(sent.actor, ()))
            if effects > 1:
                self._world.fail(f"{sent} had {effects} effects")
            if sent.told == "accepted" and sent.answer and sent.answer["events"] and not effects:
                self._world.fail(f"{sent} was accepted and is not there")
            if sent.told in ("refused", "unavailable") and effects:
                if not sent.doubtful:
                    self._world.fail(f"{sent} was not written, it was said, and is there")
                self._world.seen.note("written_after_a_later_refusal")
