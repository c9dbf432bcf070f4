"""
The judge of groups and Connect jobs: what their slots make due, whose member a job is, and how each of them ends.

That every due moment has one outcome is judged for all owners alike (`owner_judge.py`). Here it is asked whether the
moments are the right ones: `slot_reckoning.py` finds them from the stored schedule with its drawn minute.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from eventjobs.events.recorded import Recorded
from tests.simulation.group_runs import GroupRuns
from tests.simulation.rules import Address, Rules
from tests.simulation.slot_ends import SlotEnds
from tests.simulation.slot_moments import Answer, SlotMoments, is_old
from tests.simulation.slot_owner import SlotOwner
from tests.support.zone_data import OLD


class SlotJudge:
    """Takes the facts of groups and Connect jobs, in order."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.runs = GroupRuns(rules)
        self.owners: dict[Address, SlotOwner] = {}
        self.living: dict[Address, SlotOwner] = {}
        self.names: dict[str, str] = {}
        self._moments = SlotMoments(rules)
        self._endings = SlotEnds(rules)
        self._touched: dict[Address, SlotOwner] = {}
        self._closed: set[str] = set()

    def named(self, fact: Recorded[Any], data: Mapping[str, Any]) -> None:
        """Take a fact of the names of groups: each is one group's at a time."""
        self.names = {name: group for name, group in self.names.items() if group != data["group"]}
        if fact.type == "groups.named":
            name = data["name"].casefold()
            self.rules.hold(name not in self.names, fact, f"the name of {self.names.get(name)}")
            self.names[name] = data["group"]

    def take(self, fact: Recorded[Any], data: Mapping[str, Any]) -> SlotOwner:
        """Take a fact of a group's or a job's stream."""
        address = (fact.workspace, fact.stream.name)
        one = self._owner(address)
        what = fact.type.partition(".")[2]
        match what:
            case "created" | "saved" | "reordered" | "grouped" | "ungrouped":
                self._told(fact, one, data)
            case "activated" | "scheduled" | "deactivated" | "zone_data_adopted" | "expiration_set":
                self._is_due(fact, one, what, data)
            case "expiry_warned" | "expiry_deferred" | "expired" | "deleted":
                self._ends(fact, one, what, data)
            case "run_opened":
                self._endings.opened(fact, one, data)
            case "run_closed":
                one.open.discard(data["run"])
                self._closed.add(data["run"])
            case "claimed" | "released":
                one.holder = data["turn"]["run"] if what == "claimed" else None
            case _:
                pass
        self._qualifies(one)
        return one

    def _owner(self, address: Address) -> SlotOwner:
        if address not in self.owners:
            self.owners[address] = self.living[address] = SlotOwner(address)
        return self.owners[address]

    def answers(self, fact: Recorded[Any], one: SlotOwner, answer: Answer) -> None:
        """Take what one command answered."""
        self._moments.answers(fact, one, answer)

    def _is_due(self, fact: Recorded[Any], one: SlotOwner, what: str, data: Mapping[str, Any]) -> None:
        match what:
            case "deactivated":
                one.active = False
            case "zone_data_adopted":
                self._moments.looks_again(fact, one, data, is_old=data["version"] == OLD)
            case "expiration_set":
                self._endings.expires(fact, one, data)
                self._moments.looks_again(fact, one, data, is_old=is_old(data))
            case _:
                self._moments.scheduled(fact, one, data)

    def _ends(self, fact: Recorded[Any], one: SlotOwner, what: str, data: Mapping[str, Any]) -> None:
        match what:
            case "expiry_warned":
                self._endings.warned(fact, one, data)
            case "expiry_deferred":
                self._endings.deferred(fact, one, data)
            case _:
                self._endings.over(fact, one, data)
                self._touched[one.address] = one
                if one.gone:
                    del self.living[one.address]

    # -- whose they are -----------------------------------------------------------------------------------------------

    def _told(self, fact: Recorded[Any], one: SlotOwner, data: Mapping[str, Any]) -> None:
        if "group" in data:
            self._moves(fact, one, data)
        elif fact.type == "group.reordered":
            self.rules.hold(sorted(_jobs(data)) == sorted(one.members), fact, "other jobs than those it has")
            self._has_members(one, data)
        else:
            self._defined(fact, one, data)

    def _defined(self, fact: Recorded[Any], one: SlotOwner, data: Mapping[str, Any]) -> None:
        self.rules.hold(not one.gone, fact, "although it is gone")
        one.saved, one.policies, one.on_expiry = data["schedule"], data["policies"], data["on_expiry"]
        one.notification = data["notification"]
        if not one.active:
            one.drawn = None
        if "members" in data:
            self._has_members(one, data)
        if "created_at" in data:
            self._endings.expires(fact, one, data)

    def _has_members(self, one: SlotOwner, data: Mapping[str, Any]) -> None:
        one.members = _jobs(data)
        self.runs.members[one.address[0], one.name] = [
            (member["job"]["id"], member["required"]) for member in data["members"]
        ]
        self._touched[one.address] = one

    def _moves(self, fact: Recorded[Any], job: SlotOwner, data: Mapping[str, Any]) -> None:
        """A job comes into a group, or leaves it."""
        if fact.type == "job.grouped":
            self.rules.hold(job.group is None, fact, f"it is in the group {job.group}")
            job.group = data["group"]
        else:
            self.rules.hold(job.group == data["group"], fact, f"it is in the group {job.group}")
            job.group = None
        group = (fact.workspace, f"group:{data['group']}")
        self._touched[group] = self._owner(group)

    def _qualifies(self, one: SlotOwner) -> None:
        if one.is_group:
            return
        is_fit = one.active and one.is_left and (one.drawn or one.saved)["type"] == "on_demand"
        change = self.runs.qualified.add if is_fit else self.runs.qualified.discard
        change((one.address[0], one.name))

    # -- after a commit -----------------------------------------------------------------------------------------------

    def complete(self, fact: Recorded[Any]) -> None:
        """Groups and jobs tell the same of who is whose, and what waited for a run to end is over with it."""
        for group in self._touched.values():
            if group.is_group:
                self._agree(fact, group)
        if self._closed:
            waiting = [one for one in self.living.values() if one.deferred_by in self._closed and not one.open]
            self.rules.hold(not waiting, fact, f"the run ended that these waited for, and not they: {waiting}")
        self._touched.clear()
        self._closed.clear()

    def _agree(self, fact: Recorded[Any], group: SlotOwner) -> None:
        jobs = {job: self.owners.get((group.address[0], f"job:{job}")) for job in group.members}
        strays = [job for job, told in jobs.items() if told is None or (told.group == group.name) == group.gone]
        self.rules.hold(not strays, fact, f"{strays} are in it, and it is gone, or the other way round: {group}")
        left = [job.name for job in self.living.values() if job.group == group.name and job.name not in group.members]
        self.rules.hold(not left, fact, f"{left} say that they are in it, and it has them no more: {group}")
        has_name = group.name in self.names.values()
        self.rules.hold(has_name != group.gone, fact, f"it has a name, and it is gone, or none: {group}")

    def next_look(self) -> datetime | None:
        """When the next of them is warned of, or ends."""
        found = (one.looked_at() for one in self.living.values())
        return min((at for at in found if at is not None), default=None)

    def not_looked_at(self, now: datetime) -> list[str]:
        """Those whose end has come, or should have been told of."""
        looks = ((one, one.looked_at()) for one in self.living.values())
        return [f"{one.address} ends or is warned of at {at}" for one, at in looks if at is not None and at <= now]


def _jobs(data: Mapping[str, Any]) -> list[str]:
    return [member["job"]["id"] for member in data["members"]]
