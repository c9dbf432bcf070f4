"""The judges of a simulation find what no product may do, told to them fact by fact."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from eventjobs.events.recorded import Recorded, StreamId
from tests.simulation.figures import Seen
from tests.simulation.message_judge import MessageJudge
from tests.simulation.options import derive
from tests.simulation.rules import Rules, Violation
from tests.simulation.slot_judge import SlotJudge

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
DUE = "2026-12-01T11:59:00+00:00"
ENDS = {"expires_on": "2026-12-31", "expires_at": "2026-12-31T23:00:00+00:00", "next": None}
WARNED = ["2026-12-23T23:00:00+00:00", "2026-12-29T23:00:00+00:00"]


def rules() -> Rules:
    return Rules(Seen(), derive(1))


def fact(stream: str, kind: str, data: Any, at: datetime = NOON) -> Recorded[Any]:
    return Recorded(
        position=1,
        stream=StreamId("acme", stream),
        stream_version=1,
        type=kind,
        schema=1,
        at=at,
        actor="instance:a",
        command_id="c",
        causation=None,
        correlation=None,
        data=orjson.dumps(data),
        leaf=b"",
        chain=b"",
        decode=lambda *_: None,
    )


def alarmed(missed: str, raised: str) -> None:
    """A moment is missed for a reason, and an incident says that one was for another, or the same."""
    judge, address = MessageJudge(rules()), ("acme", "nightly")
    created, spans = {"active": True}, {"first": missed, "last": missed, "count": 1, "reason": "downtime"}
    judge.schedule(fact("schedule:nightly", "schedule.created", created), address, created)
    judge.schedule(fact("schedule:nightly", "schedule.occurrences_missed", spans), address, spans)
    incident = {"incident": f"late.{raised}", "alert": "late", "since": raised, "due": raised, "limit_s": 3_600.0}
    incident |= {"reason": "downtime", "settled": True}
    judge.incident(fact("alert:nightly", "alert.raised", incident), address, incident)


def test_that_a_moment_was_missed_is_told_at_once() -> None:
    alarmed(DUE, DUE)


def test_what_was_not_missed_is_not_told_before_its_limit() -> None:
    with pytest.raises(Violation, match="the moment was not missed"):
        alarmed("2026-12-01T10:00:00+00:00", DUE)


def ending(warn_at: list[str]) -> SlotJudge:
    """A job that ends at the end of the year, and the warnings of that."""
    judge, data = SlotJudge(rules()), {**ENDS, "warn_at": warn_at}
    judge.take(fact("job:contacts", "job.expiration_set", data), data)
    return judge


@pytest.mark.parametrize("warn_at", [[], WARNED[:1], WARNED[1:]])
def test_a_warning_that_is_never_to_come_is_noticed(warn_at: list[str]) -> None:
    ending(WARNED)
    with pytest.raises(Violation, match="nobody will be warned"):
        ending(warn_at)


@pytest.mark.parametrize(("claims", "is_fit"), [(["claimed"], True), ([], False), (["claimed", "released"], False)])
def test_the_end_of_a_job_waits_only_for_the_run_that_has_it(claims: list[str], is_fit: bool) -> None:
    judge, turn = ending(WARNED), {"turn": {"run": "r", "row": 1}}
    for claim in claims:
        judge.take(fact("job:contacts", f"job.{claim}", turn), turn)
    over = fact("job:contacts", "job.expiry_deferred", {"run": "r"}, datetime(2027, 1, 1, tzinfo=UTC))
    if is_fit:
        judge.take(over, {"run": "r"})
    else:
        with pytest.raises(Violation, match="put off for no run of its own"):
            judge.take(over, {"run": "r"})


def test_a_job_that_its_group_has_no_more_is_to_know_it() -> None:
    judge, named = SlotJudge(rules()), {"group": "lists", "name": "Lists"}
    judge.named(fact("groups:groups", "groups.named", named), named)

    def saved(*jobs: str) -> Recorded[Any]:
        members = [{"job": {"kind": "import", "id": job}, "required": True} for job in jobs]
        told = {"schedule": {}, "policies": {}, "on_expiry": "delete", "notification": {}, "members": members}
        judge.take(done := fact("group:lists", "group.saved", told), told)
        return done

    for job in ("contacts", "extension"):
        joined = {"group": "lists"}
        job_saved = {"schedule": {"type": "daily"}, "policies": {}, "on_expiry": "delete", "notification": {}}
        judge.take(fact(f"job:{job}", "job.saved", job_saved), job_saved)
        judge.take(fact(f"job:{job}", "job.grouped", joined), joined)
    judge.complete(saved("contacts", "extension"))
    with pytest.raises(Violation, match="it has them no more"):
        judge.complete(saved("contacts"))
