"""
A little HTTP server that writes down who called it, and knows nothing else.

Run as a program of its own: `python counter.py JOURNAL`. It prints its port. Each call becomes one line of JSON,
flushed before it is answered; `?ms=300` holds the answer back for so long.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from aiohttp import web


def build(journal: Path) -> web.Application:
    """Return the server, which appends to the journal."""
    lines = journal.open("a", buffering=1, encoding="utf-8")

    async def called(request: web.Request) -> web.Response:
        lines.write(json.dumps({"at": time.time(), "path": request.path, "headers": dict(request.headers)}) + "\n")
        await asyncio.sleep(int(request.query.get("ms", "0")) / 1000)
        return web.json_response({"ok": True})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", called)
    return app


async def main(journal: Path) -> None:
    """Serve until the end of the standard input, which is when whoever started it is gone."""
    runner = web.AppRunner(build(journal), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)  # noqa: T201
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
