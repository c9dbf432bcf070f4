"""The judge of slots: whether what is due next, and what was answered, are the moments of the stored schedule."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from eventjobs.events.recorded import Recorded
from tests.simulation.rules import CLOCKS_S, DECIDING_S, Rules, instant
from tests.simulation.slot_owner import SlotOwner
from tests.simulation.slot_reckoning import Answered
from tests.support.zone_data import OLD

_SECOND: Final = timedelta(seconds=1)
_CLOCKS: Final = timedelta(seconds=CLOCKS_S)
_DECIDING: Final = timedelta(seconds=DECIDING_S)
_BOTH: Final = (False, True)


class Answer(NamedTuple):
    """The moment that was due, what one command answered from it on (first, last, count), and what is due next."""

    due: Mapping[str, Any]
    spans: Sequence[tuple[datetime, datetime, int]]
    following: Mapping[str, Any] | None


class SlotMoments:
    """Compares them with the judge's own reckoning."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules

    def scheduled(self, fact: Recorded[Any], one: SlotOwner, data: Mapping[str, Any]) -> None:
        """It is due by what was saved, with a minute of its slot, and not in the slot that is under way."""
        drawn = data["schedule"]
        self.rules.hold({**drawn, "minute": None} == {**one.saved, "minute": None}, fact, "not as it was saved")
        if drawn["type"] != "on_demand":
            self.rules.hold(drawn["minute"] // 15 == drawn["slot"], fact, "a minute of another slot")
        one.active, one.drawn = True, drawn
        edges, old = self._decided(fact), is_old(data)
        if drawn["type"] != "on_demand":
            ends = [one.reckoning().slot_end(at, is_old=old) for at in edges]
            one.floor = one.floor if ends[-1] is None else ends[-1] - _SECOND
            edges = [at if end is None else end - _SECOND for at, end in zip(edges, ends, strict=True)]
        self._next_is(fact, one, data, edges, is_old=old)

    def looks_again(self, fact: Recorded[Any], one: SlotOwner, data: Mapping[str, Any], *, is_old: bool) -> None:
        if one.active:
            edges = [at if one.floor is None else max(at, one.floor) for at in self._decided(fact)]
            self._next_is(fact, one, data, edges, is_old=is_old)
        else:
            self.rules.hold(data["next"] is None, fact, "due although it is not active")

    def _next_is(
        self,
        fact: Recorded[Any],
        one: SlotOwner,
        data: Mapping[str, Any],
        edges: Sequence[datetime],
        *,
        is_old: bool,
    ) -> None:
        """The next moment is the first after the decision, which was made between two instants."""
        if self.rules.is_astray(fact):
            return
        reckoning = one.reckoning()
        versions = (is_old,) if data["next"] is not None else _BOTH
        may: list[datetime | None] = []
        for version in versions:
            first = reckoning.first(edges[0], one.answered, is_old=version)
            may.append(first)
            while first is not None and first <= edges[1]:
                first = reckoning.first(first, one.answered, is_old=version)
                may.append(first)
        due = None if data["next"] is None else instant(data["next"]["due"])
        self.rules.hold(due in may, fact, f"by the judge's reckoning it is due at {may}")

    def answers(self, fact: Recorded[Any], one: SlotOwner, answer: Answer) -> None:
        """What one command answered are all moments from the one that was due to the one that is due next."""
        following = answer.following
        found: list[str] = []
        for is_old in _BOTH if following is None else (following["zone_data"] == OLD,):
            answered, wrong = _followed(one, answer, is_old=is_old)
            if wrong is None:
                one.answered = answered
                self.rules.seen.note("reckoned_moments", sum(count for _, _, count in answer.spans))
                return
            found.append(wrong)
        self.rules.hold(False, fact, f"by the judge's reckoning {found}")

    def _decided(self, fact: Recorded[Any]) -> list[datetime]:
        """Between which instants a fact was decided."""
        given = self.rules.given.get(fact.command_id)
        return [fact.at - _DECIDING if given is None else min(given - _CLOCKS, fact.at), fact.at]


def _followed(one: SlotOwner, answer: Answer, *, is_old: bool) -> tuple[Answered | None, str | None]:
    """Return the last moment that is answered then, and what is wrong with it or those before it."""
    reckoning, answered = one.reckoning(), one.answered
    was_old = answer.due["zone_data"] == OLD
    coming: datetime | None = instant(answer.due["due"])
    for first, last, count in answer.spans:
        if coming != first:
            return answered, f"{coming} comes, and not {first}"
        for _ in range(count):
            if coming is None:
                return answered, f"nothing comes of {count} moments from {first} to {last}"
            latest, label = coming, reckoning.label(coming, is_old=was_old)
            answered = Answered(coming, label if answered is None else max(label, answered.label))
            after = coming if one.floor is None else max(coming, one.floor)
            coming, was_old = reckoning.first(after, answered, is_old=is_old), is_old
        if latest != last:
            return answered, f"{count} moments from {first} lead to {latest}, and not to {last}"
    told = None if answer.following is None else instant(answer.following["due"])
    return answered, None if coming == told else f"{coming} comes next, and not {told}"


def is_old(data: Mapping[str, Any]) -> bool:
    return data["next"] is not None and data["next"]["zone_data"] == OLD
