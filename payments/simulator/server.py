"""The listening process: connections, routing and the log of what came in."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
from typing import Any

from payments.simulator.control import control
from payments.simulator.daraja import OPERATIONS, Call, parsed, schedule
from payments.simulator.errors import error
from payments.simulator.wire import BadRequest, Reply, Request, json_reply, read_request, send
from payments.simulator.world import World

HOST = "127.0.0.1"
BACKLOG = 1024
SECRET_FIELDS = frozenset({"SecurityCredential"})


async def answer(world: World, request: Request) -> Reply:
    if request.path.startswith("/_sim/"):
        return await control(world, request)
    request_id = f"{world.seed}-{world.next_number()}-1"
    if request.path not in OPERATIONS:
        return error("404.001.01", request_id)
    method, operation, handle = OPERATIONS[request.path]
    if request.method != method:
        return error("405.001", request_id)
    reply = await handle(Call(world, operation, request, request_id))
    note_request(world, operation, request, reply)
    return reply


def note_request(world: World, operation: str, request: Request, reply: Reply) -> None:
    body: dict[str, Any] = {k: v for k, v in parsed(request).items() if k not in SECRET_FIELDS}
    key = body.get("OriginatorConversationID") or body.get("OriginalConversationID") or ""
    world.note(
        operation=operation,
        key=key,
        body=body,
        status=reply.status,
        fault=reply.fault.kind if reply.fault else "",
        reply="" if operation == "oauth" else reply.body.decode("utf-8", "replace"),
    )


async def serve_connection(
    world: World, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer requests until the caller leaves or a fault ends the connection."""
    try:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while await serve_request(world, reader, writer):
                pass
    finally:
        writer.close()


async def serve_request(
    world: World, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    """Answer one request; returns whether the connection lives on."""
    try:
        request = await read_request(reader)
    except BadRequest as problem:
        await send(writer, json_reply(400, {"error": str(problem)}))
        return False
    return request is not None and await send(writer, await answer(world, request))


async def serve(world: World, port: int) -> None:
    """Listen until SIGTERM or SIGINT; say on stdout where, once ready."""
    connections: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(serve_connection(world, reader, writer))
        connections.add(task)
        task.add_done_callback(connections.discard)

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    for transaction in world.transactions.values():
        schedule(world, transaction)
    agenda = asyncio.ensure_future(world.agenda.run())
    server = await asyncio.start_server(connected, HOST, port, backlog=BACKLOG)
    chosen = server.sockets[0].getsockname()[1]
    print(json.dumps({"listening": f"http://{HOST}:{chosen}"}), flush=True)  # noqa: T201
    await stopped.wait()
    server.close()
    for task in (agenda, *connections):
        task.cancel()
    await asyncio.gather(agenda, *connections, return_exceptions=True)
