"""HTTP on the wire: reading a request, writing a reply, and writing it badly on purpose."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from payments.simulator.faults import Fault

MAX_BODY = 1_000_000
# A call that hangs is let go in the end, so that no test run leaves sockets behind.
HANG_LIMIT_S = 120.0

REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Payload Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
}


class BadRequest(ValueError):
    """What arrived is not HTTP as we speak it."""


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body with exact numbers; raises ValueError when it is not JSON."""
        return json.loads(self.body, parse_float=Decimal)


@dataclass(frozen=True)
class Reply:
    """`fault` says how the reply is spoilt while it is sent; None sends it as it is."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    fault: Fault | None = None


def encode_json(value: Any) -> str:
    """JSON in which a Decimal is written as the number it is, trailing zeros included."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        pairs = (f"{json.dumps(str(k))}:{encode_json(v)}" for k, v in value.items())
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(encode_json(item) for item in value) + "]"
    return json.dumps(value)


def json_reply(status: int, body: Any, *, headers: dict[str, str] | None = None) -> Reply:
    return Reply(status, encode_json(body).encode(), headers=headers or {})


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next request of a connection, None when it ended; raises BadRequest."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    except asyncio.LimitOverrunError as error:
        raise BadRequest("the headers are too large") from error
    first, *lines = head.decode("latin-1").split("\r\n")
    try:
        method, target, _ = first.split(" ", 2)
    except ValueError as error:
        raise BadRequest("the request line is malformed") from error
    headers = {}
    for line in filter(None, lines):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    url = urlsplit(target)
    body = await read_body(reader, headers)
    return Request(method, url.path, dict(parse_qsl(url.query)), headers, body)


async def read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    length = headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit():
        raise BadRequest("Content-Length is not a number")
    if "transfer-encoding" in headers or int(length) > MAX_BODY:
        raise BadRequest("the body is too large or chunked")
    return await reader.readexactly(int(length))


def head_of(reply: Reply, *, length: int | None = None) -> bytes:
    lines = [
        f"HTTP/1.1 {reply.status} {REASONS.get(reply.status, 'Unknown')}",
        f"Content-Type: {reply.content_type}",
        f"Content-Length: {len(reply.body) if length is None else length}",
        *(f"{name}: {value}" for name, value in reply.headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


async def send(writer: asyncio.StreamWriter, reply: Reply) -> bool:
    """Write the reply, spoilt if it carries a fault. Returns whether the connection lives on."""
    kind = reply.fault.kind if reply.fault else ""
    if kind in SPOILERS and reply.fault:
        await SPOILERS[kind](writer, reply, reply.fault)
        return False
    writer.write(head_of(reply) + reply.body)
    await writer.drain()
    return True


async def hang(_: asyncio.StreamWriter, __: Reply, fault: Fault) -> None:
    """Say nothing until the caller gives up."""
    await asyncio.sleep(min(float(fault.options.get("seconds", HANG_LIMIT_S)), HANG_LIMIT_S))


async def close(writer: asyncio.StreamWriter, _: Reply, __: Fault) -> None:
    writer.close()


async def reset(writer: asyncio.StreamWriter, _: Reply, __: Fault) -> None:
    """Close with RST: a lingering time of zero throws the connection away."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def truncate(writer: asyncio.StreamWriter, reply: Reply, _: Fault) -> None:
    half = reply.body[: len(reply.body) // 2]
    writer.write(head_of(reply) + half)
    await writer.drain()


async def garble(writer: asyncio.StreamWriter, _: Reply, __: Fault) -> None:
    writer.write(b"\x16\x03\x01 this is not HTTP \x00\xff\r\n\r\n")
    await writer.drain()


async def drip(writer: asyncio.StreamWriter, reply: Reply, fault: Fault) -> None:
    """One byte at a time, each soon enough to keep a naive read timeout from firing."""
    pause = float(fault.options.get("interval_s", 0.4))
    for byte in head_of(reply) + reply.body:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(pause)


SPOILERS = {
    "hang": hang,
    "close": close,
    "rst": reset,
    "truncated": truncate,
    "garbage": garble,
    "drip": drip,
}


async def post(url: str, body: bytes, timeout_s: float) -> int:
    """POST JSON to `url` and return the status. Raises OSError or TimeoutError."""
    async with asyncio.timeout(timeout_s):
        return await _post(url, body)


async def _post(url: str, body: bytes) -> int:
    target = urlsplit(url)
    secure = target.scheme == "https"
    reader, writer = await asyncio.open_connection(
        target.hostname, target.port or (443 if secure else 80), ssl=secure or None
    )
    try:
        path = target.path + (f"?{target.query}" if target.query else "")
        writer.write(
            f"POST {path or '/'} HTTP/1.1\r\nHost: {target.netloc}\r\n"
            "Content-Type: application/json\r\nConnection: close\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        await writer.drain()
        status_line = await reader.readline()
        parts = status_line.split()
        if len(parts) < 2 or not parts[1].isdigit():
            raise ConnectionError("the receiver did not answer in HTTP")
        # Read to the end, so that the receiver is not cut off while it writes.
        await reader.read(MAX_BODY)
        return int(parts[1])
    finally:
        writer.close()
