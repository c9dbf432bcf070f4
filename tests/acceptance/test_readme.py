"""The session in the README, run against the real service."""

import asyncio
import os
import re
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.acceptance.test_demo import STOP_S
from tests.support.database import data_folder
from tests.support.waiting import eventually

README = Path(__file__).parents[2] / "README.md"
MARK = "\x1e"
VARYING = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID"),
    (r"\b[0-9a-f]{64}\b", "SHA256"),
    (r"\b202\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "INSTANT"),
    (r'"position":\d+', '"position":N'),
    (r"Verified: \d+ events", "Verified: N events"),
    (r'"zone_data":"\w+"', '"zone_data":"Z"'),
)


class Step(NamedTuple):
    """A command and what the README says that it prints."""

    command: str
    printed: str


def steps() -> list[Step]:
    found: list[Step] = []
    for block in re.findall(r"```console\n(.*?)```", README.read_text("utf-8"), re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Step(line[2:], ""))
            elif line.startswith("> "):
                found[-1] = Step(f"{found[-1].command}\n{line[2:]}", "")
            else:
                found[-1] = Step(found[-1].command, f"{found[-1].printed}{line}\n")
    return found


def alike(told: str, printed: str) -> bool:
    """Whether a text is what was told; `…` stands for anything."""
    pattern = ".*".join(re.escape(part) for part in settled(told).split("…"))
    return re.fullmatch(pattern, settled(printed), re.DOTALL) is not None


def settled(text: str) -> str:
    for pattern, word in VARYING:
        text = re.sub(pattern, word, text)
    return text.strip()


def test_something_else_is_not_taken_for_what_was_told() -> None:
    assert alike('{"position":3,…}', '{"position":12,"a":1}')
    assert not alike('{"position":3,…}', '{"place":12,"a":1}')
    assert not alike("", "an error")


@pytest.mark.timeout(200)
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_the_session_in_the_readme_goes_as_it_says() -> None:
    with data_folder() as folder:
        home = folder.parent / "home"
        home.mkdir(mode=0o755)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("EVENTJOBS_")}
        path = f"{Path(sys.executable).parent}{os.pathsep}{clean['PATH']}"
        env = {**clean, "HOME": str(home), "PATH": path, "EVENTJOBS_PORT": "0"}
        log = home / "log"
        with log.open("wb") as output:
            service = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "eventjobs", "serve", env=env, stdout=output, stderr=output
            )
        try:
            url = await eventually(lambda: re.search(r"Ready at (\S+)", log.read_text()), timeout_s=60)
            script = "\n".join(f"printf '{MARK}'\n{step.command}" for step in steps())
            script = script.replace("http://127.0.0.1:8080", url[1])
            pipe = asyncio.subprocess.PIPE
            session = await asyncio.create_subprocess_exec(
                "bash", env=env, cwd=README.parent, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.STDOUT
            )
            async with asyncio.timeout(60):
                printed, _ = await session.communicate(script.encode())
            for step, text in zip(steps(), printed.decode().split(MARK)[1:], strict=True):
                assert alike(step.printed, text), f"$ {step.command}\n{text}"
        finally:
            service.terminate()
            async with asyncio.timeout(STOP_S):
                await service.wait()
