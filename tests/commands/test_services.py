"""Services are added, configured and deleted (R87)."""

from typing import Any

import pytest
from pydantic import ValidationError

from eventjobs.commands.spec import CommandFields
from eventjobs.events.schedule import ScheduleCreated, ScheduleJobsEdited
from eventjobs.events.service import (
    AttemptPolicy,
    Backoff,
    ServiceAdded,
    ServiceAttached,
    ServiceConfigured,
    ServiceDeleted,
    ServiceDetached,
)
from tests.support.bodies import row, schedule, service, workspace
from tests.support.story import Fact, Story, command


def configure(**fields: Any) -> CommandFields:
    return command("ConfigureService", **{"id": "load", "handler": "noop", **fields})


def delete(service_id: str = "load") -> CommandFields:
    return command("DeleteService", id=service_id)


def test_R87_a_service_is_added_with_what_it_does_and_how_it_may_try() -> None:
    body = service(
        name="Load contacts",
        handler="csv.import",
        config={"source": "contacts.csv"},
        attempts=3,
        timeout="PT1H",
        wait_timeout="PT5M",
        backoff={"initial": "PT1S", "factor": 3.0, "max": "PT1M", "jitter": 0.0},
        non_retryable=["boom"],
    )
    Story().given(workspace()).when(body).then(
        (
            "service:load",
            ServiceAdded(
                name="Load contacts",
                handler="csv.import",
                config={"source": "contacts.csv"},
                policy=AttemptPolicy(
                    delivery="at_least_once",
                    attempts=3,
                    backoff=Backoff(initial_s=1.0, factor=3.0, max_s=60.0, jitter=0.0),
                    timeout_s=3600.0,
                    wait_timeout_s=300.0,
                    non_retryable=("boom",),
                    interruption_counts=False,
                ),
            ),
        )
    )


@pytest.mark.parametrize(
    ("handler", "given", "expected"),
    [
        ("noop", None, "at_least_once"),
        ("pay", None, "at_most_once"),
        ("pay", "at_least_once", "at_least_once"),
        ("csv.import", "at_most_once", "at_most_once"),
    ],
)
def test_the_delivery_is_the_handlers_unless_it_is_given(handler: str, given: str | None, expected: str) -> None:
    story = Story().given(workspace(), service(handler=handler, delivery=given))
    assert story.service().policy.delivery == expected


def test_a_service_without_an_id_gets_the_commands() -> None:
    outcome = Story().given(workspace()).when(command("AddService", handler="noop"), command_id="0192")
    outcome.then(("service:0192", Fact(ServiceAdded, name="0192")))


def test_a_service_needs_its_workspace() -> None:
    Story().when(service()).then_refused("not_found")


def test_the_same_service_again_decides_nothing() -> None:
    Story().given(workspace(), service()).when(service()).then_nothing()


def test_the_same_id_with_other_content_is_taken() -> None:
    Story().given(workspace(), service()).when(service(attempts=2)).then_refused("id_taken")


def test_the_id_of_a_deleted_service_stays_taken() -> None:
    Story().given(workspace(), service(), delete()).when(service()).then_refused("id_taken")


def test_an_unknown_handler_is_refused_with_those_that_there_are() -> None:
    outcome = Story().given(workspace()).when(service(handler="cobol"))
    outcome.then_refused("unknown_handler", "handler")
    assert outcome.refusal is not None
    assert "csv.import, http, noop, pay" in outcome.refusal.detail


@pytest.mark.parametrize("body", [service, configure])
def test_a_configuration_that_the_handler_refuses_is_refused(body: Any) -> None:
    story = Story().given(workspace(), service("load"))
    body = body(config={"bad": 1})
    story.when(body).then_refused("extra_forbidden", "config.bad")


@pytest.mark.parametrize(
    "wrong",
    [
        {"attempts": 0},
        {"attempts": 101},
        {"timeout": "PT0S"},
        {"timeout": "P367D"},
        {"delivery": "exactly_once"},
        {"backoff": {"factor": 0.5}},
        {"name": ""},
        {"name": "a\u202eb"},
        {"handler": ""},
    ],
)
def test_wrong_fields_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        service(**wrong)


def test_a_service_is_configured_as_a_whole() -> None:
    story = Story().given(workspace(), service(attempts=5, config={"a": 1}))
    story.when(configure(name="Other")).then(
        (
            "service:load",
            Fact(ServiceConfigured, name="Other", config={}, policy=AttemptPolicy(delivery="at_least_once")),
        )
    )
    assert story.service().definition_version == 2


def test_the_same_configuration_again_decides_nothing() -> None:
    Story().given(workspace(), service()).when(configure()).then_nothing()


def test_an_unknown_or_deleted_service_cannot_be_configured() -> None:
    story = Story().given(workspace(), service(), delete())
    story.when(configure()).then_refused("not_found")
    story.when(configure(id="other")).then_refused("not_found")


def test_R87_a_service_that_nothing_uses_is_deleted_once() -> None:
    story = Story().given(workspace(), service())
    story.when(delete()).then(("service:load", ServiceDeleted()))
    story.when(delete()).then_nothing()
    story.when(delete("other")).then_refused("not_found")


def test_R87_a_service_that_schedules_use_is_not_deleted() -> None:
    story = Story().given(workspace(), service(), schedule("b"), schedule("a"))
    users = [{"kind": "schedule", "id": "a"}, {"kind": "schedule", "id": "b"}]
    story.when(delete()).then_refused("in_use", users=users)


def test_a_service_knows_the_schedules_that_use_it() -> None:
    story = Story().given(workspace(), service("load"), service("clean"))
    story.when(schedule(jobs=[row("load", seq=1), row("clean", seq=2), row("load", seq=3)])).then(
        Fact(ScheduleCreated),
        ("service:clean", ServiceAttached(schedule="nightly")),
        ("service:load", ServiceAttached(schedule="nightly")),
    )
    swapped = command("EditScheduleJobs", id="nightly", jobs=[row("clean")])
    outcome = story.when(swapped)
    outcome.then(Fact(ScheduleJobsEdited), ("service:load", ServiceDetached(schedule="nightly")))
    story.when(delete("load")).then(ServiceDeleted())
    story.given(command("DeleteSchedule", id="nightly")).when(delete("clean")).then(ServiceDeleted())


def test_R85_a_service_has_its_connector_module_and_type() -> None:
    story = Story().given(workspace(), service(type="Vista/Jobs/Cache writer"))
    assert story.service().type == "Vista/Jobs/Cache writer"
    story.when(service(type="Vista/Jobs/Cache writer")).then_nothing()
    story.when(service()).then_refused("id_taken")
    story.when(configure(type="Vista/Jobs/Cache reader")).then(Fact(ServiceConfigured, type="Vista/Jobs/Cache reader"))


@pytest.mark.parametrize("wrong", ["Vista", "Vista/Jobs", "Vista/Jobs/a/b", "/Jobs/a", "Vista//a"])
def test_R85_a_type_has_three_parts(wrong: str) -> None:
    with pytest.raises(ValidationError):
        service(type=wrong)
