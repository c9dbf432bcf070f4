"""The bare handler that ours is compared with: aiohttp, one pydantic model, an orjson reply, nothing behind it."""

import sys
from typing import Any

import orjson
import uvloop
from aiohttp import web

from eventjobs.commands.add_service import AddService


async def _handle(request: web.Request) -> web.Response:
    command = AddService.model_validate_json(await request.read())
    answer: dict[str, Any] = {"id": command.id, "version": 1, "position": 1, "events": [], "warnings": []}
    return web.Response(body=orjson.dumps(answer), content_type="application/json", status=201)


def main(port: int) -> None:
    """Serve until killed."""
    app = web.Application()
    app.router.add_post("/v1/{workspace}/commands/AddService", _handle)
    uvloop.install()
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None)


if __name__ == "__main__":
    main(int(sys.argv[1]))
