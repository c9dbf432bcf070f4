"""Holds and pauses over HTTP: who may, and what whoever is refused is told."""

from tests.api.rig import Rig, schedule


async def test_a_run_by_hand_in_a_hold_is_told_who_holds_why_and_until_when(rig: Rig) -> None:
    held = await rig.command("HoldStarts", {"note": "upgrade", "until": "2199-01-04T06:00:00+01:00"})
    refused = await rig.command("RunNow", {"owner": {"kind": "service", "id": "load"}})
    released = await rig.command("ReleaseStarts", {})
    accepted = await rig.command("RunNow", {"owner": {"kind": "service", "id": "load"}})

    assert (held.status, held.json["stream"]) == (201, "workspace:acme")
    assert (refused.status, refused.code) == (409, "held")
    assert {name: refused.json[name] for name in ("by", "note", "until", "everywhere")} == {
        "by": "key:admin",
        "note": "upgrade",
        "until": "2199-01-04T05:00:00Z",
        "everywhere": False,
    }
    assert (released.status, accepted.status) == (201, 201)


async def test_a_hold_of_the_deployment_stands_in_its_own_stream_and_holds_every_workspace(rig: Rig) -> None:
    held = await rig.command("HoldStarts", {"everywhere": True})
    refused = await rig.command("RunNow", {"owner": {"kind": "service", "id": "load"}})

    assert (held.status, (await rig.facts())[-1].stream) == (201, ("*", "workspace:*"))
    assert (refused.status, refused.json["everywhere"]) == (409, True)


async def test_a_pause_may_be_tried_out(rig: Rig) -> None:
    owner = {"kind": "schedule", "id": "nightly"}
    await rig.command("CreateSchedule", schedule())
    before = rig.log.known_head.position
    tried = await rig.command("PauseOwner", {"owner": owner, "note": "why"}, query="?dry_run=true")

    assert tried.status == 200
    assert [event["type"] for event in tried.json["events"]] == ["schedule.paused"]
    assert rig.log.known_head.position == before
    assert [one["notes"] for one in tried.json["next"]["schedule/nightly"]] == [["paused"]] * 10
    assert [one["notes"] for one in tried.json["before"]["schedule/nightly"]] == [[]] * 10
