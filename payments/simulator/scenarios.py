"""What happens to a payment, chosen by the last three digits of the recipient's number.

Rows 001 and 004 are about a customer's prompt, which a payment to a customer does not have; they
stand here for the nearest thing it has: a recipient the operator refuses, and a request that
waited in the queue until it was cancelled.
"""

from __future__ import annotations

from dataclasses import dataclass

DAY_S = 86_400.0


@dataclass(frozen=True)
class Scenario:
    """One row of the table.

    `result` is the ResultCode, `settles_after_s` None means never. `fault` names a point
    (before_accept, after_accept) and a kind. `callback_after_s` None means the usual delay.
    """

    about: str
    result: int | str = 0
    settles_after_s: float | None = 0.0
    fault: tuple[str, str] | None = None
    callback: str = "once"
    callback_after_s: float | None = None
    enquiry: str = "right"
    refused_as: str = "Failed"
    reversed_after_s: float | None = None


USUAL = Scenario("success, callback after 1 s")

SCENARIOS: dict[str, Scenario] = {
    "001": Scenario("rejected recipient", result="SFC_IC0003", refused_as="Declined"),
    "002": Scenario("insufficient funds", result=1),
    "003": Scenario("not registered", result=2040),
    "004": Scenario("expired in the queue", -1, callback="queue_timeout", refused_as="Cancelled"),
    "005": Scenario("limit exceeded", result=4),
    "006": Scenario("pending for ever, no callback", settles_after_s=None, callback="none"),
    "007": Scenario("pending, success after 30 s", settles_after_s=30.0),
    "008": Scenario("pending, failed after 30 s", result=4, settles_after_s=30.0),
    "010": Scenario("accepted, no reply, success", fault=("after_accept", "hang")),
    "011": Scenario("no reply, never accepted", fault=("before_accept", "hang")),
    "012": Scenario("500 after acceptance, success", fault=("after_accept", "500")),
    "013": Scenario("500 before acceptance", fault=("before_accept", "500")),
    "014": Scenario("reply drips, success", fault=("after_accept", "drip")),
    "015": Scenario(
        "connection reset after acceptance, later fails",
        result=4,
        settles_after_s=30.0,
        fault=("after_accept", "rst"),
    ),
    "020": Scenario("callback three times", callback="repeat"),
    "021": Scenario("callback before the reply", callback="before_reply"),
    "022": Scenario("callback lost", callback="none"),
    "023": Scenario("callback says success, enquiry failed", result=4, callback="claims_success"),
    "024": Scenario("callback forged, in truth a success", callback="forged"),
    "025": Scenario("callback after the enquiry settled it", callback_after_s=900.0),
    "026": Scenario("callback with another amount", callback="contradictory_amount"),
    "030": Scenario("time-out notice, in truth a success", callback="queue_timeout"),
    "031": Scenario("time-out notice, in truth a failure", result=4, callback="queue_timeout"),
    "032": Scenario(
        "time-out notices for ever",
        settles_after_s=None,
        callback="queue_timeout",
        enquiry="queue_timeout",
    ),
    "040": Scenario("success, taken back the next day", reversed_after_s=DAY_S),
    "050": Scenario("our credentials are refused", result=2001),
}


def scenario_for(msisdn: str) -> Scenario:
    return SCENARIOS.get(msisdn[-3:], USUAL)
