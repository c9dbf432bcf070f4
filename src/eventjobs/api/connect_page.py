"""Reads of the Manage Connect page: its three tabs, groups, and who may be in one."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from eventjobs.api.acting import Action, Around, with_actions
from eventjobs.api.actions import COMPLETED, CONNECT_JOB, GROUP
from eventjobs.api.connect_actions import ALL_JOBS_TAB, TAB
from eventjobs.api.moment import ListQuery
from eventjobs.api.owners import seen
from eventjobs.api.ports import Document
from eventjobs.api.reads import Instant, Search, on_items, read_list
from eventjobs.api.registry import Call
from eventjobs.ids import ID_PATTERN

Id = Annotated[str, Field(pattern=ID_PATTERN)]
Kind = Literal["import", "export", "partner", "feed"]


class TabQuery(ListQuery):
    """Which groups or jobs: `expiring` finds those whose last day is at most seven days ahead."""

    q: Search | None = None
    state: Literal["draft", "active", "inactive"] | None = None
    schedule_type: Literal["on_demand", "once", "daily", "weekly", "monthly", "hourly"] | None = None
    running: bool | None = None
    expiring: bool | None = None
    order: Literal["name", "next_run"] = "name"


class GroupJobsQuery(TabQuery):
    """Which groups; the `invalid` ones are active and would not be activated as they are."""

    invalid: bool | None = None


class AllJobsQuery(TabQuery):
    """Which jobs; `grouped` ones are in a group, `group` says in which."""

    kind: Kind | None = None
    grouped: bool | None = None
    group: Id | None = None


class CompletedJobsQuery(ListQuery):
    """Which job runs, by their end: `since` is included, `until` is not; without `since` those of seven days."""

    state: Literal["succeeded", "failed", "aborted"] | None = None
    job: Id | None = None
    group: Id | None = None
    trigger: Literal["scheduled", "catch_up", "manual"] | None = None
    since: Instant | None = None
    until: Instant | None = None


class CandidatesQuery(ListQuery):
    """Candidates for which group, `null` for a new one."""

    group: Id | None = None
    q: Search | None = None
    kind: Kind | None = None
    qualified: bool | None = None


async def group_jobs(call: Call) -> web.StreamResponse:
    """Answer with the tab of groups."""
    read = partial(call.deps.views.group_jobs, call.workspace)
    return await read_list(call, read, partial(_on_tab, TAB, partial(on_items, GROUP)), more=seen)


async def all_jobs(call: Call) -> web.StreamResponse:
    """Answer with the tab of all Connect jobs."""
    read = partial(call.deps.views.all_jobs, call.workspace)
    return await read_list(call, read, partial(_on_tab, ALL_JOBS_TAB, partial(on_items, CONNECT_JOB)), more=seen)


async def completed_jobs(call: Call) -> web.StreamResponse:
    """Answer with the tab of job runs that are over, each with whether its job may run again."""
    read = partial(call.deps.views.completed_jobs, call.workspace)
    return await read_list(call, read, partial(_on_tab, TAB, _run_again), more=seen)


async def group_candidates(call: Call) -> web.StreamResponse:
    """Answer with every Connect job, whether it may be in the group, and why not."""
    return await read_list(call, partial(call.deps.views.group_candidates, call.workspace), more=seen)


def _on_tab(
    actions: Mapping[str, Action], on_rows: Callable[[Document, Around], Document], document: Document, around: Around
) -> Document:
    """Say what may be done on a tab as a whole, besides what may be with its rows."""
    return with_actions([on_rows(document, around)], actions, around)[0]


def _run_again(document: Document, around: Around) -> Document:
    jobs = with_actions([item.pop("of") for item in document["items"]], COMPLETED, around)
    items = [{**item, "actions": job["actions"]} for item, job in zip(document["items"], jobs, strict=True)]
    return {**document, "items": items}
