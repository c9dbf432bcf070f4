"""What is shown of integrations: sections by feature status, sync states, overrides and drift, as of any moment."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.api.postgres_rig import on_postgres
from tests.api.rig import DAILY, Rig, schedule, with_workspace

JOBS = [{"job": {"kind": "service", "id": "load"}}]


def definition(**cadence: Any) -> dict[str, Any]:
    schedules = [{"id": "nightly", "cadence": {**DAILY, **cadence}, "jobs": JOBS}]
    return {
        "id": "crm",
        "name": "Contacts",
        "services": [{"id": "load", "handler": "noop"}],
        "features": [
            {"id": "contacts", "schedules": schedules},
            {"id": "orders", "schedules": [{"id": "orders", "cadence": DAILY, "jobs": JOBS}]},
        ],
    }


@pytest.fixture(scope="module")
async def server(database_url: str) -> AsyncIterator[Rig]:
    async with on_postgres(database_url) as rig:
        await with_workspace(rig)
        yield rig


@dataclass
class Pg:
    """A builder's workspace with a definition, and a customer's that has it registered with one feature."""

    rig: Rig
    builder: str
    shop: str

    @property
    def log(self) -> Any:
        return self.rig.log


@pytest.fixture
async def pg(server: Rig, request: pytest.FixtureRequest) -> Pg:
    name = f"t{abs(hash(request.node.name)) % 10**9}"
    places = Pg(server, f"{name}-builder", f"{name}-shop")
    for workspace, kind in ((places.builder, "integration"), (places.shop, "customer")):
        made = await server.post("/v1/workspaces", {"id": workspace, "kind": kind})
        assert made.status == 201
    await do(places, "acme", "PublishDefinition", definition())
    registered = {"definition": f"{places.builder}/crm", "features": ["contacts"]}
    await do(places, "shop", "RegisterIntegration", registered)
    return places


def place(pg: Pg, name: str) -> str:
    return {"acme": pg.builder, "shop": pg.shop}[name]


async def do(pg: Pg, workspace: str, name: str, body: dict[str, Any]) -> Any:
    answered = await pg.rig.post(f"/v1/{place(pg, workspace)}/commands/{name}", body)
    assert answered.status in (200, 201), answered.body
    return answered.json


async def read(pg: Pg, path: str, **query: Any) -> Any:
    workspace, _, rest = path.partition("/")
    asked = "&".join(f"{name}={value}" for name, value in {"wait_for": pg.log.known_head.position, **query}.items())
    answered = await pg.rig.get(f"/v1/{place(pg, workspace)}/{rest}?{asked}")
    assert answered.status == 200, answered.body
    return answered.json


def ids(section: Any) -> list[str]:
    return [item["id"] for item in section["items"]]


async def put(pg: Pg, status: str) -> Any:
    return await do(pg, "shop", "SetFeatureStatus", {"integration": "crm", "feature": "contacts", "status": status})


async def test_R59_the_page_has_schedules_by_the_status_of_their_feature(pg: Pg) -> None:
    await do(pg, "shop", "AddService", {"id": "load", "handler": "noop"})
    await do(pg, "shop", "CreateSchedule", schedule("mine"))
    page = (await read(pg, "shop/jobs-page"))["schedules"]
    assert {name: ids(section) for name, section in page.items()} == {
        "active": [],
        "onboarding": ["crm.nightly"],
        "maintenance": [],
        "workspace": ["mine"],
    }
    before = pg.log.known_head.position
    await put(pg, "active")
    page = (await read(pg, "shop/jobs-page"))["schedules"]
    assert (ids(page["active"]), page["onboarding"]["count"]) == (["crm.nightly"], 0)
    item = page["active"]["items"][0]
    assert (item["origin"], item["activity"]["set_by"], item["managed"]["switch"]) == (
        "integration",
        "feature",
        "feature",
    )
    then = (await read(pg, "shop/jobs-page", as_of=before))["schedules"]
    assert (ids(then["onboarding"]), then["active"]["count"]) == (["crm.nightly"], 0)
    await put(pg, "off")
    page = (await read(pg, "shop/jobs-page"))["schedules"]
    assert [section["count"] for section in page.values()] == [0, 0, 0, 1]
    assert ids(await read(pg, "shop/schedules")) == ["crm.nightly", "mine"]


async def test_the_page_is_filtered_by_feature_and_drift(pg: Pg) -> None:
    await do(pg, "shop", "RegisterIntegration", {"definition": f"{pg.builder}/crm"})
    await do(pg, "shop", "SetFeatureStatus", {"integration": "crm", "feature": "orders", "status": "onboarding"})
    await do(pg, "shop", "EditCadence", {"id": "crm.orders", "cadence": {**DAILY, "every": 3}})
    await do(pg, "shop", "AddService", {"id": "load", "handler": "noop"})
    await do(pg, "shop", "CreateSchedule", schedule("mine"))
    page = await read(pg, "shop/jobs-page", feature="orders")
    assert (ids(page["schedules"]["onboarding"]), page["services"]["count"]) == (["crm.orders"], 0)
    page = (await read(pg, "shop/jobs-page", drift="true"))["schedules"]
    assert (ids(page["onboarding"]), ids(page["workspace"])) == (["crm.orders"], ["mine"])
    page = (await read(pg, "shop/jobs-page", drift="false"))["schedules"]
    assert (ids(page["onboarding"]), page["workspace"]["count"]) == (["crm.nightly"], 0)


async def test_R107_a_registration_says_who_may_sync_it_and_set_its_features(pg: Pg) -> None:
    body = {"integration": "crm", "feature": "contacts", "status": "active"}
    commands = {"sync": ("SyncRegistration", {"id": "crm"}), "set_feature_status": ("SetFeatureStatus", body)}
    for role, may in (("operator", True), ("data_director", False)):
        key = await pg.rig.issue(role, workspaces=(pg.shop,))
        shown = (
            await pg.rig.get(f"/v1/{pg.shop}/integrations/crm?wait_for={pg.log.known_head.position}", key=key)
        ).json
        listed = (await pg.rig.get(f"/v1/{pg.shop}/integrations", key=key)).json["items"][0]
        assert listed["actions"] == shown["actions"]
        assert shown["actions"]["configure"]["code"] == "forbidden"
        for action, (name, fields) in commands.items():
            tried = await pg.rig.command(name, fields, workspace=pg.shop, query="?dry_run=true", key=key)
            assert (shown["actions"][action] is True) is may is (tried.status == 200), tried.body


async def test_R71_a_registration_says_how_far_it_is(pg: Pg) -> None:
    shown = await read(pg, "shop/integrations/crm")
    assert (shown["sync"]["state"], shown["sync"]["version"], shown["definition"]["version"]) == ("in_sync", 1, 1)
    assert {one["id"]: one["status"] for one in shown["features"]} == {"contacts": "onboarding", "orders": "off"}
    await do(pg, "acme", "PublishDefinition", definition(every=2))
    assert (await read(pg, "shop/integrations/crm"))["sync"]["state"] == "out_of_sync"
    await do(pg, "shop", "SyncRegistration", {"id": "crm"})
    assert (await read(pg, "shop/integrations"))["items"][0]["sync"]["state"] == "in_sync"


async def test_R71_a_failed_sync_is_shown_with_its_reason(pg: Pg) -> None:
    policies = {"policies": {"calendars": ["holidays"]}}
    changed = definition()
    changed["features"][0]["schedules"][0] |= policies
    await do(pg, "acme", "PublishDefinition", changed)
    answer = await do(pg, "shop", "SyncRegistration", {"id": "crm"})
    assert [warning["code"] for warning in answer["warnings"]] == ["sync_failed"]
    sync = (await read(pg, "shop/integrations/crm"))["sync"]
    assert (sync["state"], sync["version"], sync["failure"]["code"]) == ("sync_failed", 1, "unknown_calendar")


async def test_R74_an_override_is_shown_with_who_made_it_and_where_it_differs(pg: Pg) -> None:
    edited = await do(pg, "shop", "EditCadence", {"id": "crm.nightly", "cadence": {**DAILY, "every": 2}})
    assert [warning["code"] for warning in edited["warnings"]] == ["customer_workspace"]
    shown = await read(pg, "shop/schedules/crm.nightly")
    mark = shown["managed"]["overrides"]["period"]
    assert (mark["by"], mark["position"]) == (shown["activity"]["by"], edited["events"][-1]["position"])
    assert (shown["managed"]["cadence"]["every"], shown["cadence"]["every"], shown["drift"]) == (1, 2, ["cadence"])
    (drifted,) = (await read(pg, "shop/integrations/crm"))["drift"]
    assert (drifted["what"], drifted["defined"]["every"], drifted["here"]["every"]) == ("cadence", 1, 2)
    assert drifted["actions"] == {"clear_override": True}
    seen = (await read(pg, "acme/definitions/crm"))["registrations"]
    assert [(one["workspace"], one["overridden"]) for one in seen] == [(pg.shop, ["crm.nightly"])]
    await do(pg, "shop", "ClearCadenceOverride", {"id": "crm.nightly"})
    assert (await read(pg, "shop/schedules/crm.nightly"))["drift"] == []


async def test_R78_what_was_deleted_here_and_what_was_built_here_is_drift(pg: Pg) -> None:
    await do(pg, "shop", "DeleteSchedule", {"id": "crm.nightly"})
    await do(pg, "shop", "AddService", {"id": "mine", "handler": "noop"})
    drift = (await read(pg, "shop/integrations/crm"))["drift"]
    assert [(one["thing"]["id"], one["what"]) for one in drift] == [("crm.nightly", "deleted"), ("mine", "own")]
    assert [one["actions"] for one in drift] == [{"restore": True}, {}]
    reader = await pg.rig.issue("reader", workspaces=[pg.shop])
    shown = (await pg.rig.get(f"/v1/{pg.shop}/integrations/crm", key=reader)).json
    assert shown["drift"][0]["actions"]["restore"]["code"] == "forbidden"
    await do(pg, "shop", "RestoreSchedule", {"id": "crm.nightly"})
    drift = (await read(pg, "shop/integrations/crm"))["drift"]
    assert [one["what"] for one in drift] == ["own"]


async def test_R87_a_job_that_was_deleted_here_is_drift_until_it_is_restored_or_the_definition_has_it_no_more(
    pg: Pg,
) -> None:
    async def drift() -> list[tuple[str, str]]:
        found = (await read(pg, "shop/integrations/crm"))["drift"]
        return [(one["thing"]["id"], one["what"]) for one in found]

    content = definition()
    names = ("spare", "other")
    spare = {"services": [*content["services"], *({"id": name, "handler": "noop"} for name in names)]}
    features = [{**content["features"][0], "services": names}, content["features"][1]]
    await do(pg, "acme", "PublishDefinition", {**content, **spare, "features": features})
    await do(pg, "shop", "SyncRegistration", {"id": "crm"})
    await do(pg, "shop", "DeleteService", {"id": "crm.spare"})
    assert await drift() == [("crm.spare", "deleted")]
    await do(pg, "shop", "RestoreService", {"id": "crm.spare"})
    assert await drift() == []
    await do(pg, "shop", "DeleteService", {"id": "crm.spare"})
    await do(pg, "acme", "PublishDefinition", content)
    await do(pg, "shop", "SyncRegistration", {"id": "crm"})
    assert await drift() == []
    assert (await read(pg, "shop/services/crm.spare"))["managed"]["removed"] == "archived"


async def test_a_publisher_sees_the_registrations_that_its_key_covers(pg: Pg) -> None:
    key = await pg.rig.issue("reader", workspaces=[pg.builder])
    asked = f"/v1/{pg.builder}/definitions/crm?wait_for={pg.log.known_head.position}"
    answered = await pg.rig.get(asked, key=key)
    assert answered.json["registrations"] == []
    assert answered.json["content"]["features"][0]["id"] == "contacts"


async def in_many(pg: Pg, more: int) -> list[str]:
    """Register the definition in more customers' workspaces, and put its feature into use there."""
    shops = [f"{pg.shop}-{n}" for n in range(more)]
    registered = {"definition": f"{pg.builder}/crm", "features": ["contacts"]}
    for shop in shops:
        made = await pg.rig.post("/v1/workspaces", {"id": shop, "kind": "customer"})
        assert made.status == 201
        answered = await pg.rig.post(f"/v1/{shop}/commands/RegisterIntegration", registered)
        assert answered.status == 201, answered.body
        status = {"integration": "crm", "feature": "contacts", "status": "active"}
        answered = await pg.rig.post(f"/v1/{shop}/commands/SetFeatureStatus", status)
        assert answered.status == 201, answered.body
    return [pg.shop, *shops]


