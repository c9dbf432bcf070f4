"""
As much as a program can send, from a process of its own: `python -m tests.api.flood PORT KEY COMMANDS`.

`COMMANDS` are those of one request; a fifth of the requests reads history instead. It sends until its standard input
ends. Prints a line when it began, and at the end how many answers of each status there were.
"""

import asyncio
import json
import sys
from collections import Counter
from itertools import count

CONNECTIONS = 100


async def flood(port: int, key: str, commands: int) -> Counter[int]:
    """Send on all connections, on each one request behind the other, until nobody wants more."""
    answers: Counter[int] = Counter()
    numbers = count()
    told_to_end = asyncio.ensure_future(asyncio.to_thread(sys.stdin.read))
    sending = [asyncio.ensure_future(_one(port, key, numbers, commands, answers)) for _ in range(CONNECTIONS)]
    ended, _ = await asyncio.wait([told_to_end, *sending], return_when=asyncio.FIRST_COMPLETED)
    for one in ended:
        one.result()
    for one in sending:
        one.cancel()
    await asyncio.wait(sending)
    return answers


async def _one(port: int, key: str, numbers: "count[int]", commands: int, answers: Counter[int]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        while True:
            writer.write(_request(key, next(numbers), commands))
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = next(int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(length)
            answers[int(head.split(b" ", 2)[1])] += 1
    finally:
        writer.close()


def _request(key: str, number: int, commands: int) -> bytes:
    always = f"Host: localhost\r\nAuthorization: Bearer {key}\r\n"
    if number % 5 == 0:
        return f"GET /v1/acme/events?limit=100 HTTP/1.1\r\n{always}\r\n".encode()
    added = [{"id": f"flood-{number}-{n}", "handler": "noop"} for n in range(commands)]
    many = commands > 1
    path = "commands" if many else "commands/AddService"
    body = json.dumps([{"command": "AddService", "data": data} for data in added] if many else added[0])
    described = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"POST /v1/acme/{path} HTTP/1.1\r\n{always}{described}\r\n{body}".encode()


if __name__ == "__main__":
    sys.stdout.write("flooding\n")
    sys.stdout.flush()
    sent = flood(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
    sys.stdout.write(json.dumps(asyncio.run(sent)))
