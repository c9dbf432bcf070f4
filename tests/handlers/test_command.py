import asyncio
import os
import signal
import stat
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eventjobs.errors import JobFailed
from eventjobs.handlers.ports import CommandRules
from eventjobs.handlers.workbench import Workbench
from tests.handlers.conftest import REGISTRY, Attempt

DEADLINE_S = 15.0


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], str]:
    """Make a program out of Python lines."""

    def make(lines: str) -> str:
        path = tmp_path / "program"
        path.write_text(f"#!{sys.executable} -I\nimport json, os, signal, subprocess, sys, time\n{lines}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    return make


@pytest.fixture
def start(bench: Workbench, attempt: Callable[..., Attempt]) -> Callable[..., Attempt]:
    def make(*programs: str, grace_s: float = 0.2, environment: dict[str, str] | None = None) -> Attempt:
        rules = CommandRules(programs=programs, grace_s=grace_s, environment=environment)
        return attempt(replace(bench, commands=rules), job_input={"in": 1}, outputs={1: {"out": 2}})

    return make


async def until_gone(pid: int) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while Path(f"/proc/{pid}").exists() and "State:\tZ" not in Path(f"/proc/{pid}/status").read_text():
            await asyncio.sleep(0.01)


async def until_written(path: Path) -> str:
    async with asyncio.timeout(DEADLINE_S):
        while not path.exists() or not path.read_text().endswith("\n"):
            await asyncio.sleep(0.01)
    return path.read_text()


async def test_the_program_gets_the_job_on_stdin_and_speaks_in_json_lines(program: Any, start: Any) -> None:
    path = program(
        """
job = json.load(sys.stdin)
print(json.dumps({"progress": 0.5, "text": "half"}))
print("plain words")
print(json.dumps({"counts": {"processed": 3, "no": "number"}}))
print(json.dumps({"unknown": "is a line"}))
print("to stderr", file=sys.stderr)
print(json.dumps({"output": {"job": job, "args": sys.argv[1:]}}))
"""
    )
    made = start(path)
    result = await made.perform("command", {"program": path, "args": ["a b", "$HOME", ";"], "params": {"p": [1]}})
    assert result.counts == {"processed": 3}
    job = result.output["job"]
    assert (job["run"], job["row"], job["job"], job["attempt"], job["term"]) == (
        "run-1",
        1,
        {"kind": "service", "id": "load"},
        1,
        1,
    )
    assert (job["input"], job["outputs"], job["params"]) == ({"in": 1}, {"1": {"out": 2}}, {"p": [1]})
    assert job["idempotency_key"] == made.context.idempotency_key
    assert result.output["args"] == ["a b", "$HOME", ";"]
    assert [(said.fraction, said.text) for said in made.progress] == [(0.5, "half")]
    assert sorted((line.level, line.text) for line in made.lines) == [
        ("info", "plain words"),
        ("info", '{"unknown": "is a line"}'),
        ("warning", "to stderr"),
    ]


async def test_a_program_that_is_not_on_the_list_does_not_run(program: Any, start: Any, tmp_path: Path) -> None:
    path = program(f"open({str(tmp_path / 'ran')!r}, 'w')")
    for allowed in ([], [path + "x"], ["program"]):
        with pytest.raises(JobFailed, match="not on the list EVENTJOBS_COMMANDS") as failed:
            await start(*allowed).perform("command", {"program": path})
        assert not failed.value.retryable
    with pytest.raises(JobFailed, match="not on the list"):
        await start(path).perform("command", {"program": f"{path} --flag"})
    assert not (tmp_path / "ran").exists()


def test_a_program_that_is_not_on_the_list_is_refused_when_the_job_is_defined() -> None:
    registry = replace(REGISTRY, rules={"commands": ("/bin/sh",)})

    assert registry.problems("command", {"program": "/bin/sh"}) == ()
    (problem,) = registry.problems("command", {"program": "/bin/bash"})
    assert problem.detail.startswith("the program '/bin/bash' is not on the list")
    assert problem.path == "config.program"
    assert "EVENTJOBS_COMMANDS" in problem.detail


async def test_a_bare_name_is_looked_up_on_the_path(start: Any) -> None:
    result = await start("true", environment={"PATH": "/usr/bin:/bin"}).perform("command", {"program": "true"})
    assert result.details == {"exit_code": 0}
    with pytest.raises(JobFailed, match="not installed"):
        await start("true", environment={"PATH": "/nowhere"}).perform("command", {"program": "true"})


@pytest.mark.parametrize(("code", "success", "fails"), [(3, [0], True), (3, [0, 3], False), (0, [3], True)])
async def test_the_exit_code_says_how_it_ended(
    program: Any, start: Any, code: int, success: list[int], fails: bool
) -> None:
    path = program(f"print(json.dumps({{'output': 'kept', 'counts': {{'n': 1}}}})); sys.exit({code})")
    config = {"program": path, "success": success}
    if not fails:
        assert (await start(path).perform("command", config)).details == {"exit_code": code}
        return
    with pytest.raises(JobFailed, match=f"ended with exit code {code}") as failed:
        await start(path).perform("command", config)
    assert (failed.value.output, failed.value.counts) == ("kept", {"n": 1})


async def test_a_program_that_a_signal_ended_failed(program: Any, start: Any) -> None:
    path = program("os.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(JobFailed, match="ended by signal 11"):
        await start(path).perform("command", {"program": path})


async def test_the_service_s_environment_stays_with_it(
    program: Any, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENTJOBS_DATABASE_URL", "postgresql://owner:secret@db/x")
    path = program("print(json.dumps({'output': dict(os.environ)}))")
    result = await start(path).perform("command", {"program": path, "env": {"JOB_REGION": "eu"}})
    assert result.output["JOB_REGION"] == "eu"
    assert set(result.output) <= {"PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "JOB_REGION", "LC_CTYPE"}


@pytest.mark.parametrize("name", ["LD_PRELOAD", "PATH", "BASH_ENV", "PYTHONPATH", "JOB_x", "JOB_", "job_x", "JOB_A=B"])
def test_a_job_sets_only_variables_of_its_own(name: str) -> None:
    assert REGISTRY.problems("command", {"program": "x", "env": {name: "1"}})


async def test_an_endless_stream_of_lines_is_cut_and_read_on(program: Any, start: Any) -> None:
    path = program("for n in range(40000): print('x' * 99)\nprint('y' * 1_000_000)\nprint('{\"output\": \"end\"}')")
    made = start(path)
    result = await made.perform("command", {"program": path})
    assert result.output == "end"
    assert sum(len(line) for line in made.log) < 1_100_000
    assert "more lines were not kept" in made.log[-1]


async def test_a_cancelled_program_is_asked_to_end_with_all_its_children(
    program: Any, start: Any, tmp_path: Path
) -> None:
    path = program(
        f"""
child = subprocess.Popen(["sleep", "600"])
signal.signal(signal.SIGTERM, lambda *_: (open({str(tmp_path / "asked")!r}, "w").write("yes\\n"), sys.exit(0)))
open({str(tmp_path / "pids")!r}, "w").write(f"{{os.getpid()}} {{child.pid}}\\n")
time.sleep(600)
"""
    )
    running = asyncio.create_task(start(path, grace_s=10).perform("command", {"program": path}))
    pids = [int(pid) for pid in (await until_written(tmp_path / "pids")).split()]
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (tmp_path / "asked").exists()
    for pid in pids:
        await until_gone(pid)


async def test_a_program_that_does_not_listen_is_killed_after_the_grace(
    program: Any, start: Any, tmp_path: Path
) -> None:
    path = program(
        f"""
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open({str(tmp_path / "pid")!r}, "w").write(f"{{os.getpid()}}\\n")
time.sleep(600)
"""
    )
    running = asyncio.create_task(start(path, grace_s=0.1).perform("command", {"program": path}))
    pid = int(await until_written(tmp_path / "pid"))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await until_gone(pid)


async def test_a_second_cancellation_kills_at_once(program: Any, start: Any, tmp_path: Path) -> None:
    path = program(
        f"""
signal.signal(signal.SIGTERM, lambda *_: open({str(tmp_path / "asked")!r}, "w").write("yes\\n"))
open({str(tmp_path / "pid")!r}, "w").write(f"{{os.getpid()}}\\n")
while True: time.sleep(1)
"""
    )
    running = asyncio.create_task(start(path, grace_s=600).perform("command", {"program": path}))
    pid = int(await until_written(tmp_path / "pid"))
    running.cancel()
    await until_written(tmp_path / "asked")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await until_gone(pid)


async def test_a_process_that_the_program_leaves_behind_is_ended(program: Any, start: Any, tmp_path: Path) -> None:
    path = program(
        f"""
child = subprocess.Popen(["sleep", "600"])
open({str(tmp_path / "pid")!r}, "w").write(f"{{child.pid}}\\n")
"""
    )
    await start(path).perform("command", {"program": path})
    await until_gone(int((tmp_path / "pid").read_text()))


async def test_a_process_that_left_the_group_does_not_hold_the_job(program: Any, start: Any, tmp_path: Path) -> None:
    path = program(
        f"""
child = subprocess.Popen(["sleep", "600"], start_new_session=True)
open({str(tmp_path / "pid")!r}, "w").write(f"{{child.pid}}\\n")
"""
    )
    try:
        async with asyncio.timeout(DEADLINE_S):
            await start(path).perform("command", {"program": path})
    finally:
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


async def test_a_program_that_never_reads_its_input_ends_well(bench: Workbench, attempt: Any) -> None:
    made = attempt(replace(bench, commands=CommandRules(programs=("true",))), job_input={"large": "x" * 1_000_000})
    assert (await made.perform("command", {"program": "true"})).details == {"exit_code": 0}


async def test_what_cannot_be_started_says_so(start: Any, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no program")
    path = str(tmp_path / "text")
    with pytest.raises(JobFailed, match="cannot be started: Permission denied") as failed:
        await start(path).perform("command", {"program": path})
    assert not failed.value.retryable


async def test_a_secret_in_the_program_s_output_is_blanked(program: Any, start: Any, tmp_path: Path) -> None:
    (tmp_path / "secrets/acme").mkdir(parents=True)
    (tmp_path / "secrets/acme/token").write_text("t0p-secret")
    path = program(
        "print(os.environ['JOB_TOKEN']); print(json.dumps({'progress': 1, 'text': os.environ['JOB_TOKEN']}))"
    )
    made = start(path)
    await made.perform("command", {"program": path, "env": {"JOB_TOKEN": "secret://token"}})
    assert made.log == ["***"]
    assert [said.text for said in made.progress] == ["***"]