async def test_R70_a_definition_is_synced_in_all_workspaces_at_once_and_doing_it_again_does_nothing(pg: Pg) -> None:
    shops = await in_many(pg, 2)
    await do(pg, "acme", "PublishDefinition", definition(every=2))
    answer = await do(pg, "acme", "SyncRegistration", {"id": "crm", "targets": "all"})
    assert [(one["workspace"], one["status"]) for one in answer["results"]] == [(shop, 201) for shop in shops]
    again = await do(pg, "acme", "SyncRegistration", {"id": "crm", "targets": "all"})
    assert [one["status"] for one in again["results"]] == [200, 200, 200]
    seen = (await read(pg, "acme/definitions/crm"))["registrations"]
    assert {one["sync"]["state"] for one in seen} == {"in_sync"}


async def test_R70_selected_workspaces_are_answered_one_by_one_with_the_callers_rights_there(pg: Pg) -> None:
    shops = await in_many(pg, 1)
    await do(pg, "acme", "PublishDefinition", definition(every=2))
    key = await pg.rig.issue("integration_author", workspaces=[pg.builder, shops[0]])
    wanted = {"id": "crm", "targets": [shops[1], shops[0], "nowhere"]}
    answered = await pg.rig.post(f"/v1/{pg.builder}/commands/SyncRegistration", wanted, key=key)
    assert [one["status"] for one in answered.json["results"]] == [404, 201, 404]
    everywhere = await pg.rig.post(
        f"/v1/{pg.builder}/commands/SyncRegistration", {"id": "crm", "targets": "all"}, key=key
    )
    assert [one["workspace"] for one in everywhere.json["results"]] == [shops[0]]
    operator = await pg.rig.issue("operator", workspaces=[pg.builder, shops[0]])
    answered = await pg.rig.post(f"/v1/{pg.builder}/commands/SyncRegistration", wanted, key=operator)
    assert answered.status == 403


