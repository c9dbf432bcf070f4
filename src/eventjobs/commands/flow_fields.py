"""The fields that define a flow, and the flow that they make."""

from dataclasses import replace
from typing import Literal

from eventjobs.commands.context import Context
from eventjobs.commands.fields import ServiceFields, handler_facts
from eventjobs.domain.flow import Flow


class FlowFields(ServiceFields):
    """
    What defines a flow.

    `trigger` is what starts it; only `on_demand` ones stand in job tables (R10). `wait_timeout` bounds how long later
    stages wait for it while it is suspended (R43). One that is not `active` is not run (R95); an `exclusive` one runs
    for one job run at a time, as services do.
    """

    trigger: Literal["on_demand", "cache_event", "action_close_out", "work_request_batch_ready"] = "on_demand"
    handler: Literal["python", "http"]
    exclusive: bool = False
    active: bool = True


def defined(present: Flow, fields: FlowFields, flow_id: str, context: Context) -> Flow:
    """Return the flow with this definition; raises `Invalid` for a configuration that its handler refuses."""
    facts = handler_facts(fields, context)
    return replace(
        present,
        name=fields.name or flow_id,
        trigger=fields.trigger,
        handler=fields.handler,
        config=fields.config,
        policy=fields.policy(facts),
        exclusive=fields.exclusive,
        active=fields.active,
    )
