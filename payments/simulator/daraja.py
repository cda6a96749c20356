"""Daraja's four operations as a caller meets them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from payments.simulator import rules
from payments.simulator.callbacks import Answer, deliver_all, payment_answer
from payments.simulator.enquiries import Enquiry, answer_balance, answer_status
from payments.simulator.errors import error, spoilt
from payments.simulator.faults import Fault
from payments.simulator.scenarios import Scenario, scenario_for
from payments.simulator.tokens import LIFETIME_S
from payments.simulator.wire import Reply, Request, json_reply
from payments.simulator.world import Plan, Transaction, World

Body = dict[str, Any]
# After this many wrong passwords in a row the gateway locks the initiator (8006).
CREDENTIAL_TRIES = 3
LATE_S = 900.0


@dataclass(frozen=True)
class Call:
    """One request on its way through an operation."""

    world: World
    operation: str
    request: Request
    request_id: str

    def error(self, code: str, about: str = "") -> Reply:
        return error(code, self.request_id, about=about)


async def oauth(call: Call) -> Reply:
    world = call.world
    fault = world.faults.take("oauth", "before_accept")
    if fault:
        return spoilt(None, fault, call.request_id)
    if call.request.headers.get("authorization") != world.vault.basic_authorization():
        return call.error("400.008.01")
    if call.request.query.get("grant_type") != "client_credentials":
        return call.error("400.008.02")
    reply = json_reply(200, {"access_token": world.tokens.issue(), "expires_in": str(LIFETIME_S)})
    fault = world.faults.take("oauth", "after_accept")
    return spoilt(reply, fault, call.request_id) if fault else reply


async def b2c(call: Call) -> Reply:
    body = parsed(call.request)
    key, msisdn = str(body.get("OriginatorConversationID", "")), str(body.get("PartyB", ""))
    scenario = scenario_for(msisdn)
    call.world.record({"event": "received", "key": key})
    keys = (key, msisdn)
    early = take_fault(call, "before_accept", keys, scenario)
    if early:
        return spoilt(None, early, call.request_id)
    refusal = refusal_of(call, body, rules.invalid_b2c)
    if refusal:
        return refusal
    if key in call.world.transactions:
        if call.world.deduplicates:
            return call.error("500.002.1001")
        body |= {"OriginatorConversationID": f"{key}~{call.world.received[key]}"}
    tx = accept_payment(call, body, scenario)
    await call.world.sync()
    if tx.plan.callback == "before_reply":
        await call_back(call.world, tx)
    reply = accepted_reply(tx.originator, tx.conversation)
    late = take_fault(call, "after_accept", keys, scenario)
    return spoilt(reply, late, call.request_id) if late else reply


async def status(call: Call) -> Reply:
    body = parsed(call.request)
    subject = str(body.get("OriginalConversationID") or body.get("TransactionID") or "")
    return await enquire(call, body, subject, rules.invalid_status, answer_status)


async def balance(call: Call) -> Reply:
    return await enquire(call, parsed(call.request), "", rules.invalid_balance, answer_balance)


async def enquire(
    call: Call,
    body: Body,
    subject: str,
    invalid: Callable[[Body], str],
    answer: Callable[[World, Enquiry], Answer],
) -> Reply:
    """Take a question; its answer goes to ResultURL after the usual delay."""
    early = take_fault(call, "before_accept", (subject,))
    if early:
        return spoilt(None, early, call.request_id)
    refusal = refusal_of(call, body, invalid)
    if refusal:
        return refusal
    world = call.world
    enquiry = accepted_enquiry(call, body, subject)
    fault = world.faults.take(call.operation, "callback", (subject,))
    mode, options = (fault.kind, fault.options) if fault else ("once", {})
    if enquiry.mode == "queue_timeout":
        mode = "queue_timeout"
    send = partial(send_answer, world, enquiry, answer, mode, options)
    if mode == "before_reply":
        await send()
    else:
        world.agenda.at(world.clock.now() + callback_delay(world, mode, options), send)
    reply = accepted_reply(enquiry.originator, enquiry.conversation)
    late = take_fault(call, "after_accept", (subject,))
    return spoilt(reply, late, call.request_id) if late else reply


async def send_answer(
    world: World,
    enquiry: Enquiry,
    answer: Callable[[World, Enquiry], Answer],
    mode: str,
    options: dict[str, Any],
) -> None:
    await deliver_all(world, answer(world, enquiry), mode, options)


def parsed(request: Request) -> Body:
    """The body as an object; an empty one when it is anything else, refused later as such."""
    try:
        body = request.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def take_fault(
    call: Call, point: str, keys: tuple[str, ...], scenario: Scenario | None = None
) -> Fault | None:
    """The armed fault for this call, else the scenario's own. A revoked token is only noted."""
    fault = call.world.faults.take(call.operation, point, keys)
    if fault is None and scenario and scenario.fault and scenario.fault[0] == point:
        fault = Fault(call.operation, *scenario.fault)
    if fault and fault.kind == "token_revoked":
        call.world.tokens.revoke()
        return None
    return fault


def refusal_of(call: Call, body: Body, invalid: Callable[[Body], str]) -> Reply | None:
    """The error for a bad token or a bad body, in the order the gateway finds them."""
    code = call.world.tokens.refusal_of(call.request.headers.get("authorization", ""))
    if code:
        return call.error(code)
    if not body:
        return call.error("400.002.05")
    named = invalid(body)
    return call.error("400.002.02", named) if named else None