async def test_R35_a_sync_of_many_shows_its_diff_and_its_runs_before_it_is_made(pg: Pg) -> None:
    shops = await in_many(pg, 1)
    await do(pg, "acme", "PublishDefinition", definition(start_date="2020-01-01"))
    before = pg.log.known_head.position
    path = f"/v1/{pg.builder}/commands/SyncRegistration?dry_run=true"
    tried = (await pg.rig.post(path, {"id": "crm", "targets": "all"})).json
    assert [(run["workspace"], run["owner"]["id"]) for run in tried["runs_now"]] == [(shops[1], "crm.nightly")]
    first = next(one for one in tried["results"][0]["diff"] if one["kind"] == "schedule")
    assert (first["what"], first["fields"]["cadence"]["after"]["start_date"]) == ("changed", "2020-01-01")
    assert pg.log.known_head.position == before


async def test_R75_overrides_are_cleared_in_all_workspaces_at_once(pg: Pg) -> None:
    shops = await in_many(pg, 1)
    for shop in shops:
        cadence = {"id": "crm.nightly", "cadence": {**DAILY, "every": 2}}
        assert (await pg.rig.post(f"/v1/{shop}/commands/EditCadence", cadence)).status == 201
    answer = await do(pg, "acme", "ClearCadenceOverride", {"integration": "crm", "targets": "all"})
    assert [one["status"] for one in answer["results"]] == [201, 201]
    seen = (await read(pg, "acme/definitions/crm"))["registrations"]
    assert [one["overridden"] for one in seen] == [[], []]


