"""What a service can be: the Connector/Module/Types of the workspace, and the handlers that are installed (R85)."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from eventjobs.api.moment import view_moment
from eventjobs.api.reads import answer
from eventjobs.api.registry import Call
from eventjobs.commands.context import HandlerCatalog


async def service_types(call: Call) -> web.StreamResponse:
    """Answer with the types, then with each handler by itself; handlers are those of today."""
    moment = await view_moment(call)
    named = await call.deps.views.service_types(call.workspace, position=moment.read_at)
    catalog = call.deps.catalog
    items = [
        *(_item(catalog, row["handler"], row) for row in named),
        *(_item(catalog, handler, None) for handler in catalog.names()),
    ]
    return answer(call, moment, {"items": items, "next": None})


def _item(catalog: HandlerCatalog, handler: str, named: Mapping[str, Any] | None) -> Mapping[str, Any]:
    facts = catalog.find(handler)
    connector, module, service_type = (None, None, None) if named is None else named["type"].split("/")
    return {
        "type": None if named is None else named["type"],
        "connector": connector,
        "module": module,
        "service_type": service_type,
        "integrations": [] if named is None else named["integrations"] or [],
        "services": None if named is None else named["services"],
        "handler": handler,
        "installed": facts is not None,
        "delivery": None if facts is None else facts.delivery,
        "schema": None if facts is None else catalog.schema(handler),
    }
