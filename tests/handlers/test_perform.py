from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from eventjobs.errors import Invalid, JobFailed
from eventjobs.handlers.context import HandlerContext, Result
from eventjobs.handlers.perform import perform
from eventjobs.handlers.registry import Handler, Registry
from eventjobs.handlers.workbench import Workbench
from tests.handlers.conftest import Attempt


class Config(BaseModel):
    text: str = ""
    number: int = 0


def handler(run: Any) -> Handler[Config]:
    return Handler(name="mine", summary="", config=Config, run=run)


@pytest.fixture
def do(bench: Workbench, attempt: Callable[..., Attempt]) -> Callable[..., Any]:
    made = attempt(bench)

    async def run(function: Any, **config: Any) -> Any:
        return await perform(handler(function), config, made.context, bench.secrets)

    run.made = made  # type: ignore[attr-defined]
    return run


async def test_the_output_may_be_any_json_of_64_kib(do: Any) -> None:
    async def fits(*_: object) -> Result:
        return Result(output="x" * (64 * 1024 - 2))

    async def too_large(*_: object) -> Result:
        return Result(output="x" * (64 * 1024 - 1), counts={"processed": 1})

    assert len((await do(fits)).output) == 65_534
    with pytest.raises(JobFailed, match="65537 bytes of JSON, more than 65536") as failed:
        await do(too_large)
    assert (failed.value.retryable, failed.value.counts) == (False, {"processed": 1})


@pytest.mark.parametrize("output", [object(), {1: 2}, 2**70, {"a": {1, 2}}])
async def test_an_output_that_is_no_json_fails(do: Any, output: object) -> None:
    async def run(*_: object) -> Result:
        return Result(output=output)

    with pytest.raises(JobFailed, match="not JSON"):
        await do(run)


async def test_texts_that_the_log_refuses_are_made_storable(do: Any) -> None:
    async def run(context: HandlerContext, _: Config) -> Result:
        context.log("info", "a\0b")
        await context.progress(2.0, "c\0d")
        return Result(output={"k\0": ["v\0", "\ud800", 1]})

    assert (await do(run)).output == {"k\ufffd": ["v\ufffd", "?", 1]}
    assert do.made.log == ["a\ufffdb"]
    assert (do.made.progress[0].fraction, do.made.progress[0].text) == (1.0, "c\ufffdd")


async def test_whatever_is_raised_is_a_failure_that_may_be_tried_again(do: Any) -> None:
    async def run(*_: object) -> Result:
        raise ValueError("odd")

    with pytest.raises(JobFailed, match=r"^ValueError: odd$") as failed:
        await do(run)
    assert (failed.value.reason, failed.value.retryable) == ("error", True)


async def test_what_a_handler_knows_about_its_failure_is_kept(do: Any) -> None:
    async def run(*_: object) -> Result:
        raise JobFailed("planned", reason="stop_step", counts={"n": 1}, output={"o": 1}, retryable=False)

    with pytest.raises(JobFailed) as failed:
        await do(run)
    error = failed.value
    assert (error.detail, error.reason, error.counts, error.output, error.retryable) == (
        "planned",
        "stop_step",
        {"n": 1},
        {"o": 1},
        False,
    )


async def test_secrets_are_blanked_in_all_that_comes_out(do: Any, tmp_path: Path) -> None:
    (tmp_path / "secrets/acme").mkdir(parents=True)
    (tmp_path / "secrets/acme/key").write_text("c4nary")

    async def run(context: HandlerContext, config: Config) -> Result:
        context.log("info", f"say {config.text}", field=config.text)
        await context.progress(None, config.text)
        return Result(output=[config.text], details={"d": config.text})

    async def fail(_: object, config: Config) -> Result:
        raise RuntimeError(config.text)

    result = await do(run, text="secret://key")
    assert (result.output, result.details) == (["***"], {"d": "***"})
    assert (do.made.lines[0].text, do.made.lines[0].fields) == ("say ***", {"field": "***"})
    assert do.made.progress[0].text == "***"
    with pytest.raises(JobFailed, match=r"RuntimeError: \*\*\*$") as failed:
        await do(fail, text="secret://key")
    assert failed.value.__cause__ is None
    assert failed.value.__suppress_context__


async def test_a_configuration_that_is_not_valid_any_more_fails_without_showing_it(do: Any) -> None:
    async def run(*_: object) -> Result:
        raise AssertionError

    with pytest.raises(JobFailed, match=r"config\.number") as failed:
        await do(run, number="c4nary")
    assert "c4nary" not in failed.value.detail
    assert not failed.value.retryable


async def test_something_other_than_a_result_fails(do: Any) -> None:
    async def run(*_: object) -> Any:
        return {"output": 1}

    with pytest.raises(JobFailed, match="returned dict instead of a Result"):
        await do(run)


def test_the_shipped_handlers_are_found_by_their_entry_points() -> None:
    registry = Registry.load()
    assert set(registry.names()) >= {"command", "csv.import", "http", "python", "sleep"}
    for name in registry.names():
        assert registry.get(name).name == name
        assert registry.schema(name)["type"] == "object"


def test_only_what_leaves_nothing_behind_runs_again_by_default() -> None:
    registry = Registry.load()
    assert {name: registry.get(name).delivery for name in registry.names()} == {
        "command": "at_most_once",
        "csv.export": "at_least_once",
        "csv.import": "at_least_once",
        "http": "at_most_once",
        "python": "at_most_once",
        "sleep": "at_least_once",
    }
    spared = [name for name in registry.names() if not registry.get(name).interruption_counts]
    assert spared == ["csv.export", "csv.import"]


def test_an_unknown_handler_is_a_field_error() -> None:
    registry = Registry.load()
    with pytest.raises(Invalid, match="no handler is called nope"):
        registry.get("nope")
    (problem,) = registry.problems("nope", {})
    assert (problem.path, problem.code) == ("handler", "unknown_handler")


def test_problems_name_every_wrong_field_and_no_value() -> None:
    found = Registry.load().problems("csv.import", {"source": "a.csv", "table": "C4nary", "mode": "c4nary"})
    assert {problem.path for problem in found} == {"config.table", "config.mode"}
    assert all("anary" not in problem.detail for problem in found)