async def test_the_whole_of_a_definition_is_tried_before_it_is_applied(pg: Pg) -> None:
    await put(pg, "active")
    await do(pg, "acme", "RegisterIntegration", {"definition": "crm", "features": ["contacts"]})
    batch = [
        {"command": "PublishDefinition", "data": definition(every=2)},
        {"command": "SyncRegistration", "data": {"id": "crm"}},
    ]
    tried = (await pg.rig.post(f"/v1/{pg.builder}/commands?atomic=true&dry_run=true", batch)).json
    told = {(one["kind"], one["id"]): one["what"] for one in tried["diff"]}
    assert told["defined schedule", "nightly"] == "changed"
    assert told["schedule", "crm.nightly"] == "changed"


async def test_wrong_targets_are_told_where_they_stand(pg: Pg) -> None:
    wrong = {"id": "crm", "targets": []}
    answered = await pg.rig.post(f"/v1/{pg.builder}/commands/SyncRegistration", wrong)
    assert {error["path"] for error in answered.json["errors"]} == {"targets"}


async def test_a_command_for_many_is_no_part_of_a_batch(pg: Pg) -> None:
    batch = [{"command": "SyncRegistration", "data": {"id": "crm", "targets": "all"}}]
    answered = await pg.rig.post(f"/v1/{pg.builder}/commands", batch)
    assert answered.json[0]["code"] == "not_in_a_batch"


