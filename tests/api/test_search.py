"""Finding things by id or text, and what a service can be, with the handlers that are installed."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from eventjobs.domain.streams import notification_stream, schedule_stream
from eventjobs.events.cadence import TimingState
from eventjobs.events.notification import NotificationRequested
from eventjobs.events.run import Ref
from eventjobs.events.schedule import ScheduleOccurrencesSkipped
from eventjobs.handlers.registry import Registry
from eventjobs.runner.catalog import Catalog
from tests.api.postgres_rig import on_postgres
from tests.api.rig import Rig, schedule
from tests.support.views import Writer

SLEEP = {"handler": "sleep", "config": {"seconds": 1}}


DEFINITION = {
    "id": "sales",
    "name": "Sales of all contacts",
    "services": [{"id": "write", "type": "Sales/Orders/Writer", **SLEEP}],
    "features": [{"id": "orders", "name": "Orders of the day", "services": ["write"]}],
}


@pytest.fixture(scope="module")
async def pg(database_url: str) -> AsyncIterator[Rig]:
    """A server with the installed handlers, and a workspace where several things are about contacts."""
    async with on_postgres(database_url, catalog=Catalog(Registry.load())) as rig:
        await rig.post("/v1/workspaces", {"id": "acme"})
        batch: list[tuple[str, dict[str, Any]]] = [
            ("AddService", {"id": "contacts", "name": "Load", "type": "Vista/Contacts/Reader", **SLEEP}),
            ("AddService", {"id": "load", "name": "All Contacts", "type": "Vista/Contacts/Reader", **SLEEP}),
            ("AddService", {"id": "other", "name": "100 % sure_of", **SLEEP}),
            ("AddFlow", {"id": "contacts-flow", "handler": "http", "config": {"url": "http://example.org/"}}),
            (
                "SaveCalendar",
                {"id": "my-contacts", "name": "Contacts", "time_zone": "UTC", "dates": [{"date": "2030-01-01"}]},
            ),
            ("PublishDefinition", DEFINITION),
            ("RegisterIntegration", {"definition": "sales"}),
            ("CreateSchedule", schedule("z", description="Loads the contacts, nightly")),
            ("RunNow", {"owner": {"kind": "schedule", "id": "z"}, "id": "contacts.by-hand"}),
        ]
        answered = await rig.post("/v1/acme/commands", [{"command": name, "data": data} for name, data in batch])
        assert {result["status"] for result in answered.json} == {201}, [
            one for one in answered.json if one["status"] != 201
        ]
        yield rig


async def found(rig: Rig, q: str, query: str = "") -> Sequence[tuple[str, str]]:
    answered = await rig.get(f"/v1/acme/search?q={q}{query}&wait_for={rig.log.known_head.position}")
    assert answered.status == 200, answered.body
    return [(item["kind"], item["id"]) for item in answered.json["items"]]


ALL = [
    ("service", "contacts"),
    ("flow", "contacts-flow"),
    ("run", "contacts.by-hand"),
    ("calendar", "my-contacts"),
    ("definition", "sales"),
    ("integration", "sales"),
    ("schedule", "z"),
    ("service", "load"),
]


async def test_everything_is_found_by_id_or_text_the_best_first(pg: Rig) -> None:
    assert await found(pg, "contacts") == ALL
    assert await found(pg, "CONTACTS") == ALL
    assert await found(pg, "nightly") == [("schedule", "z")]
    assert await found(pg, "by-hand") == []  # a run is found by the beginning of its id
    assert await found(pg, "contacts.b") == [("run", "contacts.by-hand")]


@pytest.mark.parametrize("q", ["100%20%25%20sure", "sure_", "%25"])
async def test_no_character_stands_for_others(pg: Rig, q: str) -> None:
    assert await found(pg, q) == [("service", "other")]
    assert await found(pg, f"{q}x") == []


async def test_what_was_found_goes_on_and_says_where_it_is(pg: Rig) -> None:
    got: list[Any] = []
    cursor = ""
    while True:
        page = (await pg.get(f"/v1/acme/search?q=contacts&limit=2{cursor}")).json
        got += page["items"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"

    assert [(item["kind"], item["id"]) for item in got] == ALL
    for item in got:
        assert (await pg.get(item["where"])).json["id"] == item["id"]


async def test_features_are_found_by_their_id_and_name_and_have_an_address(pg: Rig) -> None:
    feature = ("feature", "sales.orders")
    assert await found(pg, "sales.orders") == [feature]
    assert await found(pg, "of%20the%20day") == [feature]

    shown = await pg.get("/v1/acme/features/sales.orders")
    assert (shown.json["status"], shown.json["integration"], shown.json["feature"]) == ("off", "sales", "orders")
    assert shown.headers["ETag"] == (await pg.get("/v1/acme/integrations/sales")).headers["ETag"]
    for unknown in ("sales", "sales.other", "other.orders", "sales.", "sales." * 999):
        assert (await pg.get(f"/v1/acme/features/{unknown}")).status == 404


async def test_services_are_found_by_their_type(pg: Rig) -> None:
    assert await found(pg, "vista/contacts") == [("service", "contacts"), ("service", "load")]


async def test_what_did_not_run_and_messages_are_found_by_the_beginning_of_their_id(pg: Rig) -> None:
    due, owner, told = datetime(2026, 12, 1, 20, tzinfo=UTC), schedule_stream("acme", "z"), "n.42"
    skipped = ScheduleOccurrencesSkipped(
        reason="overlap", count=1, first=due, last=due, cadence_version=1, timing=TimingState()
    )
    asked = {"kind": "alert.raised", "channel": "email", "recipient": "ops@example.org", "about": {}}
    wanted = NotificationRequested(subject=Ref(kind="schedule", id="z"), **asked)
    writer = Writer(pg.log)
    writer.versions[owner] = len((await pg.log.read_streams([(owner, 0)]))[owner])
    await writer.append([(owner, skipped), (notification_stream("acme", told), wanted)])

    assert await found(pg, "schedule.z.1") == [("occurrence", "schedule.z.1.20261201t200000z")]
    assert await found(pg, "n.4") == [("notification", "n.42")]
    (item,) = (await pg.get("/v1/acme/search?q=n.42")).json["items"]
    message = (await pg.get(item["where"])).json
    assert (message["id"], message["subject"], message["recipient"]) == ("n.42", "schedule/z", "ops@example.org")
    assert (await pg.get("/v1/acme/notifications/n.43")).status == 404


async def test_keys_are_found_by_who_may_list_them(pg: Rig) -> None:
    made = await pg.command("IssueKey", {"id": "nightly-bot", "roles": ["operator"], "workspaces": ["acme"]})
    assert made.status == 201
    operator, auditor = await pg.issue("operator"), await pg.issue("auditor")
    await pg.get(f"/v1/acme/schedules?limit=1&wait_for={pg.log.known_head.position}")

    for key, seen in ((operator, []), (auditor, ["nightly-bot"])):
        items = (await pg.get("/v1/acme/search?q=nightly-bot", key=key)).json["items"]
        assert [item["id"] for item in items if item["kind"] == "key"] == seen
    assert (await pg.get("/v1/acme/keys/nightly-bot", key=operator)).status == 403
    shown = (await pg.get("/v1/acme/keys/nightly-bot", key=auditor)).json
    assert (shown["roles"], "secret" in str(shown)) == (["operator"], False)


async def test_members_are_found_by_who_may_list_them(pg: Rig) -> None:
    ada = {"id": "ada", "name": "Ada Lovelace", "email": "countess@example.org", "roles": ["reader"]}
    assert (await pg.command("AddMember", ada)).status == 201
    operator = await pg.issue("operator")
    assert await found(pg, "countess") == [("member", "ada")]
    assert (await pg.get("/v1/acme/search?q=countess", key=operator)).json["items"] == []


async def test_a_search_is_of_a_moment_and_of_one_workspace(pg: Rig) -> None:
    made = await pg.command("AddService", {"id": "brief", **SLEEP})
    await pg.command("DeleteService", {"id": "brief"})
    await pg.post("/v1/workspaces", {"id": "elsewhere"})

    assert await found(pg, "brief") == []
    assert await found(pg, "brief", f"&as_of={made.json['position']}") == [("service", "brief")]
    assert (await pg.get("/v1/elsewhere/search?q=contacts")).json["items"] == []


@pytest.mark.parametrize("query", ["", "?q=", "?q=%00", "?q=a&cursor=zzzz", f"?q={'x' * 201}"])
async def test_a_search_for_nothing_is_refused(pg: Rig, query: str) -> None:
    assert (await pg.get(f"/v1/acme/search{query}")).status in {400, 422}


async def test_R85_service_types_have_their_handler_and_the_schema_of_its_configuration(pg: Rig) -> None:
    answered = await pg.get(f"/v1/acme/service-types?wait_for={pg.log.known_head.position}")
    written, named, *handlers = answered.json["items"]

    assert (written["type"], written["integrations"], written["services"]) == ("Sales/Orders/Writer", ["sales"], 0)
    assert named["integrations"] == []
    assert (named["connector"], named["module"], named["service_type"]) == ("Vista", "Contacts", "Reader")
    assert (named["type"], named["handler"], named["services"]) == ("Vista/Contacts/Reader", "sleep", 2)
    assert "seconds" in named["schema"]["properties"]
    assert {item["handler"] for item in handlers} >= {"csv.import", "http", "python", "command", "sleep"}
    assert all(item["type"] is None and item["schema"]["type"] == "object" for item in handlers)


async def test_R85_a_configuration_that_does_not_fit_is_refused_when_a_service_is_added(pg: Rig) -> None:
    for config, path in (({"seconds": "soon"}, "config.seconds"), ({"second": 1}, "config.second"), ({}, "config")):
        refused = await pg.command("AddService", {"id": "wrong", "handler": "sleep", "config": config})

        assert refused.status == 422
        assert path in [error["path"] for error in refused.json["errors"]]
