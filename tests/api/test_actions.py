"""What a row says that the caller may do is what happens, for every action, role and state."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, NamedTuple

import orjson
import pytest

from eventjobs.api.actions import CONNECT_JOB, FLOW, GROUP, SCHEDULE, SERVICE
from eventjobs.clock import SystemClock
from eventjobs.commands import SPECS
from eventjobs.commands.context import Context, Limits
from eventjobs.domain.access import ROLES, Grant
from eventjobs.errors import Rejected
from eventjobs.ids import SystemIds, SystemRandom
from tests.api.postgres_rig import on_postgres
from tests.api.rig import DAILY, Answered, Rig, schedule
from tests.support.bodies import advance, ended
from tests.support.ports import FakeCatalog

BY_NAME = {spec.name: spec for spec in SPECS}
ALLOW = {"policies": {"overlap": "allow"}}
JOBS = [{"job": {"kind": "service", "id": "load"}}]
SERVICE_ROW = {"job": {"kind": "service", "id": "lent"}, "seq": 1}
FLOW_ROW = {"job": {"kind": "flow", "id": "alone"}, "seq": 1}
LIMITS = Limits(runs_per_owner=2, runs_per_workspace=12)

CONTACTS = {
    "id": "crm",
    "services": [{"id": "load", "handler": "noop"}, {"id": "rest", "handler": "noop"}],
    "flows": [
        {"id": "notify", "handler": "python"},
        *({"id": name, "handler": "python"} for name in ("idle", "fallen")),
    ],
    "features": [
        {"id": name, "flows": ["notify"], "schedules": [{"id": name, "cadence": DAILY, "jobs": JOBS}]}
        for name in ("going", "new", "off")
    ]
    + [{"id": "unused", "services": ["rest"], "flows": ["idle"]}]
    + [{"id": "tombs", "flows": ["fallen"], "schedules": [{"id": "lost", "cadence": DAILY, "jobs": JOBS}]}],
}
MANAGED = (
    ("PublishDefinition", CONTACTS),
    ("RegisterIntegration", {"definition": "crm", "features": ["going", "new", "off", "unused", "tombs"]}),
    ("SetFeatureStatus", {"integration": "crm", "feature": "going", "status": "active"}),
    ("SetFeatureStatus", {"integration": "crm", "feature": "off", "status": "off"}),
    ("SetFeatureStatus", {"integration": "crm", "feature": "unused", "status": "off"}),
    ("EditCadence", {"id": "crm.new", "cadence": {**DAILY, "every": 2}}),
    ("DeleteSchedule", {"id": "crm.lost"}),
    ("DeleteFlow", {"id": "crm.fallen"}),
)
"""A schedule in each status of its feature, one with an override, one that was deleted here, and their jobs."""

MEMBERS = ("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "left", "lone", "well")
CONNECT = (
    *(("SaveJob", {"id": name, "kind": "import", "handler": "pay", "expires_on": "never"}) for name in MEMBERS),
    (
        "SaveJob",
        {"id": "rough", "kind": "import", "handler": "pay", "expires_on": "never", "schedule": {"type": "daily"}},
    ),
    ("SaveJob", {"id": "removed", "kind": "import", "handler": "pay", "expires_on": "never"}),
    ("DeleteJob", {"id": "removed"}),
    *(("ActivateJob", {"id": name}) for name in MEMBERS),
    ("CreateGroup", {"id": "going", "name": "going", "jobs": ["a", "b"]}),
    ("CreateGroup", {"id": "fallen", "name": "fallen", "jobs": ["c", "d"]}),
    ("CreateGroup", {"id": "spoiled", "name": "spoiled", "jobs": ["e", "f"]}),
    ("CreateGroup", {"id": "fresh", "name": "fresh", "jobs": ["g", "h"]}),
    ("CreateGroup", {"id": "leaving", "name": "leaving", "jobs": ["i", "j", "left"]}),
    (
        "CreateGroup",
        {"id": "short", "name": "short", "notification": {"mode": "always"}, "schedule": {"type": "daily"}},
    ),
    ("CreateGroup", {"id": "gone", "name": "gone"}),
    ("DeleteGroup", {"id": "gone"}),
    *(("ActivateGroup", {"id": name}) for name in ("going", "fallen", "spoiled", "leaving")),
    ("DeactivateJob", {"id": "f", "force": True}),
    ("PauseOwner", {"owner": {"kind": "group", "id": "spoiled"}}),
    ("RunNow", {"owner": {"kind": "group", "id": "going"}, "id": "going-1"}),
    ("RunNow", {"owner": {"kind": "group", "id": "fallen"}, "id": "fallen-1"}),
    ("RunNow", {"owner": {"kind": "group", "id": "leaving"}, "id": "leaving-1"}),
    ("SaveGroup", {"id": "leaving", "name": "leaving", "jobs": ["i", "j"]}),
    ("RunNow", {"owner": {"kind": "import", "id": "lone"}, "id": "lone-1"}),
    ("RunNow", {"owner": {"kind": "import", "id": "well"}, "id": "well-1"}),
)
"""Groups and their jobs in each state; `b` waits for its turn in a running group, `left` in the one that it left."""

OVER = ("failing", "changed", "resumed", "dropped")
"""Schedules whose last run failed, each of another fate since."""

ALL = frozenset({"acme", "held", "full", "connect"})
CALLERS = {
    **{role: Grant(roles=frozenset({role}), workspaces=ALL) for role in ROLES},
    "everybody": Grant(roles=frozenset(ROLES), workspaces=ALL),
    "read-only": Grant(roles=frozenset(ROLES), workspaces=ALL, read_only=True),
}


@pytest.fixture(scope="module")
async def pg(database_url: str) -> AsyncIterator[Rig]:
    """`acme` with a thing in each state, `held` with all starts held, `full` with no room, `connect` with groups."""
    async with on_postgres(database_url, limits=LIMITS) as rig:
        for workspace in sorted(ALL):
            made = await rig.post("/v1/workspaces", {"id": workspace})
            assert made.status == 201, made.body
            await send(rig, workspace, ("AddService", {"id": "load", "handler": "noop"}))
        await send(
            rig,
            "acme",
            *(("AddService", {"id": name, "handler": "noop"}) for name in ("busy", "free", "gone", "lent", "broken")),
            *(("AddFlow", flow(name)) for name in ("approve", "used", "ended", "going", "filled")),
            ("AddFlow", flow("asleep", active=False)),
            ("AddFlow", flow("alone", exclusive=True)),
            *(("CreateSchedule", schedule(name)) for name in ("fresh", "paused", "deleted", "running")),
            *MANAGED,
            ("CreateSchedule", schedule("inactive", active=False)),
            ("CreateSchedule", schedule("well")),
            ("CreateSchedule", schedule("beside", **ALLOW)),
            ("CreateSchedule", schedule("crowded", **ALLOW)),
            ("CreateSchedule", schedule("lending", jobs=[SERVICE_ROW, FLOW_ROW])),
            ("CreateSchedule", schedule("using", jobs=[{"job": {"kind": "flow", "id": "used"}}])),
            ("DeleteFlow", {"id": "ended"}),
            ("PauseOwner", {"owner": {"kind": "schedule", "id": "paused"}, "note": "the source moves"}),
            ("DeleteSchedule", {"id": "deleted"}),
            ("DeleteService", {"id": "gone"}),
            *((run("schedule", owner)) for owner in ("running", "beside", "crowded", "crowded")),
            run("service", "busy"),
            *(run("flow", name) for name in ("going", "filled", "filled")),
            run("schedule", "lending", id="lends"),
        )
        await say(rig, "lends")
        await have_failed(rig, "acme", *OVER)
        await send(
            rig,
            "acme",
            ("EditScheduleJobs", {"id": "changed", "jobs": [{**JOBS[0], "skip_wait": True}]}),
            ("DeleteSchedule", {"id": "dropped"}),
            ("ResumeRun", {"run": "resumed-1"}),
            ("RunNow", {"owner": {"kind": "service", "id": "broken"}, "id": "broken-1"}),
            run("schedule", "well", id="well-1"),
        )
        await over(rig, "acme", "broken-1", "failed")
        await over(rig, "acme", "well-1", "succeeded")
        await have_failed(rig, "held", "kept")
        await send(rig, "held", ("HoldStarts", {"note": "maintenance"}))
        await send(rig, "full", *(("CreateSchedule", schedule(name, **ALLOW)) for name in "abcdefg"))
        await send(rig, "full", *(run("schedule", owner) for owner in "aabbccddeeff"))
        await send(rig, "connect", *CONNECT)
        await say(rig, "going-1", "connect")
        await say(rig, "fallen-1", "connect")
        await say(rig, "fallen-1", "connect", ended=[ended(1, "failed")])
        await say(rig, "lone-1", "connect")
        await say(rig, "well-1", "connect")
        await say(rig, "well-1", "connect", ended=[ended(1)])
        yield rig


@pytest.fixture(scope="module")
async def keys(pg: Rig) -> Mapping[str, str]:
    """A key for each of the callers."""
    return {
        caller: await pg.issue(*rights.roles, workspaces=sorted(ALL), read_only=rights.read_only)
        for caller, rights in CALLERS.items()
    }


def run(kind: str, owner: str, **fields: Any) -> tuple[str, Mapping[str, Any]]:
    return "RunNow", {"owner": {"kind": kind, "id": owner}, **fields}


def flow(flow_id: str, **fields: Any) -> Mapping[str, Any]:
    return {"id": flow_id, "handler": "python", **fields}


async def send(rig: Rig, workspace: str, *commands: tuple[str, Mapping[str, Any]]) -> None:
    batch = [{"command": name, "data": data} for name, data in commands]
    answered = await rig.post(f"/v1/{workspace}/commands", batch)
    assert {result["status"] for result in answered.json} == {201}, answered.json


async def say(rig: Rig, run_id: str, workspace: str = "acme", **fields: Any) -> None:
    """Let the run go on, as its worker would."""
    await rig.deps.dispatcher.dispatch(BY_NAME["AdvanceRun"], advance(run_id, **fields), context_of(workspace))


async def have_failed(rig: Rig, workspace: str, *names: str) -> None:
    """Make schedules, each with a run that failed."""
    for name in names:
        made = ("CreateSchedule", schedule(name))
        await send(rig, workspace, made, run("schedule", name, id=f"{name}-1"))
        await over(rig, workspace, f"{name}-1", "failed")


async def over(rig: Rig, workspace: str, run_id: str, state: str) -> None:
    """Let a run of one job go to its end."""
    await say(rig, run_id, workspace)
    await say(rig, run_id, workspace, ended=[ended(1, state)])


async def refusal(rig: Rig, workspace: str, name: str, body: Mapping[str, Any], rights: Grant) -> Rejected | None:
    """Return why a dry run of the command is refused, if it is."""
    spec = BY_NAME[name]
    try:
        command = spec.command.model_validate_json(orjson.dumps(body))
        await rig.deps.dispatcher.try_out(spec, command, context_of(workspace, rights))
    except Rejected as refused:
        return refused
    return None


def context_of(workspace: str, rights: Grant | None = None) -> Context:
    return Context(
        workspace=workspace,
        now=SystemClock().now(),
        actor="key:tester",
        command_id=SystemIds().new(),
        ids=SystemIds(),
        random=SystemRandom(),
        instance="one",
        catalog=FakeCatalog(),
        limits=LIMITS,
        grant=rights,
    )


class Row(NamedTuple):
    """A row in a state, and the codes with which running it, or its last run, is refused to who has every role."""

    kind: str
    id: str
    run_now: str | None = None
    workspace: str = "acme"
    resume_run: str | None = None

    @property
    def path(self) -> str:
        return f"/v1/{self.workspace}/{'job' if self.kind == 'import' else self.kind}s/{self.id}"


ROWS = [
    Row("schedule", "fresh"),
    Row("schedule", "inactive"),
    Row("schedule", "paused"),
    Row("schedule", "deleted", "not_found"),
    Row("schedule", "running", "already_running"),
    Row("schedule", "beside"),
    Row("schedule", "crowded", "no_room"),
    Row("schedule", "crm.going"),
    Row("schedule", "crm.new"),
    Row("schedule", "crm.off", "feature_off"),
    Row("schedule", "crm.lost", "not_found"),
    Row("service", "crm.load"),
    Row("service", "crm.rest", "feature_off"),
    Row("flow", "crm.notify"),
    Row("flow", "crm.idle", "feature_off"),
    Row("flow", "crm.fallen", "not_found"),
    Row("schedule", "kept", "held", "held", "held"),
    Row("schedule", "failing"),
    Row("schedule", "changed", resume_run="jobs_changed"),
    Row("schedule", "resumed", "already_running", resume_run="already_resumed"),
    Row("schedule", "dropped", "not_found", resume_run="not_found"),
    Row("schedule", "well", resume_run="nothing_to_resume"),
    Row("service", "broken"),
    Row("schedule", "g", "no_room", "full"),
    Row("service", "free"),
    Row("service", "load"),
    Row("service", "gone", "not_found"),
    Row("service", "busy", "already_running"),
    Row("service", "lent", "already_running"),
    Row("flow", "approve"),
    Row("flow", "used"),
    Row("flow", "ended", "not_found"),
    Row("flow", "asleep", "flow_inactive"),
    Row("flow", "going"),
    Row("flow", "filled", "no_room"),
    Row("flow", "alone", "already_running"),
    Row("service", "load", "held", "held"),
    Row("service", "load", "no_room", "full"),
    Row("group", "going", "already_running", "connect"),
    Row("group", "fallen", None, "connect"),
    Row("group", "spoiled", None, "connect"),
    Row("group", "fresh", "group_inactive", "connect"),
    Row("group", "short", "group_inactive", "connect"),
    Row("group", "gone", "not_found", "connect"),
    Row("import", "a", "job_in_running_group", "connect"),
    Row("import", "b", "job_in_running_group", "connect"),
    Row("import", "left", "job_in_running_group", "connect"),
    Row("import", "f", "job_inactive", "connect"),
    Row("import", "g", None, "connect"),
    Row("import", "lone", "already_running", "connect"),
    Row("import", "well", None, "connect", "nothing_to_resume"),
    Row("import", "rough", "job_inactive", "connect"),
    Row("import", "removed", "not_found", "connect"),
]


def commands(row: Row, shown: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield each action that the row may have, with its command."""
    the_id = {"id": row.id}
    owner = {"owner": {"kind": row.kind, "id": row.id}}
    yield "run_now", "RunNow", owner
    if shown["open_run"]:
        yield "stop_run", "StopRun", {"run": shown["open_run"]["id"]}
    if shown["last_run"]:
        yield "resume_run", "ResumeRun", {"run": shown["last_run"]["id"]}
    if row.kind == "service":
        yield "configure", "ConfigureService", {**the_id, "handler": "pay"}
        yield "delete", "DeleteService", the_id
        yield "restore", "RestoreService", the_id
        return
    if row.kind == "flow":
        yield "edit", "EditFlow", {**flow(row.id), "name": "Approve"}
        yield "delete", "DeleteFlow", the_id
        yield "restore", "RestoreFlow", the_id
        return
    if row.kind in ("group", "import"):
        yield from connect_commands(row, shown)
        return
    yield "activate", "ActivateSchedule", the_id
    yield "inactivate", "InactivateSchedule", the_id
    yield "pause", "PauseOwner", owner
    yield "unpause", "UnpauseOwner", owner
    yield "describe", "DescribeSchedule", {**the_id, "description": "Each night"}
    yield "edit_cadence", "EditCadence", {**the_id, "cadence": {**DAILY, "start_time": "21:00"}}
    yield "edit_jobs", "EditScheduleJobs", {**the_id, "jobs": [{**JOBS[0], "seq": 7}]}
    yield "edit_policies", "EditSchedulePolicies", {**the_id, "policies": {"overlap": "queue_one"}}
    yield "edit_alerts", "EditScheduleAlerts", {**the_id, "alerts": {"late_after": "PT10M", "email": ["a@example.org"]}}
    yield "clear_override", "ClearCadenceOverride", the_id
    yield "delete", "DeleteSchedule", the_id
    yield "restore", "RestoreSchedule", the_id


