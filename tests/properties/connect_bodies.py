"""Bodies of the commands about groups and Connect jobs, and what must hold of both after each command."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from eventjobs.domain.slot_owner import SlotOwner
from tests.support.story import Story, command

GROUPS = ("lists", "feeds")
JOBS = ("contacts", "extension", "orders")
Draw = Callable[[st.SearchStrategy[Any]], Any]

SLOTS: list[dict[str, Any]] = [
    {"type": "on_demand"},
    {"type": "daily", "at": "12:20", "time_zone": "UTC"},
    {"type": "daily", "hour": 2, "slot": "30-44", "time_zone": "Europe/Berlin"},
    {"type": "hourly", "every": 5, "slot": "00-14"},
    {"type": "weekly", "days": ["tue", "wed"], "at": "12:05", "time_zone": "America/Chicago"},
    {"type": "monthly", "day": "last", "at": "23:50"},
    {"type": "once", "date": "2026-12-02", "at": "08:00"},
]
LAST_DAYS = ["2026-12-02", "2026-12-05", "2027-02-01", "never"]


def group_id(draw: Draw) -> str:
    return str(draw(st.sampled_from([*GROUPS, *GROUPS, "unknown"])))


def job_id(draw: Draw) -> str:
    return str(draw(st.sampled_from([*JOBS, *JOBS, "unknown"])))


def slot_owner(draw: Draw) -> dict[str, str]:
    if draw(st.booleans()):
        return {"kind": "group", "id": group_id(draw)}
    return {"kind": "import", "id": job_id(draw)}


def called(draw: Draw) -> dict[str, str]:
    """Name one that is there, as the ticker does: a Connect job by the kind of its stream."""
    if draw(st.booleans()):
        return {"kind": "group", "id": group_id(draw)}
    return {"kind": "job", "id": str(draw(st.sampled_from(JOBS)))}


def group_definition(draw: Draw) -> dict[str, Any]:
    return {
        "name": draw(st.sampled_from(["Lists", "Feeds", "lists"])),
        "jobs": draw(st.lists(st.sampled_from(JOBS), max_size=3, unique=True)),
        "schedule": draw(st.sampled_from(SLOTS)),
        "policies": {"overlap": draw(st.sampled_from(["skip", "queue_one", "queue_all", "cancel_running"]))},
        "on_expiry": draw(st.sampled_from(["delete", "deactivate"])),
        "expires_on": draw(st.sampled_from(LAST_DAYS)),
    }


def job_definition(draw: Draw, schedules: list[dict[str, Any]] = SLOTS) -> dict[str, Any]:
    return {
        "kind": "import",
        "handler": draw(st.sampled_from(["csv.import", "noop"])),
        "config": draw(st.sampled_from([{}, {"a": 1}])),
        "schedule": draw(st.sampled_from([{"type": "on_demand"}, draw(st.sampled_from(schedules))])),
        "on_expiry": draw(st.sampled_from(["delete", "deactivate"])),
        "expires_on": draw(st.sampled_from(["never", "never", *LAST_DAYS])),
    }


def copied(draw: Draw, name: Callable[[Draw], str]) -> dict[str, Any]:
    return {
        "id": name(draw),
        "new_id": draw(st.sampled_from(["copied", name(draw)])),
        "name": draw(st.sampled_from([None, "Copied"])),
        "expires_on": draw(st.sampled_from(LAST_DAYS)),
    }


CONNECT_BUILDERS: dict[str, Callable[[Draw, Story], dict[str, Any]]] = {
    "ActivateGroup": lambda draw, _: {
        "id": group_id(draw),
        **draw(st.sampled_from([{}, {}, group_definition(draw)])),
    },
    "ActivateJob": lambda draw, _: {"id": job_id(draw)},
    "CopyGroup": lambda draw, _: copied(draw, group_id),
    "CopyJob": lambda draw, _: copied(draw, job_id),
    "CreateGroup": lambda draw, _: {"id": group_id(draw), **group_definition(draw)},
    "DeactivateGroup": lambda draw, _: {"id": group_id(draw)},
    "DeactivateJob": lambda draw, _: {"id": job_id(draw), "force": draw(st.booleans())},
    "DeleteGroup": lambda draw, _: {"id": group_id(draw)},
    "DeleteJob": lambda draw, _: {"id": job_id(draw), "force": draw(st.booleans())},
    "ReorderGroup": lambda draw, _: {
        "id": group_id(draw),
        "jobs": draw(st.permutations(JOBS))[: draw(st.integers(2, 3))],
    },
    "SaveGroup": lambda draw, _: {"id": group_id(draw), **group_definition(draw)},
    "SaveJob": lambda draw, _: {"id": job_id(draw), **job_definition(draw)},
    "SetExpiration": lambda draw, _: {
        "owner": slot_owner(draw),
        "expires_on": draw(st.sampled_from(LAST_DAYS)),
        "members": draw(st.booleans()),
    },
    "SetJobSchedule": lambda draw, _: {
        "id": job_id(draw),
        "schedule": draw(st.sampled_from(SLOTS)),
        "force": draw(st.booleans()),
    },
}


def furnish(draw: Draw, story: Story) -> None:
    """Give a story three imports, active and on demand, and two groups, which are active if they may be."""
    for name in JOBS:
        definition = {**job_definition(draw, SLOTS[:1]), "expires_on": draw(st.sampled_from(["never", "2027-02-01"]))}
        story.given(command("SaveJob", id=name, **definition), command("ActivateJob", id=name))
    for name, jobs in zip(GROUPS, (JOBS[:2], JOBS[2:]), strict=True):
        definition = {**group_definition(draw), "name": name.capitalize(), "jobs": jobs, "expires_on": "2027-02-01"}
        story.given(command("CreateGroup", id=name, **definition))
        _ = story.when(command("ActivateGroup", id=name))


def check(story: Story) -> None:
    """What holds of groups and jobs whatever was done: G3, G6, and that nothing starts once it is over."""
    jobs = {name: story.job(name) for name in JOBS}
    for name in GROUPS:
        group = story.group(name)
        _check_owner(story, group)
        assert len(group.open_runs) <= 1
        for member in group.members:
            assert (jobs[member.job.id].group == name) is group.alive, "a job and its group disagree"
    for name, job in jobs.items():
        _check_owner(story, job.own)
        assert job.group is None or name in [member.job.id for member in story.group(job.group).members]
        assert job.holder is None or story.run(job.holder.run).open, "a run that is over has the job"


def _check_owner(story: Story, owner: SlotOwner) -> None:
    assert all(story.run(run).open for run in owner.open_runs)
    assert owner.next is None or (owner.active and owner.alive)
    assert owner.active or not owner.waiting
    assert not (owner.expired and owner.active)
    last = owner.timing.last_answered
    assert owner.next is None or last is None or owner.next.due > last, "an instant became due again"
    assert owner.next is None or owner.expires_at is None or owner.next.due < owner.expires_at
