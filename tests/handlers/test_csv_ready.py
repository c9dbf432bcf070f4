"""No file is read while it is still being written."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from eventjobs.clock import SystemClock
from eventjobs.errors import JobFailed
from eventjobs.handlers.context import JobRef
from eventjobs.handlers.workbench import Workbench
from eventjobs.outbound.addresses import OutboundRules
from eventjobs.outbound.guarded import GuardedOutbound
from tests.handlers.conftest import REGISTRY, Attempt
from tests.handlers.test_csv_import import PEOPLE, counts
from tests.support.sftp import HOST_KEY, SftpHost, public

Connection = asyncpg.Connection
LOGIN = {"password": "secret://sftp.password", "host_key": public(HOST_KEY)}

pytestmark = pytest.mark.usefixtures("acme")


class Waits(SystemClock):
    """A clock on which sleeping takes no time, but something may happen meanwhile."""

    def __init__(self, meanwhile: Callable[[int], object]) -> None:
        self._meanwhile = meanwhile
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return super().monotonic() + sum(self.slept)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._meanwhile(len(self.slept))


@pytest.fixture
def bench(bench: Workbench) -> Workbench:
    return replace(bench, outbound=GuardedOutbound(OutboundRules.parse(["127.0.0.0/8"])))


@pytest.fixture
def perform(loading: Workbench, attempt: Callable[..., Attempt], request: pytest.FixtureRequest) -> Callable[..., Any]:
    async def run(clock: Waits, *, kind: str = "service", **config: Any) -> Any:
        made = attempt(loading, run=request.node.name, job=JobRef(kind, "load"))
        made.context = replace(made.context, clock=clock)
        return await made.perform("csv.import", {"source": "people.csv", "table": "people", **config})

    return run


def age(path: Path, seconds: float) -> None:
    """Let a file look as if it was written that long ago."""
    at = SystemClock().now().timestamp() - seconds
    os.utime(path, (at, at))


async def test_a_file_is_waited_for_until_it_is_left_alone(perform: Any, put: Any) -> None:
    path = put("people.csv", PEOPLE)

    def write(times: int) -> None:
        if times < 4:
            with path.open("a") as file:
                file.write(f"{times + 3},Di,2026-01-04\n")

    clock = Waits(write)
    result = await perform(clock, ready={"stable_for": "PT10S"})
    assert (clock.slept, result.counts) == ([10.0] * 4, counts(6, 6))


async def test_a_file_that_is_old_enough_is_not_waited_for(perform: Any, put: Any) -> None:
    age(put("people.csv", PEOPLE), 11)
    clock = Waits(lambda _: None)
    await perform(clock, ready={"stable_for": "PT10S"})
    assert clock.slept == []


async def test_a_file_that_is_written_to_all_the_time_fails_and_may_be_tried_again(perform: Any, put: Any) -> None:
    path = put("people.csv", PEOPLE)

    def write(_: int) -> None:
        with path.open("a") as file:
            file.write("7,Di,2026-01-04\n")

    clock = Waits(write)
    with pytest.raises(JobFailed, match="still being written") as failed:
        await perform(clock, ready={"stable_for": "PT10S", "wait": "PT1M"})
    assert failed.value.retryable
    assert sum(clock.slept) == pytest.approx(60, abs=10)


async def test_a_marker_beside_the_file_says_that_it_is_complete(perform: Any, put: Any) -> None:
    put("in/people.csv", PEOPLE)
    clock = Waits(lambda times: times == 3 and put("in/people.done", ""))
    result = await perform(clock, source="in/people.csv", ready={"marker": "people.done"})
    assert (len(clock.slept), result.counts) == (3, counts(3, 3))


async def test_a_marker_that_never_comes_fails_and_may_be_tried_again(perform: Any, put: Any) -> None:
    put("people.csv", PEOPLE)
    with pytest.raises(JobFailed, match=r"the marker people\.done is not there") as failed:
        await perform(Waits(lambda _: None), ready={"marker": "people.done", "wait": "PT3S"})
    assert failed.value.retryable


async def test_a_file_that_is_not_there_fails_at_once(perform: Any) -> None:
    clock = Waits(lambda _: None)
    with pytest.raises(JobFailed, match="is not there"):
        await perform(clock, ready={"stable_for": "PT10S"})
    assert clock.slept == []


async def test_a_file_of_a_server_is_looked_at_twice_since_its_clock_is_its_own(perform: Any, host: SftpHost) -> None:
    (host.root / "people.csv").write_text(PEOPLE)
    age(host.root / "people.csv", 3600)
    clock = Waits(lambda _: None)
    await perform(clock, source=host.url("/people.csv"), sftp=LOGIN, ready={"stable_for": "PT10S"})
    assert clock.slept == [10.0]


async def test_a_marker_on_a_server_lies_beside_the_file_there(perform: Any, host: SftpHost) -> None:
    (host.root / "in").mkdir()
    (host.root / "in/people.csv").write_text(PEOPLE)
    (host.root / "in/people.count").write_text("3 records")
    clock = Waits(lambda _: (host.root / "in/people.done").touch())
    config = {"source": host.url("/in/people.csv"), "sftp": LOGIN, "count_file": "people.count"}
    assert (await perform(clock, **config, ready={"marker": "people.done"})).counts == counts(3, 3)


@pytest.mark.parametrize(("kind", "slept"), [("service", []), ("import", [2.0])])
async def test_an_import_is_careful_and_a_service_only_if_told(
    perform: Any, put: Any, kind: str, slept: list[float]
) -> None:
    put("people.csv", PEOPLE)
    clock = Waits(lambda _: None)
    await perform(clock, kind=kind)
    assert clock.slept == slept


@pytest.mark.parametrize(
    "ready",
    [
        {},
        {"marker": "a.done", "stable_for": "PT1S"},
        {"marker": "../a.done"},
        {"marker": "/a.done"},
        {"stable_for": "PT0S"},
        {"stable_for": str(timedelta(days=2))},
    ],
)
def test_a_definition_says_one_way_to_be_ready(ready: Any) -> None:
    assert REGISTRY.problems("csv.import", {"source": "a.csv", "table": "a", "ready": ready})


def test_an_answer_to_a_url_is_complete() -> None:
    config = {"source": "https://example.org/a.csv", "table": "a", "ready": {"stable_for": "PT1S"}}
    assert REGISTRY.problems("csv.import", config)