def connect_commands(row: Row, shown: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield the same for groups and Connect jobs, besides running them."""
    the_id, kind = {"id": row.id}, "Group" if row.kind == "group" else "Job"
    owner = {"owner": {"kind": row.kind, "id": row.id}}
    copy = {**the_id, "new_id": "copied", "name": "Copied"}
    yield "activate", f"Activate{kind}", the_id
    yield "deactivate", f"Deactivate{kind}", the_id
    yield "pause", "PauseOwner", owner
    yield "unpause", "UnpauseOwner", owner
    if kind == "Group":
        jobs = [one["job"]["id"] for one in shown["jobs"]]
        content = {name: shown[name] for name in ("name", "notification")}
        mended = ["well" if one["reasons"] else one["job"]["id"] for one in shown["jobs"]]
        yield "save", "SaveGroup", {**the_id, **content, "jobs": mended, "description": "Each night"}
        yield "copy", "CopyGroup", copy
        yield "reorder", "ReorderGroup", {**the_id, "jobs": jobs[::-1]}
    else:
        content = {"kind": row.kind, "handler": "pay", "description": "Each night"}
        yield "save", "SaveJob", {**the_id, **content}
        yield "copy", "CopyJob", copy
        yield "set_schedule", "SetJobSchedule", {**the_id, "schedule": {"type": "daily", "at": "03:20"}}
    yield "set_expiration", "SetExpiration", {**owner, "expires_on": "2150-01-31"}
    yield "delete", f"Delete{kind}", the_id


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.workspace}-{row.kind}-{row.id}")
async def test_what_is_shown_as_allowed_is_accepted_and_the_rest_refused_with_its_code(
    pg: Rig, keys: Mapping[str, str], row: Row
) -> None:
    for caller, rights in CALLERS.items():
        shown = (await read(pg, row.path, key=keys[caller])).json
        tried = list(commands(row, shown))
        assert list(shown["actions"]) == [action for action, _, _ in tried], caller
        for action, name, body in tried:
            refused, told = await refusal(pg, row.workspace, name, body, rights), shown["actions"][action]
            expected = refused is None or {"allowed": False, "code": refused.code, "reason": refused.detail}
            assert told == expected, (caller, action)
        if caller == "everybody":
            assert told_code(shown["actions"]["run_now"]) == row.run_now
            assert told_code(shown["actions"].get("resume_run", True)) == row.resume_run


def told_code(told: Any) -> str | None:
    return None if told is True else str(told["code"])


RUNS = {"run_now", "stop_run", "resume_run", "pause", "unpause"}
DEFINES = {"activate", "deactivate", "save", "set_expiration", "delete"}


@pytest.mark.parametrize(
    ("role", "group", "job"),
    [
        ("data_director", RUNS | DEFINES | {"copy", "reorder"}, RUNS | DEFINES | {"set_schedule", "copy"}),
        ("operator", RUNS, RUNS),
        ("administrator", RUNS, RUNS),
        ("integration_author", set(), set()),
        ("flow_author", set(), set()),
        ("auditor", set(), set()),
        ("reader", set(), set()),
    ],
)
async def test_G85_a_role_has_the_actions_on_groups_and_jobs_that_the_table_gives_it(
    pg: Rig, keys: Mapping[str, str], role: str, group: set[str], job: set[str]
) -> None:
    assert await not_forbidden(pg, "/v1/connect/groups/going", keys[role]) == group - {"resume_run"}
    assert await not_forbidden(pg, "/v1/connect/jobs/well", keys[role]) == job - {"stop_run"}


@pytest.mark.parametrize(("role", "may"), [("data_director", True), ("operator", False), ("reader", False)])
async def test_each_tab_says_whether_groups_and_jobs_may_be_made(
    pg: Rig, keys: Mapping[str, str], role: str, may: bool
) -> None:
    for tab, made in (
        ("all-jobs", {"create_job": "SaveJob", "create_group": "CreateGroup"}),
        ("completed-jobs", {"create_group": "CreateGroup"}),
        ("group-jobs", {"create_group": "CreateGroup"}),
    ):
        actions = (await read(pg, f"/v1/connect/manage-connect/{tab}?limit=1", key=keys[role])).json["actions"]
        assert list(actions) == list(made)
        assert {told is True for told in actions.values()} == {may}
        bodies = {"SaveJob": {"id": "new", "kind": "import", "handler": "pay", "expires_on": "never"}}
        for name in made.values():
            body = bodies.get(name, {"id": "new", "name": "New"})
            assert (await refusal(pg, "connect", name, body, CALLERS[role]) is None) == may


async def test_G85_a_data_director_has_nothing_to_do_with_schedules_services_and_flows(
    pg: Rig, keys: Mapping[str, str]
) -> None:
    for path in ("schedules/failing", "services/free", "flows/approve"):
        assert await not_forbidden(pg, f"/v1/acme/{path}", keys["data_director"]) == set()


async def not_forbidden(rig: Rig, path: str, key: str) -> set[str]:
    """Return the actions of a row that its caller's role is for, whatever its state says."""
    actions = (await read(rig, path, key=key)).json["actions"]
    return {name for name, told in actions.items() if told_code(told) != "forbidden"}


async def test_every_action_is_tried_here() -> None:
    open_run = {"open_run": {"id": "r"}, "last_run": {"id": "l"}}

    assert [action for action, _, _ in commands(ROWS[0], open_run)] == list(SCHEDULE)
    assert [action for action, _, _ in commands(Row("service", "load"), open_run)] == list(SERVICE)
    assert [action for action, _, _ in commands(Row("flow", "approve"), open_run)] == list(FLOW)
    group = {**open_run, "jobs": [], "name": "g", "notification": {}}
    assert [action for action, _, _ in commands(Row("group", "g"), group)] == list(GROUP)
    assert [action for action, _, _ in commands(Row("import", "i"), open_run)] == list(CONNECT_JOB)


async def test_a_run_says_whether_it_can_be_stopped(pg: Rig) -> None:
    await send(pg, "acme", ("CreateSchedule", schedule("brief")), run("schedule", "brief", id="brief-1"))
    going = (await read(pg, "/v1/acme/runs/brief-1")).json
    await say(pg, "brief-1")
    await say(pg, "brief-1", ended=[ended(1)])
    over = (await read(pg, "/v1/acme/runs/brief-1")).json

    assert (going["actions"]["stop"], over["state"]) == (True, "succeeded")
    assert over["actions"]["stop"]["code"] == (await pg.command("StopRun", {"run": "brief-1"})).code == "run_ended"


@pytest.mark.parametrize(
    ("run_id", "workspace", "code"),
    [
        ("failing-1", "acme", None),
        ("broken-1", "acme", None),
        ("lends", "acme", "already_running"),
        ("well-1", "acme", "nothing_to_resume"),
        ("changed-1", "acme", "jobs_changed"),
        ("resumed-1", "acme", "already_resumed"),
        ("dropped-1", "acme", "not_found"),
        ("kept-1", "held", "held"),
    ],
)
async def test_a_run_says_whether_it_can_be_gone_on_with(
    pg: Rig, keys: Mapping[str, str], run_id: str, workspace: str, code: str | None
) -> None:
    for caller, rights in CALLERS.items():
        shown = (await read(pg, f"/v1/{workspace}/runs/{run_id}", key=keys[caller])).json
        refused, told = await refusal(pg, workspace, "ResumeRun", {"run": run_id}, rights), shown["actions"]["resume"]
        assert told == (refused is None or {"allowed": False, "code": refused.code, "reason": refused.detail}), caller
        if caller == "everybody":
            assert told_code(told) == code


async def test_the_page_and_the_lists_say_the_same_as_the_thing(pg: Rig) -> None:
    key = await pg.issue("operator")
    alone = (await read(pg, "/v1/acme/schedules/crowded", key=key)).json["actions"]
    page = (await read(pg, "/v1/acme/jobs-page", key=key)).json
    listed = (await read(pg, "/v1/acme/schedules", key=key)).json["items"]

    assert alone["run_now"]["code"] == "no_room"
    assert alone["edit_cadence"]["code"] == "forbidden"
    for rows in (page["schedules"]["workspace"]["items"], listed):
        (shown,) = [row for row in rows if row["id"] == "crowded"]
        assert shown["actions"] == alone
    job = (await read(pg, "/v1/acme/jobs/alone", key=key)).json
    assert job["actions"] == next(row for row in page["flows"]["items"] if row["id"] == "alone")["actions"]
    (lent,) = [row for row in page["services"]["items"] if row["id"] == "lent"]
    assert (lent["in_run"], lent["open_run"]) == ("lends", None)
    assert "run lends is open" in lent["actions"]["run_now"]["reason"]


async def test_the_state_is_the_past_ones_and_the_rights_are_todays(pg: Rig) -> None:
    before = (await pg.get("/v1/held/events?types=workspace.starts_held")).json["items"][0]["position"] - 1
    reader = await pg.issue("reader", workspaces=("held",))

    then = (await read(pg, f"/v1/held/schedules/kept?as_of={before}")).json
    now = (await read(pg, "/v1/held/schedules/kept")).json
    theirs = (await read(pg, f"/v1/held/schedules/kept?as_of={before}", key=reader)).json

    assert (then["actions"]["run_now"], now["actions"]["run_now"]["code"]) == (True, "held")
    assert theirs["actions"]["run_now"]["code"] == "forbidden"


async def test_R60_activity_says_what_set_it_and_a_run_how_far_it_is(pg: Rig) -> None:
    two = [{**JOBS[0], "seq": 5}, {"job": {"kind": "service", "id": "free"}, "seq": 9}]
    await send(pg, "acme", ("CreateSchedule", schedule("staged", jobs=two, active=False)))
    switched = await pg.command("ActivateSchedule", {"id": "staged"})
    await send(pg, "acme", run("schedule", "staged", id="stages"))
    await say(pg, "stages")
    await say(pg, "stages", progress=[{"row": 1, "attempt": 1, "fraction": 0.5}])
    first = (await read(pg, "/v1/acme/schedules/staged")).json
    await say(pg, "stages", ended=[ended(1)])
    second = (await read(pg, "/v1/acme/schedules/staged")).json

    activity = first["activity"]
    assert (activity["active"], activity["set_by"], activity["by"]) == (True, "local", "key:admin")
    assert activity["position"] == switched.json["position"]
    one, other = first["open_run"], second["open_run"]
    assert (one["id"], one["state"], one["stage"], one["of"], one["progress"]) == ("stages", "running", 1, 2, 0.25)
    assert (other["stage"], other["of"], other["progress"]) == (2, 2, 0.5)


async def read(rig: Rig, path: str, **more: Any) -> Answered:
    mark = "&" if "?" in path else "?"
    answered = await rig.get(f"{path}{mark}wait_for={rig.log.known_head.position}", **more)
    assert answered.status == 200, answered.body
    return answered
