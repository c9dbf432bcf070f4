"""
The judge of incidents and messages.

An incident is raised once and not before its time, and is told once to each recipient: a message has one success at
most, no try without its recorded beginning, and no more copies arrive than its ambiguous tries allow.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from eventjobs.events.recorded import Recorded
from tests.simulation.post import Post
from tests.simulation.rules import Address, Rules, Violation, instant

_OPEN: Final = ("pending", "sending")
TRIES: Final = {"email": 11, "webhook": 11, "heartbeat": 3}


@dataclass(slots=True)
class Message:
    """A message as its stream tells it."""

    channel: str
    recipient: str
    about: tuple[Any, ...]
    wanted_at: datetime
    state: str = "pending"
    attempt: int = 0
    until: str | None = None
    retry_at: str | None = None
    ambiguous: int = 0
    counts: int = 0
    began: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Watched:
    """What is watched for of a schedule, and what was found."""

    alerts: Mapping[str, Any] = field(default_factory=dict)
    incidents: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    disabled: set[tuple[str, str]] = field(default_factory=set)
    missed: set[tuple[str, str]] = field(default_factory=set)
    """Moments that never run, the first of each span, with the reason."""
    failed: int = 0
    active: bool = False

    def open(self, kind: str | None = None) -> list[str]:
        """Return the incidents that are not over, of one kind or all."""
        found = [incident for incident, state in self.incidents.items() if state == "open"]
        return found if kind is None else [incident for incident in found if self.kinds[incident] == kind]


class MessageJudge:
    """Takes the facts of schedules, incidents and messages, and every try and arrival."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.post: Post | None = None
        self.messages: dict[Address, Message] = {}
        self._open: dict[Address, Message] = {}
        """Those of which nobody has said yet what became of them."""
        self.watched: dict[Address, Watched] = {}
        self._wanted: set[tuple[Any, ...]] = set()
        self._calls: Counter[tuple[str, str]] = Counter()
        self._told: Counter[Address] = Counter()

    # -- schedules and incidents ---------------------------------------------------------------------------------------

    def schedule(self, fact: Recorded[Any], address: Address, data: Mapping[str, Any]) -> None:
        """Take what a schedule's fact says of success, failure, and who is told."""
        watched = self.watched.setdefault(address, Watched())
        match fact.type:
            case "schedule.alerts_edited":
                watched.alerts = data["alerts"]
            case "schedule.created":
                watched.active = data["active"]
            case "schedule.activated":
                watched.active = True
            case "schedule.inactivated" | "schedule.deleted":
                watched.active = False
            case "schedule.occurrences_missed":
                watched.missed.add((data["first"], data["reason"]))
            case "schedule.run_closed" if data["state"] == "succeeded":
                watched.failed = 0
            case "schedule.run_closed" if data["state"] == "failed":
                watched.failed += 1
            case _:
                pass

    def incident(self, fact: Recorded[Any], address: Address, data: Mapping[str, Any]) -> None:
        """Take a fact of a schedule's incidents."""
        watched = self.watched[address]
        match fact.type:
            case "alert.raised":
                self._raised(fact, watched, data)
            case "alert.recovered" | "alert.dropped":
                is_open = watched.incidents.get(data["incident"]) == "open"
                self.rules.hold(is_open, fact, "the end of an incident that is not open")
                watched.incidents[data["incident"]] = fact.type.partition(".")[2]
                self.rules.seen.note(f"{fact.type.replace('.', '_')}_{data['alert']}")
            case "alert.recipient_disabled":
                watched.disabled.add((data["channel"], data["recipient"]))
                self.rules.seen.note("recipient_disabled")
            case _:
                watched.disabled.clear()

    def _raised(self, fact: Recorded[Any], watched: Watched, data: Mapping[str, Any]) -> None:
        incident = data["incident"]
        # One that nobody watched for a while may be there again; it is told once all the same.
        is_new = watched.incidents.get(incident) in (None, "dropped")
        self.rules.hold(is_new, fact, "an incident that was raised before")
        self.rules.hold(watched.active, fact, "although it is not active")
        if data["reason"] is not None:  # what was missed will never start, and is told at once
            is_missed = (data["due"], data["reason"]) in watched.missed
            self.rules.hold(is_missed, fact, "the moment was not missed, or for another reason")
        elif data["limit_s"] is not None:
            from_s = timedelta(seconds=data["limit_s"])
            self.rules.in_time(fact, instant(data["since"]) + from_s, "raised too early")
        if data["alert"] == "failures":
            limit = watched.alerts["failures_in_a_row"]
            self.rules.hold(data["count"] == watched.failed >= limit, fact, f"{watched.failed} failed in a row")
        watched.incidents[incident] = "settled" if data["settled"] else "open"
        watched.kinds[incident] = data["alert"]
        self.rules.seen.note(f"alert_{data['alert']}")

    # -- messages ------------------------------------------------------------------------------------------------------

    def take(self, fact: Recorded[Any], address: Address, data: Mapping[str, Any]) -> None:
        """Take a fact of a message's stream."""
        if fact.type == "notification.requested":
            self._requested(fact, address, data)
            return
        message = self.messages[address]
        match fact.type:
            case "notification.attempted":
                self._attempted(fact, message, data)
            case "notification.sent":
                self._ended(fact, message, data)
                message.state = "sent"
                self._has_arrived(fact, address, message)
            case "notification.failed":
                self._ended(fact, message, data)
                message.state, message.retry_at = "pending", data["retry_at"]
                message.ambiguous += data["ambiguous"]
                self.rules.seen.note(f"delivery_{'ambiguous' if data['ambiguous'] else 'failed'}")
            case "notification.suppressed":
                self._suppressed(fact, message, data)
            case _:
                self._given_up(fact, message, data)
        if message.state in _OPEN:
            self._open[address] = message
        else:
            self._open.pop(address, None)

    def _requested(self, fact: Recorded[Any], address: Address, data: Mapping[str, Any]) -> None:
        tells, kind = data["about"], data["kind"]
        of_what = (
            tells.get("incident") or tells.get("mailbox") or data["run"] or _gone(tells) or report_key(kind, tells)
        )
        about = (data["subject"]["kind"], data["subject"]["id"], kind, of_what)
        key = (fact.workspace, *about, data["channel"], data["recipient"])
        self.rules.hold(key not in self._wanted, fact, "the same message to the same recipient again")
        self.rules.hold(address not in self.messages, fact, "wanted twice")
        if data["subject"]["kind"] == "schedule":
            watched = self.watched[fact.workspace, data["subject"]["id"]]
            is_gone = (data["channel"], data["recipient"]) in watched.disabled
            self.rules.hold(not is_gone, fact, "to a recipient who said to be gone")
            if kind in ("alert.raised", "alert.recovered"):
                state = watched.incidents.get(of_what)
                told = ("recovered",) if kind == "alert.recovered" else ("open", "settled")
                self.rules.hold(state in told, fact, f"it tells what is not so: {state}")
        self._wanted.add(key)
        self.messages[address] = self._open[address] = Message(
            data["channel"], data["recipient"], about, fact.at, retry_at=data.get("not_before")
        )

    def _attempted(self, fact: Recorded[Any], message: Message, data: Mapping[str, Any]) -> None:
        is_next = message.state == "pending" and data["attempt"] == message.attempt + 1
        self.rules.hold(is_next, fact, f"not the next try of {message}")
        if message.retry_at is not None:
            self.rules.in_time(fact, instant(message.retry_at), "tried again too early")
        self.rules.hold(message.attempt == 0 or message.retry_at is not None, fact, "no further try was to be")
        self.rules.hold(fact.actor == f"instance:{data['instance']}", fact, "by another than who sends")
        message.state, message.attempt, message.until = "sending", data["attempt"], data["until"]
        message.began[data["instance"]] += 1
        if message.attempt > 1:
            self.rules.seen.note("delivery_tried_again")

    def _ended(self, fact: Recorded[Any], message: Message, data: Mapping[str, Any]) -> None:
        is_open = message.state == "sending" and data["attempt"] == message.attempt
        self.rules.hold(is_open, fact, f"the end of a try that is not under way: {message}")
        if data.get("reason") == "interrupted":
            self.rules.in_time(fact, instant(str(message.until)), "given up before its time")
            self.rules.seen.note("delivery_interrupted")

    def _has_arrived(self, fact: Recorded[Any], address: Address, message: Message) -> None:
        assert self.post is not None
        name = address[1]
        arrived = self.post.arrived[name] or self.post.thrown_away[name]
        self.rules.hold(arrived, fact, f"nothing arrived: {message}")
        self.rules.seen.note("delivery_sent")

    def _given_up(self, fact: Recorded[Any], message: Message, data: Mapping[str, Any]) -> None:
        self.rules.hold(message.state == "pending" and message.retry_at is None, fact, "although there is another try")
        counted = (data["attempts"], data["ambiguous"])
        self.rules.hold(counted == (message.attempt, message.ambiguous), fact, f"other numbers than those of {message}")
        has_no_more = message.attempt >= TRIES[message.channel] or data["reason"] == "gone"
        self.rules.hold(has_no_more, fact, "although it may be tried again")
        message.state = "given_up"
        self.rules.seen.note("delivery_given_up")

    def _suppressed(self, fact: Recorded[Any], message: Message, data: Mapping[str, Any]) -> None:
        """A mail too many is counted by its digest, as long as that is not on its way."""
        digest = self.messages.get((fact.workspace, data["digest"]))
        self.rules.hold(message.state == "pending" and message.attempt == 0, fact, "although it was tried")
        self.rules.hold(digest is not None and digest.attempt == 0, fact, f"nobody counts it: {digest}")
        message.state = "suppressed"
        if digest is not None:
            digest.counts += 1
        self.rules.seen.note("mail_suppressed")

    def mailbox(self, fact: Recorded[Any], address: Address) -> None:
        """Take a fact of an address's hour: so many mails, and only then a digest."""
        limit = self.rules.options.mails_per_hour
        if fact.type == "mailbox.told":
            self._told[address] += 1
            self.rules.hold(self._told[address] <= limit, fact, "a mail too many in its hour")
        elif fact.type == "mailbox.spared":
            self.rules.hold(self._told[address] == limit, fact, "although there was room in its hour")

    # -- what happens outside ------------------------------------------------------------------------------------------

    def sending(self, instance: str, address: Address, tells: Mapping[str, Any]) -> None:
        """An instance hands a message to a channel: once for each try that it began, a digest with its number."""
        message = self.messages.get(address)
        self._calls[instance, address[1]] += 1
        if message is None or self._calls[instance, address[1]] > message.began[instance]:
            raise Violation(f"{instance} sends {address} without having begun a try: {message}")
        if message.counts != tells.get("suppressed", 0):
            raise Violation(f"{address} says another number than {message.counts}: {tells}")

    def arrived(self, address: Address) -> None:
        """A copy of a message arrived."""
        assert self.post is not None
        message, copies = self.messages[address], self.post.arrived[address[1]]
        if copies > 1 + message.ambiguous + self.post.denied[address[1]]:
            raise Violation(f"copy number {copies} of {address} arrived: {message}")
        if copies > 1:
            self.rules.seen.note("message_arrived_again")

    # -- what is left --------------------------------------------------------------------------------------------------

    def under_way(self) -> list[str]:
        """The messages of which a try is under way."""
        return [f"{address}: {one}" for address, one in self._open.items() if one.state == "sending"]

    def untried(self, now: datetime) -> list[str]:
        """The messages whose next try should have begun by `now`, or whose try should be over."""
        return [f"{address}: {one}" for address, one in self._open.items() if self._next(one) <= now]

    def unraised(self) -> list[str]:
        """The schedules of which as many runs failed in a row as somebody wants to know, and nobody was told."""
        return [
            f"{address}: {one.failed} failed in a row"
            for address, one in self.watched.items()
            if one.active and one.failed >= (one.alerts.get("failures_in_a_row") or 10**9) and not one.open("failures")
        ]

    def left_open(self) -> list[str]:
        """The incidents of schedules that are not active any more."""
        return [f"{address}: {one.open()}" for address, one in self.watched.items() if not one.active and one.open()]

    @staticmethod
    def _next(message: Message) -> datetime:
        if message.state == "sending":
            return instant(str(message.until))
        return message.wanted_at if message.retry_at is None else instant(message.retry_at)


def _gone(tells: Mapping[str, Any]) -> tuple[Any, ...] | None:
    return (tells["gone"], tells["at"]) if "gone" in tells else None


def report_key(kind: str, tells: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what a report without a run is told once of: a local day, or how far away an end is."""
    if kind == "occurrence.not_run":
        last = instant(tells.get("last") or tells["due"])
        return (last.astimezone(ZoneInfo(tells["time_zone"])).date(),)
    return tells["expires_on"], tells.get("became") or tells["days_left"]
