"""The judge of expiry: warned of in time, put off for an open run alone, and nothing starts after it."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

from eventjobs.events.recorded import Recorded
from tests.simulation.rules import CLOCKS_S, DECIDING_S, Rules, instant
from tests.simulation.slot_owner import SlotOwner
from tests.simulation.slot_reckoning import midnight, zone_of

WORKSPACE_ZONE: Final = "Europe/Berlin"
WARNED_DAYS: Final = (7, 1)
DEFAULT_DAYS: Final = 30
_DAY: Final = timedelta(days=1)
_CLOCKS: Final = timedelta(seconds=CLOCKS_S)
_DECIDING: Final = timedelta(seconds=DECIDING_S)
_ZONES: Final = tuple(zone_of(WORKSPACE_ZONE, is_old=is_old) for is_old in (False, True))


class SlotEnds:
    """Judges when groups and jobs end."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules

    def expires(self, fact: Recorded[Any], one: SlotOwner, data: Mapping[str, Any]) -> None:
        """A last day ends at the midnight after it, of which people are told 7 days and 1 day ahead."""
        on = data["expires_on"]
        one.expires_on, one.expires_at = on, None if on is None else instant(data["expires_at"])
        one.warn_at = [instant(at) for at in data["warn_at"]]
        one.expired, one.deferred_by = False, None
        self.rules.seen.note("expiry_never" if on is None else "expiry_set")
        if on is None:
            return
        day = date.fromisoformat(on)
        self.rules.hold(one.expires_at in [midnight(zone, day + _DAY) for zone in _ZONES], fact, "another midnight")
        known = [{midnight(zone, day - days * _DAY) for days in WARNED_DAYS} for zone in _ZONES]
        self.rules.hold(set().union(*known).issuperset(one.warn_at), fact, "warned of at another time")
        to_come = [{at for at in days if at > fact.at + _CLOCKS} for days in known]
        is_told = any(days.issubset(one.warn_at) for days in to_come)
        self.rules.hold(is_told or self.rules.is_astray(fact), fact, "nobody will be warned")
        if fact.type == "group.created":
            days = [
                (fact.at - back).astimezone(zone).date() + DEFAULT_DAYS * _DAY
                for zone in _ZONES
                for back in (_DECIDING, timedelta())
            ]
            self.rules.seen.note("expiry_default", day in days)

    def warned(self, fact: Recorded[Any], one: SlotOwner, data: Mapping[str, Any]) -> None:
        """People are told that it ends soon, of each day once."""
        left = [instant(at) for at in data["warn_at"]]
        told = [at for at in one.warn_at if at not in left]
        is_told = one.is_left and told and set(left) <= set(one.warn_at)
        self.rules.hold(is_told, fact, f"nothing to warn of: {one.warn_at}")
        self.rules.in_time(fact, max(told), "warned too early")
        one.warn_at = left
        self.rules.seen.note(f"expiry_warned_{data['days_left']}")

    def deferred(self, fact: Recorded[Any], one: SlotOwner, data: Mapping[str, Any]) -> None:
        """Its time has come while a run is open: it ends with that."""
        self.rules.hold(one.is_left and not one.deferred_by and one.expires_at is not None, fact, "it does not end")
        self.rules.in_time(fact, one.expires_at or fact.at, "put off before its end")
        is_its_own = data["run"] in one.open or data["run"] == one.holder
        self.rules.hold(is_its_own, fact, "put off for no run of its own")
        one.deferred_by, one.warn_at = data["run"], []
        self.rules.seen.note("expiry_deferred")

    def over(self, fact: Recorded[Any], one: SlotOwner, data: Mapping[str, Any]) -> None:
        """It expires, or somebody deletes it: not while it runs, and not before its time."""
        self.rules.hold(not one.gone and not one.open, fact, f"it is over before, or has an open run: {one.open}")
        if fact.type.endswith("expired"):
            self.rules.hold(one.is_left and one.expires_at is not None, fact, "it does not expire")
            self.rules.in_time(fact, one.expires_at or fact.at, "expired too early")
            self.rules.hold(data["on_expiry"] == one.on_expiry, fact, "another end than it was to have")
            self.rules.seen.note(f"expired_{'after_its_run' if one.deferred_by else one.on_expiry}")
            one.expired, one.gone = True, one.on_expiry == "delete"
        else:
            one.gone = True
        one.active, one.deferred_by, one.warn_at = False, None, []

    def opened(self, fact: Recorded[Any], one: SlotOwner, data: Mapping[str, Any]) -> None:
        """Nothing starts of what is not active, has ended, or should have."""
        self.rules.hold(one.active and one.is_left and not one.deferred_by, fact, "it is not active, or over")
        one.open.add(data["run"])
        if one.expires_at is not None:
            due = data["due"]
            self.rules.hold(due is None or instant(due) < one.expires_at, fact, "due after its end")
            is_over = fact.at >= one.expires_at + _DECIDING and not self.rules.is_astray(fact)
            self.rules.hold(not is_over, fact, f"started after its end, {one.expires_at}")
