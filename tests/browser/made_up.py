"""
A workspace with a past: twelve days of runs, failures, an outage and edits.

They are played by the real core on a virtual clock and then written into a log, each fact at the instant it had.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import orjson

from eventjobs.commands.context import Limits
from eventjobs.events.recorded import Provenance, Recorded, StreamId
from eventjobs.handlers.registry import Registry
from eventjobs.log.port import Append, EventLog
from eventjobs.outbound.addresses import OutboundRules
from eventjobs.simulation.play import play
from eventjobs.simulation.scenario import read_scenario
from tests.api.rig import ShiftedClock

PAST = timedelta(days=12)
RUN = "tonight"
BERLIN = "Europe/Berlin"
CRM = {"services": [{"id": "load", "handler": "sleep", "config": {"seconds": 1}}]}
SERVICES = {
    "load-contacts": "Load contacts",
    "load-orders": "Load orders",
    "refresh-cache": "Refresh the cache",
    "warm-search": "Warm the search",
    "report": "Daily report",
}
OUTCOMES = ["succeeded"] * 9 + ["failed"] + ["succeeded"] * 14 + ["failed:stop_step"] + ["succeeded"] * 6


def played(now: datetime) -> Sequence[Recorded[Any]]:
    """Return what happened in the twelve days before `now`, and until then."""
    scenario = {
        "now": _told(now - PAST),
        "until": _told(now),
        "steps": sorted(_steps(now), key=lambda step: str(step["at"])),
        "run_seconds": [220, 75, 430, 40, 910, 150],
        "outcomes": OUTCOMES,
    }
    handlers = Registry.load({"outbound": OutboundRules.parse(()), "commands": ()})
    told = play(read_scenario(orjson.dumps(scenario)), Limits(), handlers)
    assert not told.refused, told.refused
    return [fact for fact in told.facts if not fact.type.startswith("log.")]  # a log has told its beginning itself


async def write(log: EventLog, clock: ShiftedClock, facts: Sequence[Recorded[Any]]) -> None:
    """Write facts into a log as they were recorded; the clock stands at the present in the end."""
    for (at, *_), together in groupby(facts, lambda one: (one.at, one.command_id, one.actor, one.causation)):
        some = list(together)
        clock.ahead += at - clock.now()
        expected: dict[StreamId, int] = {}
        for fact in some:
            expected.setdefault(fact.stream, fact.stream_version - 1)
        first = some[0]
        by = Provenance(
            actor=first.actor,
            command_id=first.command_id,
            causation=first.causation,
            correlation=first.correlation,
        )
        events = [(fact.stream, fact.event) for fact in some]
        await log.append(Append(events=events, expected=expected, provenance=by))
    clock.ahead = timedelta()


def _steps(now: datetime) -> Iterator[dict[str, Any]]:
    begin = now - PAST

    def at(hours: float, command: str, **data: Any) -> dict[str, Any]:
        return {"at": _told(begin + timedelta(hours=hours)), "command": command, "data": data}

    yield at(0, "CreateWorkspace", id="acme", time_zone=BERLIN)
    for service, name in SERVICES.items():
        yield at(0.01, "AddService", id=service, name=name, handler="sleep", config={"seconds": 1})
    flow = {"handler": "http", "config": {"url": "https://example.org/hook"}, "trigger": "on_demand"}
    yield at(0.02, "AddFlow", id="notify", name="Tell the team", **flow)
    stocktaking = {"date": f"{now + timedelta(days=3):%Y-%m-%d}", "note": "Stocktaking"}
    yield at(0.02, "SaveCalendar", id="shop", name="Shop", time_zone=BERLIN, dates=[stocktaking])
    yield from _schedules(begin, at)
    yield from _integration(begin, at)
    yield from _connect(at)
    yield at(60.2, "PauseOwner", owner={"kind": "schedule", "id": "weekly"}, note="The source moves house")
    yield {"at": _told(begin + timedelta(hours=98.3)), "down": True}
    yield {"at": _told(begin + timedelta(hours=101.1)), "up": True}
    yield at(150, "DescribeSchedule", id="nightly", description="Contacts and orders, every night")
    yield at(PAST.total_seconds() / 3600 - 0.02, "RunNow", owner={"kind": "schedule", "id": "nightly"}, id=RUN)


def _schedules(begin: datetime, at: Any) -> Iterator[dict[str, Any]]:
    def row(job: str, seq: int, kind: str = "service", **more: Any) -> dict[str, Any]:
        return {"job": {"kind": kind, "id": job}, "seq": seq, **more}

    def cadence(time: str, every: int, unit: str) -> dict[str, Any]:
        return {
            "start_date": f"{begin:%Y-%m-%d}",
            "start_time": time,
            "time_zone": BERLIN,
            "every": every,
            "unit": unit,
        }

    ladder = [row("load-contacts", 1), row("load-orders", 1), row("refresh-cache", 2), row("report", 3)]
    ladder += [row("warm-search", 3, skip_wait=True)]
    for schedule, described, cycle, jobs, policies in (
        ("nightly", "Contacts and orders", cadence("02:30", 1, "day"), ladder, {"timing": "wall_clock"}),
        ("index", "Search index", cadence("00:00", 2, "hour"), [row("warm-search", 1)], {"timing": "grid"}),
        ("stock", "Stock levels", cadence("06:15", 6, "hour"), [row("load-orders", 1)], {"timing": "grid"}),
        ("weekly", "Report on Mondays", {"cron": "30 6 * * mon", "time_zone": BERLIN}, [row("report", 1)], {}),
    ):
        calendars = ["shop"] if schedule in ("nightly", "weekly") else []
        fields = {"id": schedule, "description": described, "cadence": cycle, "jobs": jobs}
        yield at(0.03, "CreateSchedule", **fields, policies={**policies, "calendars": calendars})


def _integration(begin: datetime, at: Any) -> Iterator[dict[str, Any]]:
    daily = {"start_date": f"{begin:%Y-%m-%d}", "start_time": "05:00", "time_zone": BERLIN, "every": 1, "unit": "day"}
    jobs = [{"job": {"kind": "service", "id": "load"}, "seq": 1}]
    features = [
        {"id": name, "schedules": [{"id": name, "description": f"CRM {name}", "cadence": daily, "jobs": jobs}]}
        for name in ("contacts", "deals", "offers")
    ]
    yield at(0.1, "PublishDefinition", id="crm", features=features, **CRM)
    yield at(0.11, "RegisterIntegration", definition="crm", features=["contacts", "deals", "offers"])
    yield at(0.12, "SetFeatureStatus", integration="crm", feature="contacts", status="active")
    yield at(0.12, "SetFeatureStatus", integration="crm", feature="deals", status="onboarding")
    yield at(30, "EditCadence", id="crm.contacts", cadence={**daily, "every": 2})
    yield at(0.13, "SetFeatureStatus", integration="crm", feature="offers", status="active")
    yield at(200, "SetFeatureStatus", integration="crm", feature="offers", status="maintenance")


def _connect(at: Any) -> Iterator[dict[str, Any]]:
    for job, name in (("contacts", "Contacts"), ("extension", "Contact extension"), ("orders", "Orders")):
        imported = {"source": f"{job}.csv", "table": job, "mode": "replace"}
        fields = {"kind": "import", "handler": "csv.import", "config": imported, "expires_on": "never"}
        yield at(0.2, "SaveJob", id=job, name=name, **fields)
        yield at(0.21, "ActivateJob", id=job)
    told = {"mode": "failure", "recipients": ["ops@example.org"]}
    group = {"id": "lists", "name": "Nightly lists", "jobs": ["contacts", "extension"], "notification": told}
    yield at(0.3, "CreateGroup", **group, schedule={"type": "daily", "hour": 3, "slot": "15-29"})
    yield at(0.31, "ActivateGroup", id="lists")
    shop = {"type": "weekly", "days": ["mon", "thu"], "hour": 22, "slot": "00-14"}
    yield at(0.4, "CreateGroup", id="shop", name="Shop data", jobs=["orders"], schedule=shop)
    exported = {"handler": "csv.export", "config": {"table": "contacts", "target": "out/{date}.csv"}}
    yield at(0.5, "SaveJob", id="everything", kind="export", name="Everything out", expires_on="never", **exported)


def _told(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"
