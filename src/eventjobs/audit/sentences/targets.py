"""Sentences about the services and flows that runs call."""

from collections.abc import Mapping
from typing import Final

from eventjobs.audit.sentences.words import Data, Teller, caused, closed, turn


def _service(verb: str) -> Teller:
    def tell(service: str, data: Data) -> str:
        kind = f" ({data['type']})" if data.get("type") else ""
        return f"Service {service} was {verb}: {data['name']}{kind}, done by {data['handler']}."

    return tell


def _flow(verb: str) -> Teller:
    def tell(flow: str, data: Data) -> str:
        inactive = "" if data["active"] else ", inactive"
        started = str(data["trigger"]).replace("_", " ")
        return f"Flow {flow} was {verb}: {data['name']}, started by {started}, done by {data['handler']}{inactive}."

    return tell


TELLERS: Final[Mapping[str, Teller]] = {
    "flow.added": _flow("added"),
    "flow.attached": lambda flow, data: f"Flow {flow} is used by schedule {data['schedule']}.",
    "flow.awaited": turn("Run {run} waits for flow {job}, until {deadline} at the latest."),
    "flow.claimed": turn("Run {run} has flow {job} for itself."),
    "flow.deleted": lambda flow, _: f"Flow {flow} was deleted.",
    "flow.detached": lambda flow, data: f"Flow {flow} is used by schedule {data['schedule']} no more.",
    "flow.edited": _flow("edited"),
    "flow.joined": turn("Run {run} shares flow {job} with run {other}."),
    "flow.released": turn("Run {run} gave flow {job} up."),
    "flow.restored": lambda flow, _: f"Flow {flow} is there again.",
    "flow.run_closed": closed("Flow"),
    "flow.run_opened": lambda flow, data: f"Flow {flow} started run {data['run']} {caused(data)}.",
    "service.added": _service("added"),
    "service.attached": lambda service, data: f"Service {service} is used by schedule {data['schedule']}.",
    "service.awaited": turn("Run {run} waits for service {job}, until {deadline} at the latest."),
    "service.claimed": turn("Run {run} has service {job} for itself."),
    "service.configured": _service("configured"),
    "service.deleted": lambda service, _: f"Service {service} was deleted.",
    "service.detached": lambda service, data: f"Service {service} is used by schedule {data['schedule']} no more.",
    "service.joined": turn("Run {run} shares service {job} with run {other}."),
    "service.released": turn("Run {run} gave service {job} up."),
    "service.restored": lambda service, _: f"Service {service} is there again.",
    "service.run_closed": closed("Service"),
    "service.run_opened": lambda service, data: f"Service {service} started run {data['run']} {caused(data)}.",
}
