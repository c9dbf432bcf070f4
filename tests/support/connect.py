"""Groups and Connect jobs for stories: two imports, active and on demand, a group of them, and its runs."""

from typing import Any

from tests.support.story import Outcome, Story, at, command

DAILY = {"type": "daily", "at": "14:05", "time_zone": "UTC"}
GROUP = {"kind": "group", "id": "lists"}


def job(job_id: str, **fields: Any) -> Any:
    given = {"id": job_id, "kind": "import", "handler": "csv.import", "config": {}, "expires_on": "never"}
    return command("SaveJob", **{**given, **fields})


def saved(name: str = "SaveGroup", /, **fields: Any) -> Any:
    """The group as `story` makes it, by another command or with other fields."""
    return command(name, **{"id": "lists", "name": "Lists", "jobs": ["contacts", "extension"], **fields})


def story(*, limits: Any = None, **fields: Any) -> Story:
    """Two imports, active and on demand, and a group of them."""
    return Story(limits=limits).given(
        command("CreateWorkspace", id="acme", time_zone="UTC", kind="automation"),
        job("contacts"),
        job("extension"),
        command("ActivateJob", id="contacts"),
        command("ActivateJob", id="extension"),
        saved("CreateGroup", **fields),
    )


def active(**fields: Any) -> Story:
    """The same, active."""
    return story(**fields).given(activate())


def activate(**fields: Any) -> Any:
    return command("ActivateGroup", id="lists", **fields)


def run(run_id: str = "r", **owner: str) -> Any:
    """RunNow of the group, or of another owner."""
    return command("RunNow", owner=owner or GROUP, id=run_id)


def advance(story: Story, run: str, *ended: Any) -> Outcome:
    return story.when(command("AdvanceRun", run=run, term=1, ended=list(ended)))


def end(row: int, state: str = "succeeded", **fields: Any) -> Any:
    return {"row": row, "attempt": 1, "state": state, "counts": {}, **fields}


def answer(moment: str, kind: str = "group", the_id: str = "lists") -> Any:
    """Let the clock come to a moment and what is due be answered."""

    def tick(story: Story) -> None:
        story.at(moment).given(command("AnswerDue", kind=kind, id=the_id))

    return tick


def running(**fields: Any) -> Story:
    """The group's run `r`, its first job under way."""
    it = active(**fields).given(run())
    advance(it, "r")
    return it


def through(it: Story, run_id: str = "r") -> Story:
    """Let a run go to its end."""
    for ended in ((), (end(1),), (end(2),)):
        assert advance(it, run_id, *ended).refusal is None
    return it


def rows(it: Story, run_id: str = "r") -> list[tuple[str, str | None]]:
    return [(str(row.state), row.reason) for row in it.run(run_id).rows.values()]


def stop(mode: str = "now", run_id: str = "r") -> Any:
    return command("StopRun", run=run_id, mode=mode)


def resume(run_id: str = "r", new: str = "again") -> Any:
    return command("ResumeRun", run=run_id, id=new)


__all__ = [
    "DAILY",
    "GROUP",
    "activate",
    "active",
    "advance",
    "answer",
    "at",
    "end",
    "job",
    "resume",
    "rows",
    "run",
    "running",
    "saved",
    "stop",
    "story",
    "through",
]