async def test_R62_the_flows_of_a_feature_are_inactive_while_it_is_not_active(pg: Pg) -> None:
    async def tag(**moment: Any) -> tuple[str | None, str | None]:
        shown = await read(pg, "shop/flows/crm.approve", **moment)
        assert (await read(pg, "shop/flows", **moment))["items"][0]["inactive_by"] == shown["inactive_by"]
        return shown["inactive_by"], shown["managed"]["feature_status"]

    content = {**definition(), "flows": [{"id": "approve", "handler": "python"}]}
    content["features"] = [{**feature, "flows": ["approve"]} for feature in content["features"]]
    await do(pg, "acme", "PublishDefinition", content)
    await do(pg, "shop", "SyncRegistration", {"id": "crm"})
    assert await tag() == ("feature", "onboarding")
    before = pg.log.known_head.position
    await put(pg, "active")
    assert await tag() == (None, "active")
    await put(pg, "maintenance")
    assert await tag() == ("feature", "maintenance")
    await put(pg, "off")
    assert await tag() == ("feature", "off")
    await do(pg, "shop", "SetFeatureStatus", {"integration": "crm", "feature": "orders", "status": "onboarding"})
    assert await tag() == ("feature", "onboarding")
    await do(pg, "shop", "SetFeatureStatus", {"integration": "crm", "feature": "orders", "status": "active"})
    assert await tag() == (None, "active")
    await do(pg, "shop", "RegisterIntegration", {"definition": f"{pg.builder}/crm", "active": False})
    assert await tag() == ("integration", "active")
    assert await tag(as_of=before) == ("feature", "onboarding")


async def test_R62_a_flow_of_the_workspaces_own_is_inactive_only_where_it_says_so(pg: Pg) -> None:
    for name, active in (("awake", True), ("asleep", False)):
        await do(pg, "shop", "AddFlow", {"id": name, "handler": "python", "active": active})
    items = (await read(pg, "shop/flows"))["items"]
    assert {one["id"]: one["inactive_by"] for one in items} == {"asleep": "flow", "awake": None}
