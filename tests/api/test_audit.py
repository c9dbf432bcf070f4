"""The log's proof over HTTP: where the chain stands, what was found, and the chain made again part by part."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from eventjobs.api import audit
from eventjobs.api.schemas import AuditBody, VerificationBody
from eventjobs.audit import parts
from eventjobs.audit.findings import Finding, Found, Kind
from eventjobs.events.recorded import StreamId
from eventjobs.log.port import ZERO_CHAIN
from eventjobs.postgres.pool import connect
from tests.api.postgres_rig import on_postgres
from tests.api.rig import Rig, started, with_workspace
from tests.support.database import database

PATH = "/v1/acme/audit/verification"
_numbers = count(1)


async def verified(rig: Rig, query: str = "") -> dict[str, Any]:
    answered = await rig.get(f"{PATH}{query}")
    assert answered.status == 200, answered.body
    VerificationBody.model_validate_json(answered.body)
    found: dict[str, Any] = answered.json
    return found


async def part_by_part(rig: Rig) -> Sequence[dict[str, Any]]:
    found = [await verified(rig)]
    while found[-1]["broken"] is None and found[-1]["position"] < found[-1]["until"]:
        last = found[-1]
        found.append(await verified(rig, f"?after={last['position']}&chain={last['chain']}&until={last['until']}"))
    return found


async def test_the_chain_of_a_moment_is_that_of_its_last_fact(rig: Rig) -> None:
    facts = await rig.facts()

    now = await rig.get("/v1/acme/audit")
    then = await rig.get("/v1/acme/audit?as_of=2")

    body = AuditBody.model_validate_json(now.body)
    assert (body.chain, body.as_of.position) == (facts[-1].chain.hex(), facts[-1].position)
    assert (then.json["chain"], then.json["as_of"]["position"]) == (facts[1].chain.hex(), 2)
    assert (await rig.get("/v1/acme/audit?as_of=0")).json["chain"] == ZERO_CHAIN.hex()
    assert body.occurrences is None
    assert {"run.opened", "schedule.created"} <= set(body.types)


async def test_findings_about_other_workspaces_are_counted_and_not_told() -> None:
    owners = [StreamId(workspace, "schedule:nightly") for workspace in ("acme", "other")]
    findings = tuple(Finding(Kind.LATE, 7, datetime.now(UTC), owner, None, "late") for owner in owners)
    kinds = {Kind.LATE: 2, Kind.EARLY: 0}

    async def found() -> Found:
        return Found(position=9, at=None, found=2, kinds=kinds, occurrences={"ran": 3}, steps=4, findings=findings)

    async with started(found=found) as rig:
        await with_workspace(rig)
        answered = await rig.get("/v1/acme/audit")

    audited = AuditBody.model_validate_json(answered.body).occurrences
    assert audited is not None
    assert (audited.found, audited.kinds, audited.occurrences) == (2, {"late": 2}, {"ran": 3})
    assert [finding.workspace for finding in audited.findings] == ["acme"]


async def test_parts_join_to_the_whole_log(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "FACTS_MAX", 2)
    head = rig.log.known_head

    found = await part_by_part(rig)

    assert [part["position"] for part in found] == [*range(2, head.position, 2), head.position]
    assert (found[-1]["chain"], found[-1]["broken"]) == (head.chain.hex(), None)
    assert (await verified(rig, f"?until={head.position - 1}"))["until"] == head.position - 1


async def test_a_part_ends_with_its_time_and_with_the_moment_that_is_asked_for(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await verified(rig, "?as_of=2"))["until"] == 2
    monkeypatch.setattr(parts, "TIME_S_MAX", 0.0)

    part = await verified(rig)

    assert (part["position"], part["chain"], part["broken"]) == (0, ZERO_CHAIN.hex(), None)


async def test_a_part_that_does_not_follow_from_the_one_before_is_broken(rig: Rig) -> None:
    part = await verified(rig, f"?after=2&chain={'ab' * 32}")

    assert part["broken"] == {"position": 2, "what": "the chain value is another one than a moment before"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("after=-1", "number_out_of_range"),
        ("after=999999", "as_of_in_future"),
        ("chain=xyz", "bad_format"),
        ("until=0", "number_out_of_range"),
        ("limit=5", "unknown_field"),
    ],
)
async def test_what_is_asked_wrongly_is_refused(rig: Rig, query: str, code: str) -> None:
    refused = await rig.get(f"{PATH}?{query}")

    assert (refused.status, refused.code) == (422, code)


async def test_one_part_is_verified_at_a_time(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "TURN_S_MAX", 0.05)
    async with rig.deps.proof_places.take(1, 1.0):
        busy = await rig.get(PATH)
    async with asyncio.timeout(5):
        assert (await verified(rig))["broken"] is None

    assert busy.status == 503


@pytest.fixture
async def stored(postgres_url: str, template_database: str) -> AsyncIterator[tuple[Rig, str]]:
    """A server on a database of its own, and the database's address."""
    async with (
        database(postgres_url, f"audited_{next(_numbers)}", template=template_database) as url,
        on_postgres(url) as rig,
    ):
        await with_workspace(rig)
        yield rig, url


async def test_what_was_changed_in_storage_is_found_although_memory_knows_better(stored: tuple[Rig, str]) -> None:
    rig, url = stored
    owner = await connect(url, role=None)
    await owner.execute("ALTER TABLE events DISABLE TRIGGER ALL; ALTER TABLE events_from_1 DISABLE TRIGGER ALL")
    await owner.execute("UPDATE events SET actor = 'key:nobody' WHERE position = 3")
    await owner.close()

    (part,) = await part_by_part(rig)

    assert part["position"] == 2
    assert part["broken"] == {"position": 3, "what": "the leaf is not that of the event"}


async def test_what_was_cut_off_in_storage_is_missing(stored: tuple[Rig, str]) -> None:
    rig, url = stored
    head = rig.log.known_head.position
    owner = await connect(url, role=None)
    await owner.execute("ALTER TABLE events DISABLE TRIGGER ALL; ALTER TABLE events_from_1 DISABLE TRIGGER ALL")
    await owner.execute("DELETE FROM events WHERE position = $1", head)
    await owner.close()

    (part,) = await part_by_part(rig)

    assert part["broken"] == {"position": head, "what": f"position {head} is missing, and all after it"}


async def test_a_moment_whose_position_is_gone_has_no_chain_value(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: Any, **__: Any) -> Sequence[Any]:
        return ()

    monkeypatch.setattr(rig.log, "read", nothing)
    answered = await rig.get("/v1/acme/audit")

    assert answered.status == 200
    assert AuditBody.model_validate_json(answered.body).chain is None
