"""Documents of the service as text for people."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from eventjobs.audit.sentences.words import cadence_text, instant
from eventjobs.cli.output import say, table, text_of

Document = Mapping[str, Any]

SCHEDULE_COLUMNS: Final = ("schedule", "active", "runs", "next due", "last run", "version", "description")
FLOW_COLUMNS: Final = ("flow", "started by", "done by", "with", "used by", "version", "name")
SERVICE_COLUMNS: Final = ("service", "done by", "with", "used by", "version", "name")
HIDDEN: Final = frozenset({"as_of", "next"})
TOLD: Final = ("source", "url", "program", "function", "duration")
"""What of a configuration says most, by handler."""


def tell_as_of(document: Document) -> None:
    """Say which moment a document shows."""
    moment = document.get("as_of")
    if moment:
        say(f"As of position {moment['position']}, {instant(str(moment['at']))}", "dim")


def tell_jobs_page(document: Document) -> None:
    """Print the Jobs page: its schedules by section, its services and its flows."""
    tell_as_of(document)
    sections = document["schedules"]
    for name, section in sections.items():
        if section["items"]:
            table(
                SCHEDULE_COLUMNS,
                map(_schedule_row, section["items"]),
                title=f"\nSchedules: {name} ({section['count']})",
            )
            tell_more(section)
    services = document["services"]
    if services["items"]:
        table(SERVICE_COLUMNS, map(_service_row, services["items"]), title=f"\nServices ({services['count']})")
        tell_more(services)
    flows = document["flows"]
    if flows["items"]:
        table(FLOW_COLUMNS, map(_flow_row, flows["items"]), title=f"\nFlows ({flows['count']})")
        tell_more(flows)
    if not (services["count"] or flows["count"]) and not any(section["count"] for section in sections.values()):
        say("There is nothing here yet; eventjobs do AddService --help shows how to begin.")


def tell_list(document: Document, title: str | None = None) -> None:
    """Print a list with a column for each field that any of its items has."""
    tell_as_of(document)
    items = document.get("items", [])
    if not items:
        say("None.")
        return
    _tell_items(items, title)
    tell_more(document)


def tell_thing(document: Document) -> None:
    """Print one thing: its fields, then its rows as tables."""
    tell_as_of(document)
    rows: dict[str, Sequence[Document]] = {}
    for name, value in _flat(document).items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            rows[name] = value
        else:
            say(f"{name.replace('_', ' ')}: {text_of(value)}")
    for name, items in rows.items():
        _tell_items(items, f"\n{name.replace('_', ' ')}")


def tell_runs(document: Document) -> None:
    """Print runs, one a line."""
    tell_as_of(document)
    items = document.get("items", [])
    if not items:
        say("No runs.")
        return
    columns = ("run", "owner", "cause", "state", "due", "opened", "ended", "jobs")
    table(columns, [_run_row(run) for run in items])
    tell_more(document)


def tell_run(document: Document) -> None:
    """Print one run with its stages, job runs and attempts."""
    tell_as_of(document)
    state = _state(document)
    say(f"Run {document['id']} of {_ref(document['owner'])}: {state}")
    for name in ("cause", "due", "opened_at", "started_at", "ended_at", "counts", "missed_occurrences"):
        if document.get(name):
            say(f"{name.replace('_', ' ')}: {text_of(document[name])}")
    for delay in document.get("delays", []):
        say(f"waited from {instant(str(delay['since']))}: {_why(delay)}")
    for stage in document.get("stages", []):
        seq = stage.get("seq")
        say(f"\nStage {seq}" if seq is not None else "\nWithout waiting", "bold")
        table(("row", "job", "state", "attempts", "counts", "detail"), [_job_row(job) for job in stage["job_runs"]])
    if told := document.get("notifications"):
        say("\nMessages", "bold")
        columns = ("kind", "channel", "recipient", "state", "attempts", "reason")
        table(columns, [[one[name] for name in columns] for one in told])


def tell_more(document: Document) -> None:
    """Say how to go on, where a list was cut."""
    if document.get("next"):
        say(f"There are more: --cursor {document['next']}", "dim")


def _tell_items(items: Sequence[Document], title: str | None) -> None:
    flat = [{name: value for name, value in _flat(item).items() if not _deep(value)} for item in items]
    columns = list(dict.fromkeys(name for item in flat for name in item))
    filled = [name for name in columns if any(item.get(name) not in (None, "", [], {}) for item in flat)]
    table(
        [name.replace("_", " ") for name in filled], [[item.get(name) for name in filled] for item in flat], title=title
    )


def _flat(document: Document) -> dict[str, Any]:
    """Put the fields of nested objects beside the others; references become one word."""
    flat: dict[str, Any] = {}
    for name, value in document.items():
        if name in HIDDEN and isinstance(value, dict) and "position" in value:
            continue
        if isinstance(value, dict) and set(value) == {"kind", "id"}:
            flat[name] = _ref(value)
        elif name == "actions":
            flat["you may"] = [action for action, allowed in value.items() if allowed is True]
            refused = ((action, why) for action, why in value.items() if why is not True)
            flat["you may not"] = [f"{action} ({why['code']})" for action, why in refused]
        elif isinstance(value, dict) and value and not name.endswith(("counts", "config")):
            flat.update({f"{name} {inner}": part for inner, part in _flat(value).items()})
        else:
            flat[name] = value
    return flat


def _deep(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _schedule_row(schedule: Document) -> Sequence[object]:
    coming = schedule.get("next_due")
    due = coming.get("due") if isinstance(coming, dict) else coming
    last = schedule.get("last_run")
    open_run = schedule.get("open_run")
    ran = f"{_state(last)}, {text_of(last['ended_at'])}" if last else None
    now = f"running: {open_run['id']}{_stage(open_run)}" if open_run else ran
    if schedule.get("waiting"):
        now = f"{now or 'nothing runs'}, {schedule['waiting']} waiting"
    if pause := schedule.get("pause"):
        until = f" until {text_of(pause['until'])}" if pause.get("until") else ""
        now = f"paused{until}; {now}" if now else f"paused{until}"
    runs = cadence_text(schedule["cadence"])
    return (schedule["id"], schedule["active"], runs, due, now, schedule["version"], schedule["description"])


def _stage(open_run: Document) -> str:
    several = (open_run.get("of") or 1) > 1
    return f", stage {open_run['stage']} of {open_run['of']}" if several else ""


def _service_row(service: Document) -> Sequence[object]:
    return (service["id"], *_definition(service))


def _flow_row(flow: Document) -> Sequence[object]:
    started = flow["trigger"] if flow["active"] else f"{flow['trigger']}, inactive"
    return (flow["id"], started, *_definition(flow))


def _definition(job: Document) -> Sequence[object]:
    config = job["config"]
    what = next((str(config[name]) for name in TOLD if name in config), None)
    users = [user["id"] for user in job["used_by"]]
    return (job["handler"], what, users, job["version"], job["name"])


def _run_row(run: Document) -> Sequence[object]:
    times = (run.get("due"), run.get("opened_at"), run.get("ended_at"))
    return (run["id"], _ref(run["owner"]), run.get("cause"), _state(run), *times, run.get("counts"))


def _job_row(job: Document) -> Sequence[object]:
    progress = job.get("progress") or {}
    now = progress.get("text") if job["state"] == "running" else job.get("detail")
    return (job["row"], _ref(job["job"]), _state(job), len(job.get("attempts") or ()), job.get("counts"), now)


def _state(thing: Document) -> str:
    reason = thing.get("reason")
    return f"{thing['state']} ({reason})" if reason else str(thing["state"])


def _why(delay: Document) -> str:
    limit = f", {delay['limit']} at once" if delay.get("limit") else ""
    behind = f", behind run {delay['open_run']}" if delay.get("open_run") else ""
    return f"{delay['reason']}{limit}{behind}"


def _ref(value: Any) -> str:
    return f"{value['kind']}/{value['id']}" if isinstance(value, dict) else str(value)
