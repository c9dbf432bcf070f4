"""Fields of a command from the command line."""

from typing import Any

import orjson
import pytest

from eventjobs.cli.do import BY_NAME, find_command, schema_of
from eventjobs.cli.do_fields import field_lines, parse_fields
from eventjobs.commands import PUBLIC
from eventjobs.errors import UsageWrong

OWN_OPTIONS = {"data", "dry_run", "if_match", "idempotency_key", "json", "help", "url", "key", "workspace", "data_dir"}


def fields(command: str, *tokens: str) -> dict[str, Any]:
    return parse_fields(tokens, schema_of(BY_NAME[command]))


def test_dots_lead_into_nested_fields() -> None:
    told = fields("RunNow", "--owner.kind", "schedule", "--owner.id=nightly")
    assert told == {"owner": {"kind": "schedule", "id": "nightly"}}


def test_numbers_are_numbers_and_flags_are_booleans() -> None:
    told = fields("CreateSchedule", "--cadence.every", "2", "--no-active", "--cadence.time-zone", "Europe/Berlin")
    assert told == {"cadence": {"every": 2, "time_zone": "Europe/Berlin"}, "active": False}


def test_a_text_that_looks_like_a_number_stays_a_text() -> None:
    assert fields("DescribeSchedule", "--id", "1", "--description", "007") == {"id": "1", "description": "007"}


def test_a_repeated_option_fills_a_list() -> None:
    assert fields("IssueKey", "--roles", "operator", "--roles", "reader")["roles"] == ["operator", "reader"]


def test_a_list_may_be_json() -> None:
    assert fields("IssueKey", "--roles", '["operator"]')["roles"] == ["operator"]


def test_rows_of_a_list_are_numbered() -> None:
    tokens = ("--jobs.0.job.id", "a", "--jobs.0.skip-wait", "--jobs.1.job.id", "b", "--jobs.1.seq", "7")
    assert fields("EditScheduleJobs", *tokens)["jobs"] == [
        {"job": {"id": "a"}, "skip_wait": True},
        {"job": {"id": "b"}, "seq": 7},
    ]


def test_groups_are_made_from_the_command_line() -> None:
    tokens = ("--id", "g", "--name", "G", "--jobs", "a", "--jobs", "b", "--schedule.type", "monthly", "--schedule.day")
    told = fields("CreateGroup", *tokens, "last", "--schedule.at", "03:15", "--expires-on", "never")
    schedule = {"type": "monthly", "day": "last", "at": "03:15"}
    assert told == {"id": "g", "name": "G", "jobs": ["a", "b"], "schedule": schedule, "expires_on": "never"}
    assert BY_NAME["CreateGroup"].command.model_validate_json(orjson.dumps(told))
    told = fields(
        "SaveGroup", "--id", "g", "--name", "G", "--jobs.0.job", "a", "--no-jobs.0.required", "--schedule.day", "5"
    )
    assert (told["jobs"], told["schedule"]) == ([{"job": "a", "required": False}], {"day": 5})


def test_a_row_too_far_is_wrong_usage() -> None:
    with pytest.raises(UsageWrong, match="next one is number 0"):
        fields("EditScheduleJobs", "--jobs.1.job.id", "b")


def test_free_configuration_takes_names_as_they_are() -> None:
    told = fields(
        "AddService", "--config.source", "a-b.csv", "--config.max-rows", "3", "--config.columns", '{"a":"date"}'
    )
    assert told["config"] == {"source": "a-b.csv", "max-rows": 3, "columns": {"a": "date"}}


def test_an_unknown_field_is_wrong_usage_and_names_the_nearest() -> None:
    with pytest.raises(UsageWrong, match="did you mean owner"):
        fields("RunNow", "--ownr.kind", "schedule")


@pytest.mark.parametrize(
    ("command", "tokens", "said"),
    [
        ("CreateSchedule", ("--cadence.every", "often"), "a whole number"),
        ("CreateSchedule", ("--cadence.every", "true"), "a whole number"),
        ("CreateSchedule", ("--active", "maybe"), "true or false"),
        ("RunNow", ("--owner", "nightly"), "JSON object"),
        ("RunNow", ("--id",), "needs a value"),
        ("RunNow", ("nightly",), "belongs to no field"),
    ],
)
def test_a_value_of_another_kind_is_wrong_usage(command: str, tokens: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageWrong, match=said):
        fields(command, *tokens)


@pytest.mark.parametrize("spec", PUBLIC, ids=lambda spec: spec.name)
def test_every_command_can_be_written_out_as_options(spec: Any) -> None:
    example = orjson.loads(orjson.dumps(dict(spec.example)))
    tokens = [part for name, value in example.items() for part in (f"--{name}", _text(value))]
    assert parse_fields(tokens, schema_of(spec)) == example


@pytest.mark.parametrize("spec", PUBLIC, ids=lambda spec: spec.name)
def test_no_field_has_the_name_of_an_option_of_do(spec: Any) -> None:
    assert OWN_OPTIONS.isdisjoint(spec.command.model_fields)


@pytest.mark.parametrize("spec", PUBLIC, ids=lambda spec: spec.name)
def test_the_help_names_every_field(spec: Any) -> None:
    named = {name.partition(".")[0] for name, _, _ in field_lines(schema_of(spec))}
    assert named == set(spec.command.model_fields)


@pytest.mark.parametrize("name", ["RunNow", "run-now", "run_now", "runnow"])
def test_a_command_is_found_in_any_spelling(name: str) -> None:
    assert find_command(name).name == "RunNow"


def test_an_unknown_command_is_wrong_usage_and_names_the_nearest() -> None:
    with pytest.raises(UsageWrong, match="did you mean RunNow"):
        find_command("RunNo")


def _text(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
