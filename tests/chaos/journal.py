"""Clients that never give up a command, and the journal of what they sent and what they were told."""

import asyncio
import json
import os
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import IO, Any, Final, Self

import aiohttp

ANSWER_S: Final = 15.0
PAUSE_S: Final = 0.15
GIVE_UP_S: Final = 120.0


@dataclass
class Sent:
    """One command under one key: what it is, when it was first sent, and its answer."""

    key: str
    command: str
    mark: str
    """What can be found again in the log: a stream, or a text."""
    first_sent: float
    tries: int = 0
    last_known: float = 0.0
    """When it was last sent, or its last try ended."""
    may_be_written: bool = False
    """Whether a try had no answer, or one of unknown outcome."""
    status: int | None = None
    answered: float | None = None
    answer: Mapping[str, Any] = field(default_factory=dict)


class Journal:
    """Written and flushed before a command is sent and after it was answered."""

    def __init__(self, path: Path) -> None:
        self._lines: IO[str] = path.open("a", encoding="utf-8")
        self.commands: dict[str, Sent] = {}
        self.tries: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.longest_s = 0.0
        self._accepted_at: list[float] = []

    def accepted_after(self, moment: float) -> float | None:
        """Return when the first command after a monotonic moment was answered with a yes."""
        place = bisect_right(self._accepted_at, moment)
        return self._accepted_at[place] if place < len(self._accepted_at) else None

    def undecided(self) -> list[str]:
        """Return the keys of the commands that wait for a definite answer."""
        return [one.key for one in self.commands.values() if one.status is None]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()

    def before(self, sent: Sent) -> None:
        sent.tries += 1
        sent.last_known = time.monotonic()
        self.tries["sent"] += 1
        self.commands[sent.key] = sent
        self._write({"send": sent.key, "command": sent.command, "mark": sent.mark, "try": sent.tries})

    def after(self, sent: Sent, what: str, status: int | None, document: Mapping[str, Any]) -> None:
        self.tries[what] += 1
        sent.last_known = time.monotonic()
        if what == "accepted":
            self._accepted_at.append(time.monotonic())
        self._write({"answer": sent.key, "what": what, "status": status, "position": document.get("position")})

    def replayed(self, sent: Sent) -> None:
        """Take the answer of an earlier try: only where one may have been written it is no broken promise."""
        if sent.may_be_written:
            self.seen["commit hidden by an error"] += 1
        else:
            self.wrong.append(f"{sent.key} was written by a try of which was said that it wrote nothing")

    def _write(self, line: Mapping[str, Any]) -> None:
        self._lines.write(json.dumps({"at": time.monotonic(), **line}) + "\n")
        self._lines.flush()
        os.fsync(self._lines.fileno())


class Retrying:
    """Sends each command under its key to whichever instance, until the answer is definite."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        urls: Callable[[], list[str]],
        journal: Journal,
        chance: Random,
        *,
        answer_s: float = ANSWER_S,
    ) -> None:
        self._session = session
        self._urls = urls
        self._journal = journal
        self._chance = chance
        self._answer_s = answer_s

    async def do(self, key: str, path: str, command: str, body: Mapping[str, Any], mark: str) -> Sent:
        """Return the command with its definite answer; without one after two minutes, `status` stays `None`."""
        sent = Sent(key, command, mark, time.monotonic())
        give_up = time.monotonic() + GIVE_UP_S
        while sent.status is None and time.monotonic() < give_up:
            self._journal.before(sent)
            began = time.monotonic()
            what, status, document, replayed = await self._try(path, body, key)
            self._journal.longest_s = max(self._journal.longest_s, time.monotonic() - began)
            if what in {"accepted", "rejected"}:
                sent.status, sent.answered, sent.answer = status, time.monotonic(), document
                if replayed:
                    self._journal.replayed(sent)
            sent.may_be_written |= what == "unknown"
            self._journal.after(sent, what, status, document)
            if sent.status is None:
                await asyncio.sleep(PAUSE_S * (0.5 + self._chance.random()))
        return sent

    async def _try(
        self, path: str, body: Mapping[str, Any], key: str
    ) -> tuple[str, int | None, Mapping[str, Any], bool]:
        url = self._chance.choice(self._urls())
        headers = {"Idempotency-Key": key}
        try:
            async with self._session.post(
                url + path, json=body, headers=headers, timeout=aiohttp.ClientTimeout(total=self._answer_s)
            ) as answer:
                document = await answer.json(content_type=None)
                return self._judge(answer, document)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            if isinstance(error, TimeoutError):
                self._journal.seen["no answer in time"] += 1
            if isinstance(error, aiohttp.ClientConnectorError):
                return "refused_link", None, {}, False
            return "unknown", None, {}, False

    def _judge(self, answer: aiohttp.ClientResponse, document: Any) -> tuple[str, int | None, Mapping[str, Any], bool]:
        status = answer.status
        if status in {200, 201}:
            return "accepted", status, document, answer.headers.get("Idempotency-Replayed") == "true"
        if status in {503, 507}:
            self._journal.seen[str(status)] += 1
            outcome = document.get("outcome") if isinstance(document, dict) else None
            if outcome not in {"none", "unknown"}:
                self._journal.wrong.append(f"{status} without an outcome: {document}")
            if outcome == "unknown":
                self._journal.seen["answer of unknown outcome"] += 1
                return "unknown", status, document, False
            return "not_taken", status, document, False
        if status >= 500:
            self._journal.wrong.append(f"an undeclared {status}: {document}")
            return "unknown", status, document, False
        return "rejected", status, document, False
