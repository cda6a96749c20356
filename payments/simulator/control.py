"""The control plane, `/_sim/…`: how a test or a person drives the simulator.

| call | body | does |
|---|---|---|
| GET health | | `{"ok": true}` |
| GET provider | | short code, initiator name and certificate: nothing secret |
| POST reset | `{"seed"?, "balances"?: {"Utility Account": "70.00"}}` | start over |
| POST seed | `{"seed": 7}` | choose the seed of ids and receipts |
| GET, POST clock | `{"advance_s": 300}` | move the clock; answers when what fell due was done |
| POST settings | `{"callback_delay_s": 0, "deduplicates": true}` | how long results take; whether a reference is paid once |
| POST fault | `{"operation", "point", "kind", "n", "key"?, …}` | arm a fault (`faults.py`) |
| GET, DELETE fault | | list or disarm |
| POST callback/{id}/resend | | send the result of a payment again |
| POST settle/{id} | `{"result_code": 0, "callback"?: true}` | end a pending payment |
| GET book | | balances, movements and every payment accepted |
| GET log | `?operation=&key=` | requests and callbacks, and how often each key came |
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from payments.simulator.book import Movement
from payments.simulator.callbacks import deliver_all, payment_answer
from payments.simulator.clock import iso
from payments.simulator.daraja import call_back
from payments.simulator.faults import UnknownFault, parse_fault
from payments.simulator.wire import Reply, Request, json_reply
from payments.simulator.world import Transaction, World

Body = dict[str, Any]
# How long a moved clock waits for the receivers of the callbacks that fell due.
WAIT_S = 15.0


class BadControl(ValueError):
    """The control plane was misused."""


async def control(world: World, request: Request) -> Reply:
    try:
        body = request.json() if request.body else {}
        return await route(world, request, body)
    except (BadControl, UnknownFault) as misuse:
        return json_reply(400, {"error": str(misuse)})
    except (ValueError, TypeError, AttributeError, KeyError, InvalidOperation) as misuse:
        return json_reply(400, {"error": f"the body is wrong: {type(misuse).__name__} {misuse}"})


async def route(world: World, request: Request, body: Body) -> Reply:
    _, name, *rest = request.path.strip("/").split("/")
    if rest:
        return await about_payment(world, name, rest, body)
    handler = HANDLERS.get((request.method, name))
    if handler is None:
        return json_reply(404, {"error": f"no {request.method} {request.path}"})
    return json_reply(200, await handler(world, body, request.query))


async def about_payment(world: World, name: str, rest: list[str], body: Body) -> Reply:
    tx = world.find(rest[0])
    if tx is None:
        return json_reply(404, {"error": f"no payment {rest[0]}"})
    if name == "settle":
        world.settle(tx, body.get("result_code", 0))
        await world.sync()
        if body.get("callback", True):
            await call_back(world, tx, "once")
    elif (name, rest[1:]) == ("callback", ["resend"]):
        await deliver_all(world, payment_answer(world, tx), "once", {})
    else:
        return json_reply(404, {"error": f"no /_sim/{name}"})
    return json_reply(200, payment_row(world, tx))


async def health(world: World, _: Body, __: dict[str, str]) -> Body:
    return {"ok": True, "now": iso(world.clock.now()), "payments": len(world.transactions)}


async def provider(world: World, _: Body, __: dict[str, str]) -> Body:
    identity = world.vault.identity
    return {
        "short_code": identity.short_code,
        "initiator_name": identity.initiator_name,
        "certificate": identity.certificate,
    }


async def reset(world: World, body: Body, _: dict[str, str]) -> Body:
    balances = {str(k): Decimal(str(v)) for k, v in body.get("balances", {}).items()}
    world.reset(body.get("seed"), balances)
    await world.sync()
    return {"seed": world.seed}


async def seed(world: World, body: Body, _: dict[str, str]) -> Body:
    world.record({"event": "seeded", "seed": int(body["seed"])})
    return {"seed": world.seed}


async def clock(world: World, body: Body, _: dict[str, str]) -> Body:
    if "advance_s" in body:
        advance = float(body["advance_s"])
        if advance < 0:
            raise BadControl("the clock only goes forward")
        world.record({"event": "clock", "offset_s": world.clock.offset_s + advance})
        world.agenda.wake()
        await world.agenda.finish_due(WAIT_S)
    return {"now": iso(world.clock.now()), "offset_s": world.clock.offset_s}


async def settings(world: World, body: Body, _: dict[str, str]) -> Body:
    if "callback_delay_s" in body:
        world.callback_delay_s = max(0.0, float(body["callback_delay_s"]))
    if "deduplicates" in body:
        world.deduplicates = bool(body["deduplicates"])
    return {"callback_delay_s": world.callback_delay_s, "deduplicates": world.deduplicates}


async def arm_fault(world: World, body: Body, _: dict[str, str]) -> Body:
    world.faults.arm(parse_fault(body))
    return await armed_faults(world, {}, {})


async def armed_faults(world: World, _: Body, __: dict[str, str]) -> Body:
    return {
        "armed": [
            {"operation": f.operation, "point": f.point, "kind": f.kind, "n": f.left}
            for f in world.faults.armed
        ]
    }


async def disarm(world: World, _: Body, __: dict[str, str]) -> Body:
    world.faults.clear()
    return {"armed": []}


async def book(world: World, _: Body, __: dict[str, str]) -> Body:
    return {
        "balances": {name: f"{amount:.2f}" for name, amount in world.book.balances.items()},
        "total": f"{world.book.total():.2f}",
        "movements": [movement_row(movement) for movement in world.book.movements.values()],
        "payments": [payment_row(world, tx) for tx in world.transactions.values()],
    }


async def log(world: World, _: Body, query: dict[str, str]) -> Body:
    operation, key = query.get("operation"), query.get("key")
    entries = [
        entry
        for entry in world.log
        if operation in (None, entry["operation"]) and key in (None, entry["key"])
    ]
    return {
        "entries": entries,
        "received": dict(world.received),
        "accepted": dict(world.accepted),
        "tokens_issued": world.tokens.issued,
    }


def movement_row(movement: Movement) -> Body:
    return {
        "reference": movement.reference,
        "from": movement.source,
        "to": movement.target,
        "amount": f"{movement.amount:.2f}",
    }


def payment_row(world: World, tx: Transaction) -> Body:
    key = tx.originator
    return {
        "originator_conversation_id": key,
        "conversation_id": tx.conversation,
        "receipt": tx.receipt if tx.succeeded else "",
        "amount": f"{tx.amount}.00",
        "msisdn": tx.msisdn,
        "status": tx.status,
        "result_code": tx.result_code,
        "reversed": tx.reversed,
        "received": world.received[key],
        "accepted": world.accepted[key],
        "accepted_at": iso(tx.accepted_at),
        "settled_at": iso(tx.settled_at) if tx.settled_at else None,
    }


Handler = Callable[[World, Body, dict[str, str]], Awaitable[Body]]

HANDLERS: dict[tuple[str, str], Handler] = {
    ("GET", "health"): health,
    ("GET", "provider"): provider,
    ("POST", "reset"): reset,
    ("POST", "seed"): seed,
    ("GET", "clock"): clock,
    ("POST", "clock"): clock,
    ("POST", "settings"): settings,
    ("POST", "fault"): arm_fault,
    ("GET", "fault"): armed_faults,
    ("DELETE", "fault"): disarm,
    ("GET", "book"): book,
    ("GET", "log"): log,
}