def credential_refusal(world: World, body: Body) -> int:
    """2001 for a wrong initiator or password, 8006 once locked, 2028 for another's short code."""
    identity = world.vault.identity
    if world.refused_credentials >= CREDENTIAL_TRIES:
        return 8006
    initiator = body.get("InitiatorName", body.get("Initiator"))
    known = initiator == identity.initiator_name
    if not known or not world.vault.opens(str(body["SecurityCredential"])):
        world.refused_credentials += 1
        return 2001
    world.refused_credentials = 0
    return 0 if str(body["PartyA"]) == identity.short_code else 2028


def accept_payment(call: Call, body: Body, scenario: Scenario) -> Transaction:
    """Write the transaction and, when it ends at once, its end. Nothing here waits."""
    world, key = call.world, str(body["OriginatorConversationID"])
    tx = Transaction(
        originator=key,
        conversation=world.conversation_for(key),
        receipt=world.receipt_for(key),
        amount=int(str(body["Amount"])),
        msisdn=str(body["PartyB"]),
        result_url=body["ResultURL"],
        timeout_url=body["QueueTimeOutURL"],
        occasion=str(body.get("Occassion", "")),
        command=str(body["CommandID"]),
        accepted_at=world.clock.now(),
        plan=plan_for(call, key, str(body["PartyB"]), scenario, credential_refusal(world, body)),
    )
    world.accept(tx)
    tx = world.transactions[key]
    if tx.plan.settles_after_s == 0:
        world.settle(tx, tx.plan.result)
    schedule(world, tx)
    return tx


def plan_for(call: Call, key: str, msisdn: str, scenario: Scenario, refused: int) -> Plan:
    world = call.world
    fault = world.faults.take(call.operation, "callback", (key, msisdn))
    mode, options = (fault.kind, fault.options) if fault else (scenario.callback, {})
    delay = scenario.callback_after_s
    if fault or delay is None:
        delay = callback_delay(world, mode, options)
    plan = Plan(
        result=scenario.result,
        settles_after_s=scenario.settles_after_s,
        refused_as=scenario.refused_as,
        reversed_after_s=scenario.reversed_after_s,
        callback=mode,
        callback_after_s=delay,
        callback_options=options,
        enquiry=scenario.enquiry,
    )
    if refused:
        plan.result, plan.settles_after_s, plan.refused_as = refused, 0.0, "Failed"
    return plan


def callback_delay(world: World, mode: str, options: dict[str, Any]) -> float:
    if mode == "before_reply":
        return 0.0
    return float(options.get("after_s", LATE_S if mode == "late" else world.callback_delay_s))


def schedule(world: World, tx: Transaction) -> None:
    """Put what is still to come on the agenda; also after a restart."""
    plan, agenda = tx.plan, world.agenda
    settles_after = plan.settles_after_s or 0.0
    if plan.settles_after_s and not tx.is_settled:
        agenda.at(tx.accepted_at + settles_after, partial(settle_later, world, tx))
    if plan.reversed_after_s and not tx.reversed:
        agenda.at(tx.accepted_at + plan.reversed_after_s, partial(take_back, world, tx))
    if not tx.called_back and plan.callback not in {"none", "before_reply"}:
        due = tx.accepted_at + max(plan.callback_after_s, settles_after)
        agenda.at(due, partial(call_back, world, tx))


async def settle_later(world: World, tx: Transaction) -> None:
    world.settle(tx, tx.plan.result)
    await world.sync()


async def take_back(world: World, tx: Transaction) -> None:
    if tx.succeeded and not tx.reversed and world.knows(tx):
        world.record({"event": "reversed", "originator": tx.originator})
        await world.sync()


async def call_back(world: World, tx: Transaction, mode: str = "") -> None:
    """Send the result of a payment, once; one that has no end yet has only a time-out to tell."""
    if tx.called_back:
        return
    mode = mode or tx.plan.callback
    if not tx.is_settled and tx.plan.settles_after_s:
        world.settle(tx, tx.plan.result)
    if tx.is_settled or mode == "queue_timeout":
        await deliver_all(world, payment_answer(world, tx), mode, tx.plan.callback_options)
        if world.knows(tx):
            world.record({"event": "called_back", "originator": tx.originator})


def accepted_enquiry(call: Call, body: Body, subject: str) -> Enquiry:
    world, number = call.world, call.world.next_number()
    tx = world.find(subject)
    fault = None
    if call.operation == "status":
        fault = world.faults.take("status", "enquiry", (subject,))
    return Enquiry(
        originator=f"{world.seed}-{number}-{world.digest('enquiry', str(number))[:4]}",
        conversation=world.conversation_for(f"enquiry {number} {call.request_id}"),
        subject=subject,
        result_url=body["ResultURL"],
        timeout_url=body["QueueTimeOutURL"],
        occasion=str(body.get("Occasion", "")),
        mode=fault.kind if fault else (tx.plan.enquiry if tx else "right"),
        seconds=float(fault.options.get("seconds", 60)) if fault else 0.0,
        refused=credential_refusal(world, body),
    )


def accepted_reply(originator: str, conversation: str) -> Reply:
    return json_reply(
        200,
        {
            "ConversationID": conversation,
            "OriginatorConversationID": originator,
            "ResponseCode": "0",
            "ResponseDescription": "Accept the service request successfully.",
        },
    )


Operation = Callable[[Call], Awaitable[Reply]]

OPERATIONS: dict[str, tuple[str, str, Operation]] = {
    "/oauth/v1/generate": ("GET", "oauth", oauth),
    "/mpesa/b2c/v3/paymentrequest": ("POST", "b2c", b2c),
    "/mpesa/transactionstatus/v1/query": ("POST", "status", status),
    "/mpesa/accountbalance/v1/query": ("POST", "balance", balance),
}
